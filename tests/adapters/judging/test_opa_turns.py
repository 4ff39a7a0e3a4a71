"""Turns are shared: nobody has all places, and who looped waits for those who did not."""

import concurrent.futures
import contextlib

import pytest

from plane.adapters.judging import opa_turns

LONG_S = 60.0


def at_once(turns: opa_turns.Turns, *wanted: tuple[str, str]) -> list[str]:
    """Who is at work together when all of these ask for a place in this order and nobody leaves."""
    with contextlib.ExitStack() as stack:
        given = []
        for tenant, key in wanted:
            with contextlib.suppress(opa_turns.NoTurn):
                given.append(stack.enter_context(turns.turn(tenant, key, wait_s=0)).tenant)
        return given


def test_one_tenant_has_its_share_and_no_more() -> None:
    turns = opa_turns.Turns(4, each=2, slow=2)
    assert at_once(turns, ("a", "x"), ("a", "y"), ("a", "z"), ("b", "x"), ("c", "x")) == ["a", "a", "b", "c"]


def test_places_are_bounded() -> None:
    turns = opa_turns.Turns(2, each=2, slow=2)
    assert at_once(turns, ("a", "x"), ("b", "x"), ("c", "x")) == ["a", "b"]


def test_what_looped_shares_the_slow_lane_and_has_one_place_of_a_tenant() -> None:
    turns = opa_turns.Turns(8, each=4, slow=2)
    for tenant in ("a", "b", "c"):
        turns.looped(tenant, "x")
    turns.looped("a", "y")
    assert at_once(turns, ("a", "x"), ("a", "y"), ("b", "x"), ("c", "x"), ("a", "z"), ("d", "x")) == ["a", "b", "a", "d"]


def test_what_was_answered_is_slow_no_more() -> None:
    turns = opa_turns.Turns(8, each=4, slow=1)
    for tenant in ("a", "b"):
        turns.looped(tenant, "x")
    turns.answered("b", "x")
    assert at_once(turns, ("a", "x"), ("b", "x")) == ["a", "b"]


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opa_turns, "REMEMBERED", 1)
    turns = opa_turns.Turns(8, each=4, slow=0)
    for tenant in ("a", "b"):
        turns.looped(tenant, "x")
    assert at_once(turns, ("a", "x"), ("b", "x")) == ["a"]


def test_who_waits_comes_next_and_all_come() -> None:
    turns = opa_turns.Turns(2, each=1, slow=1)

    def query(number: int) -> int:
        with turns.turn(f"tenant-{number % 5}", "x", wait_s=LONG_S):
            return number

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        assert list(threads.map(query, range(200))) == list(range(200))


def test_who_gave_up_waiting_holds_nobody_up() -> None:
    turns = opa_turns.Turns(1, each=1, slow=1)
    with turns.turn("a", "x", wait_s=0), pytest.raises(opa_turns.NoTurn), turns.turn("b", "x", wait_s=0.01):
        pass
    assert at_once(turns, ("c", "x")) == ["c"]
