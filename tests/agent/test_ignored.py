"""What `ignoreDifferences` and compare options leave out is neither told as drift nor healed, and nobody's jq holds an agent up."""

from typing import Any

import msgspec
import pytest

from plane.wire import agent as wire
from tests.agent.conftest import Agent
from tests.agent.kube import Kube, config_map
from tests.agent.plane_end import PlaneEnd

BY_JQ = wire.Ignore(group="", kind="ConfigMap", name="web", expressions=(".data | .colour, .size",))
BY_MANAGER = wire.Ignore(group="", kind="ConfigMap", name="web", managers=("python-httpx",))
BY_POINTER = wire.Ignore(group="", kind="ConfigMap", name="web", pointers=("/data/colour",))
ENDLESS = wire.Ignore(group="", kind="ConfigMap", expressions=('if .data.colour == "red" then last(range(1e12)) else .data.size end',))


def left_alone(plane: PlaneEnd, kube: Kube, app: str, rule: wire.Ignore) -> None:
    """Somebody changes an ignored field and then another object: that one is healed, and the first is as it should be all the while."""
    bodies = [config_map(kube.namespace, name, colour="blue", size="s") for name in ("web", "other")]
    plane.final(plane.apply(app, *bodies, self_heal=True, ignore=(rule,)))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    kube.patch("configmaps", "other", {"data": {"colour": "red"}})
    kube.until("configmaps", "other", lambda body: body is not None and body["data"]["colour"] == "blue")
    found = {one["key"]["name"]: one for one in msgspec.json.decode(plane.final(plane.query(app)).live)["objects"]}
    assert (found["web"]["diff"], found["web"]["live"]["data"]["colour"]) == ("", "red")
    plane.state(app, lambda state: state.sync == "Synced")
    assert [one.fields for of, one in plane.healed if of == app and one.key.name == "web"] == []


def test_what_jq_names_is_no_drift(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    left_alone(shared_plane, kube, app, BY_JQ)


def test_what_a_manager_owns_is_no_drift(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    left_alone(shared_plane, kube, app, BY_MANAGER)


def test_another_field_beside_ignored_ones_is_drift(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    body = config_map(kube.namespace, "web", colour="blue", size="s", shape="round")
    shared_plane.final(shared_plane.apply(app, body, ignore=(BY_JQ,)))
    kube.patch("configmaps", "web", {"data": {"colour": "red", "shape": "square"}})
    shared_plane.state(app, lambda state: state.sync == "OutOfSync")
    assert [one.fields for one in shared_plane.objects[app].values()] == [("/data/shape",)]


def test_an_expression_that_does_not_end_is_told(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True, ignore=(ENDLESS,)))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    told = shared_plane.state(app, lambda state: "cannot be compared" in state.message)
    assert "took longer than 1 s and was stopped" in told.message
    assert kube.there("configmaps", "web")["data"]["colour"] == "red"


@pytest.mark.parametrize("words", [(), ("Replace=true",)], ids=["applied", "replaced"])
@pytest.mark.parametrize("rule", [BY_JQ, BY_MANAGER, BY_POINTER], ids=["jq", "manager", "pointer"])
def test_what_is_ignored_is_not_overwritten_where_that_is_asked_for(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, rule: wire.Ignore, words: tuple[str, ...]
) -> None:
    told: dict[str, Any] = {"ignore": (rule,), "sync_options": ("RespectIgnoreDifferences=true", *words)}
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue", shape="round"), **told))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    for shape in ("square", "flat"):
        final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue", shape=shape), **told))
        assert final.outcome == "succeeded", final.message
        assert kube.there("configmaps", "web")["data"] == {"colour": "red", "shape": shape}


def test_an_object_may_stand_beside_what_git_wants(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    web = config_map(kube.namespace, "web")
    beside = config_map(kube.namespace, "beside", {"argocd.argoproj.io/compare-options": "IgnoreExtraneous"})
    shared_plane.final(shared_plane.apply(app, web, beside))
    final = shared_plane.final(shared_plane.apply(app, web))
    told = shared_plane.state(app, lambda state: state.release != "" and state.generation == final.generation)
    assert told.sync == "Synced"
    extra = next(one for one in shared_plane.objects[app].values() if one.key.name == "beside")
    assert "IgnoreExtraneous lets pass" in extra.message
