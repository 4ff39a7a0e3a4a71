"""Budgets in one process, and between several on one database."""

import msgspec
import pytest

from plane.domain import errors
from plane.domain.granting import limits as domain
from plane.server import context, limits, sharing

ANA, BEN, ACME = limits.Key("token", "ana"), limits.Key("token", "ben"), limits.Key("tenant", "acme")


class Time:
    """Seconds that a test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def made(time: Time, **rates: int) -> limits.Limits:
    return limits.Limits(domain.Rates(**rates), time)


def until_refused(found: limits.Limits, *keys: limits.Key) -> int:
    for n in range(100_000):
        try:
            found.take(*keys)
        except errors.TooMany:
            return n
    raise AssertionError


def test_twenty_seconds_worth_come_at_once_and_then_as_many_as_fill_up() -> None:
    time = Time()
    found = made(time, token=10)
    assert until_refused(found, ANA) == 200
    time.now += 1
    assert until_refused(found, ANA) == 10
    assert until_refused(found, BEN) == 200


def test_a_request_that_one_budget_refuses_costs_the_other_nothing() -> None:
    found = made(Time(), token=100, tenant=1)
    assert until_refused(found, ANA, ACME) == 20
    assert until_refused(found, ANA) == 1980


def test_without_a_limit_nothing_is_counted() -> None:
    found = made(Time(), token=0)
    assert [found.take(ANA) for _ in range(3)] == [(), (), ()]
    assert found.untold() == ()


def test_who_asks_little_is_not_told_of() -> None:
    found = made(Time(), token=10)
    for _ in range(20):
        found.take(ANA)
    assert found.untold() == ()
    found.take(ANA)
    assert [(one.key, one.requests) for one in found.untold()] == [(ANA, 21)]
    assert found.untold() == ()


def test_callers_beyond_those_remembered_are_forgotten_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST", 100)
    found = made(Time(), address=10)
    for n in range(1000):
        found.take(limits.Key("address", f"198.51.100.{n}"))
        found.learn(bytes([n % 256, n // 256]), ())
    assert (len(found._buckets), len(found._known)) == (100, 100)  # noqa: SLF001 - the bound is the claim


def test_replicas_share_one_budget(plane: context.Plane) -> None:
    """Two processes on one database: what each lets through in turn is one budget, not two."""
    one, other = (msgspec.structs.replace(plane, limits=made(Time(), token=1)) for _ in range(2))
    for _ in range(19):
        one.limits.take(ANA)
    sharing.share(one)
    for _ in range(3):
        other.limits.take(ANA)
    sharing.share(other)
    assert until_refused(other.limits, ANA) < 17  # of 20; the database's clock fills one up each second
    assert until_refused(other.limits, BEN) == 20


def test_while_nobody_asks_much_nothing_is_asked_of_the_database(plane: context.Plane) -> None:
    away = msgspec.structs.replace(plane, limits=made(Time()), engine=None)  # would fail if it were used
    away.limits.take(ANA)
    sharing.share(away)
