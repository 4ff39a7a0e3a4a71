"""Budgets of requests, and how callers are told of them."""

import pytest

from plane.domain.granting import limits

USED = [(0.0, 5, 4000, 0), (1.0, 5, 3999, 1), (2000.5, 0, 1999, 11), (4000.0, 0, 0, 20), (5000.0, 0, 0, 25)]


@pytest.mark.parametrize(("used", "_", "left", "again"), USED)
def test_a_caller_is_told_what_is_left_and_when_all_is_again(used: float, _: int, left: int, again: int) -> None:
    said = limits.headers((limits.Standing("token", 200, used),))
    assert said == {"RateLimit-Policy": '"token";q=4000;w=20', "RateLimit": f'"token";r={left};t={again}'}


def test_every_budget_is_told() -> None:
    said = limits.headers((limits.Standing("token", 1, 0.0), limits.Standing("tenant", 2, 3.0)))
    assert said["RateLimit"] == '"token";r=20;t=0, "tenant";r=37;t=2'
    assert limits.headers(()) == {}


@pytest.mark.parametrize(("used", "seconds", "left"), [(10.0, 0.0, 10.0), (10.0, 0.5, 5.0), (10.0, 1.0, 0.0), (10.0, 99.0, 0.0)])
def test_a_budget_fills_up_again(used: float, seconds: float, left: float) -> None:
    assert limits.drained(used, rate=10, seconds=seconds) == left


def test_who_has_none_left_hears_when_there_is_one() -> None:
    refused = limits.Spent(limits.Standing("token", 10, 200.0))
    assert refused.retry_after.total_seconds() == pytest.approx(0.1)
    assert "try again in 1 s" in str(refused)
