"""How many apps are worked on at once, of tenants that have had much of the processors lately while others have work too.

A push is a chain of steps that wait for each other: on a machine all of whose processors are busy with another tenant's apps, each step
waits. So those apps leave one processor alone.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from plane.server import shares

A = TypeVar("A")
B = TypeVar("B")


class Pace:
    """`narrow`: apps at once of all such tenants together; each of them always has one. `others`: whether others have work. Thread-safe."""

    def __init__(self, narrow: int, others: Callable[[str], bool]) -> None:
        self._narrow, self._others = narrow, others
        self._free = threading.Condition()
        self._at_work: list[str] = []

    @contextlib.contextmanager
    def turn(self, tenant: str, account: shares.Account) -> Iterator[None]:
        """Wait until one more app of the tenant may be worked on; what this thread does in the block is on its account."""
        with self._free:
            self._free.wait_for(lambda: self._may(tenant, account))
            self._at_work.append(tenant)
        begun = time.thread_time()
        try:
            yield
        finally:
            account.took(time.thread_time() - begun)
            with self._free:
                self._at_work.remove(tenant)
                self._free.notify_all()

    def paced(self, tenant: str, account: shares.Account, work: Callable[[A], B]) -> Callable[[A], B]:
        """The same work, each time in a turn."""

        def one(given: A) -> B:
            with self.turn(tenant, account):
                return work(given)

        return one

    def look(self) -> None:
        """Others may have no work any more."""
        with self._free:
            self._free.notify_all()

    def _may(self, tenant: str, account: shares.Account) -> bool:
        if tenant not in self._at_work or len(self._at_work) < self._narrow:
            return True
        return not account.above() or not self._others(tenant)
