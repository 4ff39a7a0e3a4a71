"""What others added to objects of ours, and who they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain.comparing import ownership
from tests.support import cases


@pytest.mark.parametrize(("name", "case"), cases.named("ownership"))
def test_additions_of_others_are_found_by_who_owns_them(name: str, case: dict[str, Any]) -> None:
    found = ownership.extras(case["desired"], case["live"])
    assert [[extra.pointer, extra.manager] for extra in found] == case["extras"], name


def test_an_addition_says_when() -> None:
    (extra, _) = ownership.extras(**_pair("a label and an annotation"))
    assert (extra.operation, extra.time) == ("Update", "2026-08-01T00:00:00Z")


def _pair(name: str) -> dict[str, Any]:
    case = next(case for _, case in cases.named("ownership") if case["name"] == name)
    return {"desired": case["desired"], "live": case["live"]}


def _marked(*managers: str) -> dict[str, Any]:
    managed = [{"manager": name, "operation": "Update", "time": f"2026-08-0{n}T00:00:00Z"} for n, name in enumerate(managers, 1)]
    return {"kind": "ConfigMap", "metadata": {"name": "a", "labels": {"gitops-plane.io/app": "x"}, "managedFields": managed}}


def test_a_copy_with_our_mark_is_an_addition_as_a_whole() -> None:
    assert ownership.whole(_marked("kubectl-create", "kubectl-edit")) == ownership.Extra(
        "", "kubectl-create", "Update", "2026-08-01T00:00:00Z"
    )


def test_what_we_applied_is_no_addition() -> None:
    assert ownership.whole(_marked("kubectl-create", "gitops-plane")) is None


def test_an_object_without_our_mark_is_not_ours_to_judge() -> None:
    assert ownership.whole({"kind": "ConfigMap", "metadata": {"name": "a", "managedFields": [{"manager": "x"}]}}) is None


NAMES = st.sampled_from(["f:spec", "f:a", "f:name", ".", 'k:{"name":"x"}', "k:{", 'v:"x"', "v:1", "i:0", "i:x", "", "f:"])
OWNED: st.SearchStrategy[dict[str, Any]] = st.recursive(st.just({}), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=10)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["x", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["spec", "a", "name", ""]), inner, max_size=3),
    max_leaves=10,
)


@given(OWNED, VALUE, VALUE)
def test_no_field_set_breaks_the_search(owned: dict[str, Any], desired: object, live: object) -> None:
    body = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "managedFields": [{"manager": "m", "fieldsV1": owned}]}}
    found = ownership.extras({**body, "spec": desired}, {**body, "spec": live})
    assert all(extra.manager == "m" for extra in found)


@given(VALUE)
def test_an_object_adds_nothing_to_itself(live: object) -> None:
    managed = [{"manager": "m", "fieldsV1": {"f:spec": {"f:a": {}, "f:name": {}, 'k:{"name":"x"}': {".": {}, "f:a": {}}}}}]
    body = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "managedFields": managed}, "spec": live}
    assert ownership.extras(body, body) == ()


def test_what_others_own_and_we_do_not_is_theirs() -> None:
    managed = [
        {"manager": "gitops-plane", "operation": "Apply", "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}},
        {"manager": "scaler", "operation": "Update", "fieldsV1": {"f:data": {"f:b": {}, "f:c": {}, "f:gone": {}}}},
    ]
    live = {"metadata": {"managedFields": managed}, "data": {"a": "1", "b": "1", "c": "1"}}
    assert ownership.theirs(live, {"data": {"a": "2", "b": "2", "c": "2"}}) == (("data", "c"),)
