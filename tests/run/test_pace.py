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
        self.now = 0.0
        self.shares = shares.Shares(clock=lambda: self.now)
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


def test_as_many_apps_of_who_had_much_as_processors_are_left_while_others_have_work(floor: Floor) -> None:
    floor.greedy("acme", "globex")
    assert floor.asked("acme").wait(PATIENCE_S)
    second = floor.asked("globex")
    assert not second.wait(MOMENT_S)
    floor.ends[0].set()
    assert second.wait(PATIENCE_S)


def test_where_no_processor_is_left_a_tenant_goes_on_at_its_share(floor: Floor) -> None:
    floor.pace = pace.Pace(0, lambda _: floor.busy)
    floor.greedy("acme")
    first = floor.asked("acme")
    assert not first.wait(MOMENT_S)
    floor.now += 1.0 / metering.SHARE
    assert first.wait(PATIENCE_S)


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


def test_what_a_turn_takes_of_the_processor_is_on_its_tenants_account(floor: Floor) -> None:
    account = floor.shares.of("acme", weight=1)
    account.took(metering.AHEAD_S)
    with floor.pace.turn("acme", account):
        sum(range(100_000))
    assert account.above()
