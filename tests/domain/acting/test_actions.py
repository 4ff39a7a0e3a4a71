"""Actions of live objects: what each writes, and when it is refused."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import errors
from plane.domain.acting import actions, merge_patch
from plane.domain.acting.action_rules import catalogue
from tests.support import cases

NOW = dt.datetime(2026, 8, 1, 12, tzinfo=dt.UTC)
Body = dict[str, Any]
CASES = [(f"{name}, {kind}", kind, case) for name, case in cases.named("actions") for kind in case["kinds"]]

SCALAR = st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["", "a", "true", "Paused", "slow, fast", "on"])
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2), max_leaves=4
)
FIELDS = st.dictionaries(
    st.sampled_from(
        ["paused", "suspend", "replicas", "conditions", "pauseConditions", "strategy", "lifecycle", "instancesStatus", "phase"]
    ),
    JSON,
    max_size=4,
)


def body(kind: str, part: Body) -> Body:
    """An object of `group/version Kind` in the namespace shop."""
    api_version, _, name = kind.partition(" ")
    meta = {"name": "a", "namespace": "shop", "uid": "u1", **part.get("metadata", {})}
    return {**part, "apiVersion": api_version, "kind": name, "metadata": meta}


@pytest.mark.parametrize(("name", "kind", "case"), CASES)
def test_an_action_does_what_the_table_says(name: str, kind: str, case: Body) -> None:
    live = body(kind, case["object"])
    if "refused" in case:
        with pytest.raises((errors.Invalid, errors.Conflict)) as refusal:
            actions.change(live, case["action"], case.get("parameters", {}), now=NOW)
        assert case["refused"] in str(refusal.value), name
        return
    change = actions.change(live, case["action"], case.get("parameters", {}), now=NOW)
    assert change == actions.Change(case.get("patch", {}), tuple(case.get("create", ()))), name


@pytest.mark.parametrize(("name", "kind", "case"), [each for each in CASES if "cannot be done" in each[2].get("refused", "")])
def test_what_is_refused_is_listed_as_disabled(name: str, kind: str, case: Body) -> None:
    listed = {each.name: each for each in actions.of(body(kind, case["object"]))}
    assert listed[case["action"]].disabled, name


def test_every_action_has_a_case_that_does_it() -> None:
    shown = {
        (*reversed([kind.split()[0].rpartition("/")[0], kind.split()[1]]), case["action"])
        for _, kind, case in CASES
        if "refused" not in case
    }
    assert {(kind, group, rule.name) for (group, kind), found in catalogue.RULES.items() for rule in found} - shown == set()


def test_no_kind_is_in_two_tables() -> None:
    assert catalogue.twice() == []


def test_a_list_is_sorted_and_shows_defaults() -> None:
    found = actions.of(body("apps/v1 Deployment", {"spec": {"replicas": 4, "paused": True}}))
    assert found == (
        actions.Action("pause", disabled=True, reason="it is paused already"),
        actions.Action("restart"),
        actions.Action("resume"),
        actions.Action("scale", parameters=(actions.Parameter("replicas", "count", "4"),)),
    )


def test_a_status_is_patched_by_its_subresource_and_first() -> None:
    change = actions.Change({"spec": {"paused": False}, "status": {"pauseConditions": None}})
    assert actions.patches(change) == (
        actions.Patch({"status": {"pauseConditions": None}}, subresource="status"),
        actions.Patch({"spec": {"paused": False}}),
    )


@given(st.sampled_from(sorted(catalogue.RULES)), FIELDS, FIELDS, st.none() | FIELDS)
def test_no_object_breaks_an_action(kind: tuple[str, str], spec: Body, status: Body, annotations: Body | None) -> None:
    live = {
        "apiVersion": f"{kind[0]}/v1",
        "kind": kind[1],
        "metadata": {"name": "a", "namespace": "shop", "annotations": annotations},
        "spec": spec,
        "status": status,
    }
    for action in actions.of(live):
        wanted = {each.name: each.default if each.kind == "text" else "1" for each in action.parameters}
        if action.disabled:
            with pytest.raises(errors.Conflict):
                actions.change(live, action.name, wanted, now=NOW)
        else:
            change = actions.change(live, action.name, wanted, now=NOW)
            again = merge_patch.apply(live, change.patch)
            assert merge_patch.effective(change.patch, again) == {}


@given(JSON, JSON)
def test_the_patch_between_two_objects_makes_one_of_the_other(before: object, after: object) -> None:
    one, other = _bare({"x": before}), _bare({"x": after})
    assert merge_patch.apply(one, merge_patch.between(one, other)) == other


def _bare(value: Any) -> Any:  # noqa: ANN401 any JSON data
    """Without nulls in mappings, which JSON merge patches cannot write."""
    if isinstance(value, dict):
        return {name: _bare(below) for name, below in value.items() if below is not None}
    return value
