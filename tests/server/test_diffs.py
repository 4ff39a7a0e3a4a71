"""What `plane app diff` shows of an agent's answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from plane.adapters.scripting import scripts
from plane.domain import apps, objects
from plane.server.asking import diffs
from plane.wire import agent, answers, rest

KEY = objects.ObjectKey("apps", "Deployment", "shop", "web")
WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"replicas": 2, "paused": False},
}
BY_HAND = {"manager": "hpa", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}


@pytest.fixture(scope="module")
def jq() -> Iterator[scripts.Scripts]:
    """The child."""
    child = scripts.Scripts()
    yield child
    child.close()


def shown(jq: scripts.Scripts, spec: dict[str, Any], **rule: tuple[str, ...]) -> tuple[rest.Difference, ...]:
    """Differences of one Deployment."""
    live = diffs.Live(KEY, {**WANTED, "spec": spec}, "", owners=[BY_HAND])
    rules = (apps.IgnoreDifference(kind="Deployment", group="apps", **rule),) if rule else ()  # type: ignore[arg-type]  # lists alone
    return diffs.compare([WANTED], [], {KEY: live}, rules=rules, query=jq.paths)


@pytest.mark.parametrize(
    "rule",
    [{"json_pointers": ("/spec/replicas",)}, {"jq_path_expressions": (".spec.replicas",)}, {"managed_fields_managers": ("hpa",)}],
    ids=["pointer", "jq", "manager"],
)
def test_what_is_ignored_is_not_shown(jq: scripts.Scripts, rule: dict[str, tuple[str, ...]]) -> None:
    assert shown(jq, {"replicas": 5, "paused": False}, **rule) == ()
    (found,) = shown(jq, {"replicas": 5, "paused": True}, **rule)
    assert found.fields == ("/spec/paused",)
    assert not [line for line in found.diff.splitlines() if line[0] in "+-" and "replicas" in line]


def test_without_a_rule_it_is(jq: scripts.Scripts) -> None:
    assert [found.fields for found in shown(jq, {"replicas": 5, "paused": False})] == [("/spec/replicas",)]


def test_what_others_added_is_told_apart(jq: scripts.Scripts) -> None:
    by_hand = {"manager": "kubectl-edit", "time": "2030-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:minReadySeconds": {}}}}
    live = diffs.Live(KEY, {**WANTED, "spec": {**WANTED["spec"], "minReadySeconds": 5}}, "", owners=[by_hand])
    spec = apps.AppSpec(apps.Destination("east"))
    (found,) = diffs.additions([WANTED], {KEY: live}, spec, query=jq.paths)
    assert [(one.pointer, one.manager) for one in found.extra] == [("/spec/minReadySeconds", "kubectl-edit")]
    assert diffs.compare([WANTED], [], {KEY: live}, rules=(), query=jq.paths) == ()


def test_an_object_that_may_stand_beside_is_not_to_be_deleted(jq: scripts.Scripts) -> None:
    beside = {**WANTED, "metadata": {**WANTED["metadata"], "annotations": {"gitops-plane.io/compare-options": "IgnoreExtraneous"}}}
    assert diffs.compare([], [], {KEY: diffs.Live(KEY, beside, "")}, rules=(), query=jq.paths) == ()
    assert [one.action for one in diffs.compare([], [], {KEY: diffs.Live(KEY, WANTED, "")}, rules=(), query=jq.paths)] == ["delete"]


def test_an_agent_that_compares_by_itself_is_believed() -> None:
    key = agent.Key("apps", "Deployment", "shop", "web")
    change = answers.Change(key=key, action="update", fields=("/spec/paused",), diff="d", ignored="i", former=("helm",))
    extra = answers.Change(key=key, extra=(agent.Extra(pointer="/spec/x", manager="hpa"),))
    found = diffs.shown(answers.Diff(changes=(change, extra)), release="sha256:1", commit="c")
    assert [(one.action, one.fields, one.former) for one in found.items] == [("update", ("/spec/paused",), ("helm",))]
    assert ([one.diff for one in found.ignored], [one.extra[0].manager for one in found.extra]) == (["i"], ["hpa"])
