"""Taking an object over from another tool."""

from typing import Any

import pytest

from plane.domain.comparing import adoption, fields

LAST = f"f:{fields.LAST_APPLIED}"
NAMED = "kubectl-client-side-apply"


def entry(manager: str, owned: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": "2026-08-01T00:00:00Z", "fieldsV1": owned, **more}


def live(*managed: dict[str, Any], **parts: Any) -> dict[str, Any]:  # noqa: ANN401 parts of an object
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "managedFields": list(managed)}, **parts}


def desired(**parts: Any) -> dict[str, Any]:  # noqa: ANN401 as above
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, **parts}


@pytest.mark.parametrize("manager", sorted(adoption.FORMER))
def test_known_tools_are_taken_over_from(manager: str) -> None:
    assert adoption.former(live(entry(manager, {"f:data": {"f:a": {}}})), NAMED) == (manager,)


@pytest.mark.parametrize(
    ("there", "named"),
    [
        ([entry("kubectl-edit", {})], NAMED),  # a hand, no tool
        ([entry("helm", {})], ""),  # ClientSideApplyMigration=false
        ([entry("kubectl", {}, subresource="scale")], NAMED),
        ([entry("helm", {}), entry("gitops-plane", {}, operation="Apply")], NAMED),  # helm came after us
    ],
)
def test_nobody_else_is(there: list[dict[str, Any]], named: str) -> None:
    assert adoption.former(live(*there), named) == ()


def test_a_tool_of_the_users_own_is_taken_over_from_when_it_is_named() -> None:
    assert adoption.former(live(entry("deployer", {})), "deployer") == ("deployer",)


def test_what_goes_is_what_the_tool_owned_and_git_does_not_have() -> None:
    owned = {"f:metadata": {"f:finalizers": {'v:"x.example/a"': {}}}, "f:data": {"f:a": {}, "f:b": {}}}
    there = live(entry("helm", owned), entry("kubectl-edit", {"f:data": {"f:c": {}}}), data={"a": "1", "b": "1", "c": "1"})
    there["metadata"]["finalizers"] = ["x.example/a"]
    found = adoption.taken(desired(data={"a": "1"}), there, NAMED)
    assert found == adoption.Taken(("helm",), ("/data/b",))
    assert adoption.without(desired(data={"a": "1"}), there, found)["data"] == {"a": "1", "c": "1"}


def test_fields_change_hands_all_at_once() -> None:
    ours = entry("gitops-plane", {"f:data": {"f:a": {}}}, operation="Apply", time="2026-08-02T00:00:00Z")
    helm = entry("helm", {"f:metadata": {"f:labels": {".": {}, "f:x": {}}}, "f:data": {"f:b": {}}})
    kubectl = entry(NAMED, {"f:metadata": {"f:annotations": {".": {}, LAST: {}}, "f:finalizers": {}}, "f:data": {"f:c": {}}})
    other, scale = entry("kubectl-edit", {"f:data": {"f:d": {}}}), entry("kubectl", {"f:spec": {}}, subresource="scale")
    found = adoption.handed_over([ours, helm, other, kubectl, scale], adoption.FORMER)
    owned = {"f:metadata": {"f:labels": {".": {}, "f:x": {}}, "f:annotations": {".": {}}}, "f:data": {"f:a": {}, "f:b": {}, "f:c": {}}}
    assert found == [other, scale, {**ours, "fieldsV1": owned}]


def test_our_own_client_side_applies_become_server_side() -> None:
    found = adoption.handed_over([entry("gitops-plane", {"f:data": {"f:a": {}}})], frozenset())
    assert found == [entry("gitops-plane", {"f:data": {"f:a": {}}}, operation="Apply")]


def test_where_there_is_nothing_to_take_over_nothing_is_done() -> None:
    assert adoption.handed_over([entry("kubectl-edit", {}), entry("gitops-plane", {}, operation="Apply")], adoption.FORMER) is None
