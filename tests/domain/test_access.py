"""Grants cover places; nothing else opens a door."""

import pytest

from plane.domain import access

HERE = access.Target("t1", "p1")


@pytest.mark.parametrize(
    ("grant", "permission", "target", "expected"),
    [
        (access.Grant("viewer", "t1"), "app:get", HERE, True),
        (access.Grant("viewer", "t1"), "app:sync", HERE, False),
        (access.Grant("editor", "t1", "p1"), "app:sync", HERE, True),
        (access.Grant("editor", "t1", "p2"), "app:get", HERE, False),
        (access.Grant("admin", "t2"), "app:get", HERE, False),
        (access.Grant("platform-admin"), "cluster:join", access.Target(), True),
        (access.Grant("admin", "t1"), "cluster:join", access.Target(), False),
        (access.Grant("editor", "t1", "p1"), "project:create", access.Target("t1"), False),
    ],
)
def test_a_grant_allows_what_its_role_holds_where_it_covers(
    grant: access.Grant, permission: str, target: access.Target, *, expected: bool
) -> None:
    assert access.allows(access.Actor("a", "ada", grants=(grant,)), permission, target) is expected


def test_nobody_without_grants_may_do_anything() -> None:
    nobody = access.Actor("a", "ada")
    assert not any(access.allows(nobody, permission, HERE) for permission in access.PLATFORM)


def test_every_role_holds_all_of_the_role_below() -> None:
    assert access.VIEW < access.EDIT < access.ADMIN < access.PLATFORM


def test_a_project_member_knows_that_the_tenant_exists_but_no_other_project() -> None:
    member = access.Actor("a", "ada", grants=(access.Grant("viewer", "t1", "p1"),))
    assert access.sees(member, access.Target("t1"))
    assert not access.sees(member, access.Target("t1", "p2"))


@pytest.mark.parametrize(
    ("held", "given", "expected"),
    [
        (access.Grant("admin", "t1"), access.Grant("viewer", "t1", "p1"), ""),
        (access.Grant("admin", "t1"), access.Grant("admin", "t1"), ""),
        (access.Grant("admin", "t1", "p1"), access.Grant("admin", "t1", "p1"), ""),
        (access.Grant("admin", "t1", "p1"), access.Grant("viewer", "t1"), "app:get"),
        (access.Grant("editor", "t1"), access.Grant("admin", "t1"), "access:create"),
        (access.Grant("admin", "t1"), access.Grant("viewer", "t2"), "app:get"),
        (access.Grant("admin", "t1"), access.Grant("platform-admin"), "access:create"),
        (access.Grant("platform-admin"), access.Grant("admin", "t1"), ""),
    ],
)
def test_nobody_gives_more_than_they_hold_there(held: access.Grant, given: access.Grant, expected: str) -> None:
    assert access.lacking(access.Actor("a", "ada", grants=(held,)), given) == expected
