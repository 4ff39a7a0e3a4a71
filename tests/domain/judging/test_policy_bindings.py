"""What holds for an app: bindings tighten and never loosen, begin at their time, and are about whom they name."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain.judging import policy, policy_bindings
from tests.support import cases

AT = "2027-01-01T00:00:00Z"
SET = policy.policy_files("house", {"a.rego": "package plane.rules.a"})
FOUND = (
    policy.Violation("house", "W01", "apps/Deployment acme-shop/web", "runs privileged"),
    policy.Violation("house", "W02", "Namespace acme-shop", "shares the host's network"),
)
TARGET = policy_bindings.Target("shop", {"tier": "web"}, {"env": "prod"})


def table(file: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases.load(f"policy_bindings/{file}.yaml")]


def held(name: str, spec: dict[str, Any], own: dict[str, Any]) -> policy_bindings.Held:
    bound = msgspec.convert(spec, policy_bindings.BindingSpec)
    return policy_bindings.Held(policy_bindings.bound(bound, policy.Binding(SET, **own), name=name), bound)


def judged(several: list[policy_bindings.Held], at: str = AT) -> dict[str, policy.Judged]:
    in_force = policy_bindings.in_force(several, TARGET, at=dt.datetime.fromisoformat(at))
    return {one.violation.rule: one for one in policy.fold([(binding, FOUND) for binding in in_force])}


@pytest.mark.parametrize("case", table("in_force"))
def test_what_is_bound_holds_as_the_table_says(case: dict[str, Any]) -> None:
    several = [held(one["name"], one["spec"], case.get("set", {})) for one in case["bindings"]]
    found = judged(several, case.get("at", AT))
    assert {rule: [one.mode, one.by] for rule, one in found.items()} == case["expected"]
    change = policy_bindings.next_change(several, TARGET, at=dt.datetime.fromisoformat(case.get("at", AT)))
    assert change == (dt.datetime.fromisoformat(case["changes"]) if "changes" in case else None)


@pytest.mark.parametrize("case", table("refused"))
def test_a_wrong_binding_names_its_field(case: dict[str, Any]) -> None:
    found = policy_bindings.problems(msgspec.convert(case["spec"], policy_bindings.BindingSpec))
    assert all(words in found[field] for field, words in case["expected"].items())
    assert bool(found) == bool(case["expected"])


def test_parameters_of_a_binding_lie_over_the_sets() -> None:
    own = {"parameters": {"I01": {"registries": ["a.example"], "exempt": ["x"]}, "L01": {"labels": {}}}}
    made = held("acme/more", {"policySet": "house", "parameters": {"I01": {"registries": ["b.example"]}, "R02": {"cpu": "2"}}}, own)
    assert made.binding.parameters == {
        "I01": {"registries": ["b.example"], "exempt": ["x"]},
        "L01": {"labels": {}},
        "R02": {"cpu": "2"},
    }


MODE = st.sampled_from(policy.MODES)
SPEC = st.fixed_dictionaries(
    {"policySet": st.just("house")},
    optional={
        "mode": MODE,
        "rules": st.dictionaries(st.sampled_from(["W01", "W02"]), MODE),
        "projects": st.lists(st.sampled_from(["shop", "pay", "*"]), max_size=2),
        "apps": st.sampled_from(["", "tier=web", "tier=batch"]),
        "clusters": st.sampled_from(["", "env=prod", "env!=prod"]),
        "namespaces": st.lists(st.sampled_from(["acme-*", "globex-*"]), max_size=1),
        "enforceAfter": st.sampled_from(["", "2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z"]),
    },
)


@given(st.lists(SPEC, max_size=5), SPEC, st.integers(0, 5))
def test_one_more_binding_never_loosens(specs: list[dict[str, Any]], more: dict[str, Any], place: int) -> None:
    several = [held(f"b{number}", spec, {}) for number, spec in enumerate(specs)]
    before, after = judged(several), judged([*several[:place], held("more", more, {}), *several[place:]])
    strictness = policy.MODES.index
    assert all(strictness(after[rule].mode) >= strictness(one.mode) for rule, one in before.items())
    assert all(rule in before or one.by == "more" for rule, one in after.items())
