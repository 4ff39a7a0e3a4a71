"""Whom grants reach, and that no two tenants reach one namespace by a label."""

import fnmatch
import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import fleet
from plane.domain.permitting import sharing
from tests.support import cases

AWARDED, CLASHES = cases.load("grants/awarded.yaml"), cases.load("grants/clashes.yaml")
NAMES = ["".join(signs) for length in range(1, 7) for signs in itertools.product("ab-", repeat=length)]
TOKENS = st.lists(st.sampled_from(["a", "b", "-", "*", "?", "[ab]", "[!a]"]), max_size=3).map("".join)
GLOBS = st.lists(st.sampled_from(["{tenant}", "a", "-", "*", "?"]), min_size=1, max_size=4).map("".join)
TENANTS = st.sets(st.text("ab-", min_size=1, max_size=3).filter(lambda name: name.strip("-") == name), max_size=4)


def grants(case: dict[str, Any]) -> tuple[fleet.Grant, ...]:
    return msgspec.convert(case["grants"], tuple[fleet.Grant, ...])


@pytest.mark.parametrize("case", AWARDED, ids=[case["name"] for case in AWARDED])
def test_a_tenant_gets_what_names_it_or_its_label(case: dict[str, Any]) -> None:
    found = sharing.awarded(grants(case), sharing.Tenant(case["tenant"], case.get("labels", {})))
    assert (found and list(found.namespaces)) == case.get("gives")
    assert found is None or (found.tenant, found.selector) == (case["tenant"], "")


@pytest.mark.parametrize("case", CLASHES, ids=[case["name"] for case in CLASHES])
def test_tenants_that_would_share_a_namespace_are_named(case: dict[str, Any]) -> None:
    found = sharing.clash(grants(case), [sharing.Tenant(name, {"tier": "gold"}) for name in case["tenants"]])
    assert (found and sorted((found.one, found.other))) == case.get("clash")


@given(TOKENS, TOKENS)
def test_globs_meet_where_some_name_is_as_both_say(one: str, other: str) -> None:
    both = any(fnmatch.fnmatchcase(name, one) and fnmatch.fnmatchcase(name, other) for name in ["", *NAMES])
    assert sharing.meet(one, other) == both


@given(st.lists(GLOBS, min_size=1, max_size=2), TENANTS)
def test_without_a_clash_no_namespace_is_two_tenants(globs: list[str], names: set[str]) -> None:
    given_ = (fleet.Grant(selector="tier", namespaces=tuple(globs)),)
    known = [sharing.Tenant(name, {"tier": "gold"}) for name in sorted(names)]
    parts = [one for tenant in known if (one := sharing.awarded(given_, tenant))]
    shared = [
        name
        for name in NAMES
        for mine, theirs in itertools.combinations(parts, 2)
        if all(fleet.permits(part, group="", kind="Pod", namespace=name, name="x") for part in (mine, theirs))
    ]
    assert not shared or sharing.clash(given_, known)


@pytest.mark.parametrize(
    ("grant", "field"),
    [
        ({"namespaces": ["x"]}, "tenant"),
        ({"tenant": "acme", "selector": "tier", "namespaces": ["{tenant}"]}, "tenant"),
        ({"selector": "tier", "namespaces": ["{tenant}-*", "shop"]}, "namespaces"),
        ({"tenant": "acme", "namespaces": ["{tenant}-*"]}, "namespaces"),
        ({"tenant": "acme"}, "namespaces"),
        ({"selector": "a b c", "namespaces": ["{tenant}"]}, "selector"),
    ],
)
def test_a_grant_that_means_nothing_is_refused_by_its_place(grant: dict[str, Any], field: str) -> None:
    assert f"grants[0].{field}" in sharing.problems(grants({"grants": [grant]}))


@pytest.mark.parametrize("kinds", [("/Namespace",), ("*",)])
def test_no_list_of_kinds_gives_a_tenant_anothers_namespace(kinds: tuple[str, ...]) -> None:
    part = fleet.Grant("acme", ("acme-*",), kinds)
    assert [fleet.permits(part, group="", kind="Namespace", namespace="", name=name) for name in ("acme-a", "globex-a")] == [True, False]
