"""Apps of tenants that had much lately leave a processor to others, and only while those have work."""

import concurrent.futures
import threading
from collections.abc import Iterator

import pytest

from plane.domain.rendering import metering
from plane.run import pace
from plane.server import shares

MOMENT_S = 0.05  # what is held must not begin in it; on a slow machine it begins later still
PATIENCE_S = 60.0


class Floor:
    """Turns taken in threads, which hold theirs until the test lets go."""

    def __init__(self, narrow: int = 1) -> None:
        self.busy = True  # somebody else has work
        self.pace = pace.Pace(narrow, lambda _: self.busy)
        self.shares = shares.Shares(clock=lambda: 0.0)
        self.threads = concurrent.futures.ThreadPoolExecutor(8)
        self.ends: list[threading.Event] = []

    def asked(self, tenant: str) -> threading.Event:
        """Set when an app of the tenant is worked on."""
        begun, end = threading.Event(), threading.Event()
        self.ends.append(end)

        def work() -> None:
            with self.pace.turn(tenant, self.shares.of(tenant, weight=1)):
                begun.set()
                end.wait()

        self.threads.submit(work)
        return begun

    def greedy(self, *tenants: str) -> None:
        """They had much lately."""
        for tenant in tenants:
            self.shares.of(tenant, weight=1).took(metering.AHEAD_S + 1)


@pytest.fixture
def floor() -> Iterator[Floor]:
    made = Floor()
    yield made
    made.busy = False
    made.pace.look()
    for end in made.ends:
        end.set()
    made.threads.shutdown()


def test_one_app_at_once_of_who_had_much_while_others_have_work(floor: Floor) -> None:
    floor.greedy("acme")
    assert floor.asked("acme").wait(PATIENCE_S)
    second = floor.asked("acme")
    assert not second.wait(MOMENT_S)
    floor.ends[0].set()
    assert second.wait(PATIENCE_S)


def test_nobody_is_held_when_the_others_work_is_done(floor: Floor) -> None:
    floor.greedy("acme")
    assert floor.asked("acme").wait(PATIENCE_S)
    second = floor.asked("acme")
    floor.busy = False
    floor.pace.look()
    assert second.wait(PATIENCE_S)


def test_who_had_little_is_never_held(floor: Floor) -> None:
    floor.greedy("acme")
    assert all(floor.asked(tenant).wait(PATIENCE_S) for tenant in ("acme", "globex", "globex", "globex"))


def test_each_of_many_that_had_much_has_one(floor: Floor) -> None:
    floor.greedy("acme", "globex", "initech")
    assert all(floor.asked(tenant).wait(PATIENCE_S) for tenant in ("acme", "globex", "initech"))
    assert not floor.asked("globex").wait(MOMENT_S)


def test_what_a_turn_takes_of_the_processor_is_on_its_tenants_account(floor: Floor) -> None:
    account = floor.shares.of("acme", weight=1)
    account.took(metering.AHEAD_S)
    with floor.pace.turn("acme", account):
        sum(range(100_000))
    assert account.above()
