"""Grants cover places; nothing else opens a door."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.domain import access
from plane.domain.granting import conditions, roles
from tests.support import cases

HERE = access.Target("t1", "p1")
TODAY, TOMORROW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC), dt.datetime(2026, 3, 3, tzinfo=dt.UTC)


def grant(words: str) -> access.Grant:
    """`ROLE[=permission+permission] [TENANT[/PROJECT[/APP]]] [label=value] [until=DATE] [net=CIDR] [fresh=MINUTES]`."""
    role, *rest = words.split(" ")
    name, _, permissions = role.partition("=")
    place: list[str] = []
    terms: dict[str, Any] = {}
    for word in rest:
        key, equals, value = word.partition("=")
        if not equals:
            place = word.split("/")
        elif key == "until":
            terms["until"] = dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC)
        elif key == "net":
            terms["networks"] = (*terms.get("networks", ()), value)
        elif key == "fresh":
            terms["fresh_s"] = int(value) * 60
        else:
            terms["clusters"] = (*terms.get("clusters", ()), (key, value))
    tenant, project, app = (*place, "", "", "")[:3]
    return access.Grant(name, tenant, project, app, tuple(permissions.split("+")) if permissions else (), conditions.Terms(**terms))


def target(words: str) -> access.Target:
    """`[TENANT[/PROJECT[/APP]]][@label=value]`."""
    place, _, labels = words.partition("@")
    tenant, project, app = (*place.split("/"), "", "", "")[:3]
    return access.Target(tenant, project, app, dict([labels.split("=")]) if labels else None)


@pytest.mark.parametrize("case", cases.load("access/allows.yaml"), ids=str)
def test_a_grant_allows_what_its_role_holds_where_it_covers(case: list[Any]) -> None:
    held, permission, place, expected = case
    assert access.allows(access.Actor("a", "ada", grants=(grant(held),)), permission, target(place or "")) is expected


@pytest.mark.parametrize("case", cases.load("access/gives.yaml"), ids=str)
def test_nobody_gives_more_than_they_hold_there(case: list[Any]) -> None:
    held, given_, expected = case
    assert access.lacking(access.Actor("a", "ada", grants=tuple(map(grant, held))), grant(given_)) == (expected or "")


@pytest.mark.parametrize("case", cases.load("access/terms.yaml"), ids=str)
def test_a_role_holds_while_all_its_terms_hold(case: list[Any]) -> None:
    held, asked, expected = case
    now = TODAY.replace(day=asked.get("at", 2))
    login = now - dt.timedelta(minutes=asked.get("login", 5))
    grants = access.now_held([grant(held)], now=now, address=asked.get("from", "192.0.2.7"), login=login)
    place = target(asked.get("place", "t1/p1/a1@env=prod"))
    assert access.allows(access.Actor("a", "ada", grants=grants), "app:sync", place) is expected


def test_nobody_without_grants_may_do_anything() -> None:
    nobody = access.Actor("a", "ada")
    assert not any(access.allows(nobody, permission, HERE) for permission in roles.PERMISSIONS)


def test_every_role_holds_all_of_the_role_below() -> None:
    assert roles.VIEWER < roles.DEPLOYER < roles.MAINTAINER < roles.TENANT_OWNER < roles.PLATFORM_ADMIN
    assert roles.VIEWER < roles.AUDITOR < roles.TENANT_OWNER


def test_no_permission_takes_a_role_long_to_judge() -> None:
    role = frozenset({f"action:{'*a' * 100}b/K/x"})
    assert [roles.holds(role, f"action:{'a' * 200}{end}/K/x") for end in ("b", "c")] == [True, False]


def test_an_auditor_changes_nothing() -> None:
    reading = {"get", "read", "export"}
    assert {permission.split(":")[1] for permission in roles.PLATFORM_AUDITOR} <= reading


def test_a_project_member_knows_that_the_tenant_exists_but_no_other_project() -> None:
    member = access.Actor("a", "ada", grants=(access.Grant("viewer", "t1", "p1"),))
    assert access.sees(member, access.Target("t1"))
    assert not access.sees(member, access.Target("t1", "p2"))
    assert not access.sees(member, access.Target("t2"))


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (conditions.Terms(until=TOMORROW), ""),
        (conditions.Terms(until=TODAY), "it ended at 2026-03-02 00:00 UTC"),
        (conditions.Terms(networks=("192.0.2.0/24", "2001:db8::/32")), ""),
        (conditions.Terms(networks=("198.51.100.0/24",)), "it holds from 198.51.100.0/24 only, and this is ::ffff:192.0.2.7"),
        (conditions.Terms(fresh_s=3600), ""),
        (conditions.Terms(fresh_s=600), "it needs a login no older than 10 minutes"),
    ],
)
def test_a_role_holds_while_its_terms_do(terms: conditions.Terms, why: str) -> None:
    login = TODAY - dt.timedelta(minutes=20)
    assert conditions.unmet(terms, now=TODAY, address="::ffff:192.0.2.7", login=login) == why


def test_terms_fail_closed_where_nothing_is_known() -> None:
    for terms in (conditions.Terms(networks=("0.0.0.0/0",)), conditions.Terms(fresh_s=60)):
        assert conditions.unmet(terms, now=TODAY, address="", login=None)
    assert not conditions.fits(conditions.Terms(clusters=(("env", "prod"),)), None)


_TERMS = st.builds(
    conditions.Terms,
    clusters=st.lists(st.sampled_from([("env", "prod"), ("env", "test"), ("zone", "a")]), unique=True, max_size=2).map(tuple),
    until=st.sampled_from([None, TODAY, TOMORROW]),
    networks=st.lists(st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24"]), unique=True, max_size=2).map(tuple),
    fresh_s=st.sampled_from([0, 600, 3600]),
)
_PERMISSION = st.sampled_from(
    [*sorted(roles.PERMISSIONS)[::7], "app:*", "*", "*:get", "action:apps/*/restart", "action:*", "action:apps/Deployment/restart",
     "object:patch", "object:patch/apps/Deployment", "object:patch/apps/*", "secrets:*", "secrets:reveal"]
)  # fmt: skip
_GRANTS = st.builds(
    access.Grant,
    role=st.just("own"),
    tenant=st.sampled_from(["", "t1"]),
    project=st.sampled_from(["", "p1", "p2"]),
    app=st.sampled_from(["", "a1"]),
    permissions=st.lists(_PERMISSION, unique=True, max_size=4).map(tuple),
    terms=_TERMS,
)
_ASKED = st.sampled_from(
    [*sorted(roles.PERMISSIONS - {roles.ACTION}), "action:apps/Deployment/restart", "action:apps/StatefulSet/restart",
     "action:/Pod/evict", "object:patch/apps/Deployment", "object:delete/apps/Deployment"]
)  # fmt: skip
_TARGETS = st.builds(
    access.Target,
    tenant=st.sampled_from(["t1", "t2"]),
    project=st.sampled_from(["p1", "p2"]),
    app=st.sampled_from(["", "a1", "a2"]),
    cluster=st.sampled_from([None, {"env": "prod"}, {"env": "test", "zone": "a"}]),
)
_MOMENTS = st.sampled_from([TODAY - dt.timedelta(days=1), TODAY, TOMORROW])


@given(
    held=st.lists(_GRANTS, max_size=3),
    given_=_GRANTS,
    permission=_ASKED,
    place=_TARGETS,
    now=_MOMENTS,
    address=st.sampled_from(["10.1.2.3", "10.2.0.1", "192.0.2.1"]),
)
def test_what_may_be_given_opens_nothing_to_others_that_is_closed_to_the_giver(
    held: list[access.Grant], given_: access.Grant, permission: str, place: access.Target, now: dt.datetime, address: str
) -> None:
    giver = access.Actor("a", "ada", grants=tuple(held))
    if access.lacking(giver, given_):
        return

    def at_that_moment(*grants: access.Grant) -> access.Actor:
        return access.Actor("x", "x", grants=access.now_held(grants, now=now, address=address, login=now - dt.timedelta(minutes=5)))

    if access.allows(at_that_moment(given_), permission, place):
        assert access.allows(at_that_moment(*held), permission, place)


@pytest.mark.parametrize(
    ("role", "scopes", "kept"),
    [
        ({"app:get", "app:sync"}, set(), {"app:get", "app:sync"}),
        ({"app:get", "app:sync"}, {"app:get"}, {"app:get"}),
        ({"app:get"}, {"*"}, {"app:get"}),
        ({"action:*"}, {"action:apps/*/restart"}, {"action:apps/*/restart"}),
        ({"action:apps/*/restart"}, {"action:*"}, {"action:apps/*/restart"}),
        ({"action:apps/*/restart"}, {"action:*/Deployment/restart"}, {"action:apps/*/restart"}),
        ({"object:patch"}, {"object:patch/apps/Deployment"}, {"object:patch/apps/Deployment"}),
        ({"app:get"}, {"action:apps/*/restart"}, set()),
    ],
)
def test_a_narrowed_role_is_judged_by_at_least_what_it_gives(role: set[str], scopes: set[str], kept: set[str]) -> None:
    assert roles.narrowed(frozenset(role), frozenset(scopes)) == kept
