"""What descends from an app's objects."""

from typing import Any

import pytest

from plane.domain import objects
from plane.domain.viewing import tree
from tests.support import cases

SHOWN = [pair for pair in cases.named("tree") if "objects" in pair[1]]
KINDS = [pair for pair in cases.named("tree") if "above" in pair[1]]


def kind(word: str) -> tuple[str, str]:
    group, _, name = word.rpartition("/")
    return group, name


def seen(word: str, name: str, uid: str, *owners: str) -> tree.Seen:
    return tree.Seen(objects.ObjectKey(*kind(word), "shop", name), uid, owners)


def stateful(uid: str, name: str, templates: list[str]) -> dict[str, Any]:
    spec = {"volumeClaimTemplates": [{"metadata": {"name": one}} for one in templates]}
    return {"metadata": {"uid": uid, "name": name, "namespace": "shop"}, "spec": spec}


@pytest.mark.parametrize(("name", "case"), SHOWN)
def test_the_tree_holds_what_descends_from_the_app(name: str, case: dict[str, Any]) -> None:
    found = tree.claimed([seen(*line) for line in case["objects"]], [stateful(**one) for one in case.get("sets", ())])
    shown = tree.linked([one for one in found if one.uid in case["roots"]], found)
    depths = tree.depths(shown)
    lines = [f"{'-' * depths[one.uid]} {'/'.join(filter(None, one.kind))} {one.key.name}".strip() for one in shown]
    assert lines == case["tree"], name


@pytest.mark.parametrize(("name", "case"), KINDS)
def test_only_kinds_that_can_be_children_are_looked_for(name: str, case: dict[str, Any]) -> None:
    found = tree.offspring(map(kind, case["above"]), map(kind, case["served"]))
    assert ["/".join(filter(None, one)) for one in found] == case["kinds"], name


def test_a_pod_shows_its_images_readiness_and_restarts() -> None:
    status = {
        "initContainerStatuses": [{"name": "prepare", "restartCount": 1, "ready": True}],
        "containerStatuses": [{"name": "main", "restartCount": 2, "ready": True}, {"name": "side", "restartCount": 0, "ready": False}],
    }
    containers = [{"name": "main", "image": "registry.example/app:1"}, {"name": "side", "image": "registry.example/side:2"}]
    spec = {"initContainers": [{"name": "prepare", "image": "registry.example/app:1"}], "containers": containers}
    assert tree.pod({"spec": spec, "status": status}) == tree.Pod(("registry.example/app:1", "registry.example/side:2"), "1/2", 3)
