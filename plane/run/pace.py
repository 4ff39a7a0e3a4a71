"""When apps are worked on of tenants that have had much of the processors lately, while others have work too.

A push is a chain of steps that wait for each other: on a machine all of whose processors are busy with another tenant's apps, each step
takes longer. So those apps leave two processors alone, which are often one core, and where there are no more they go on at their share.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from plane.server import shares

A = TypeVar("A")
B = TypeVar("B")
LOOK_S = 0.1  # others' work grows old without a word


class Pace:
    """`narrow`: apps at once of all such tenants together, above their share. `others`: whether others have work. Thread-safe."""

    def __init__(self, narrow: int, others: Callable[[str], bool]) -> None:
        self._narrow, self._others = narrow, others
        self._free = threading.Condition()
        self._at_work = 0

    @contextlib.contextmanager
    def turn(self, tenant: str, account: shares.Account) -> Iterator[None]:
        """Wait until one more app of the tenant may be worked on; what this thread does in the block is on its account."""
        with self._free:
            while left_s := self._left_s(tenant, account):
                self._free.wait(min(left_s, LOOK_S))
            self._at_work += 1
        begun = time.thread_time()
        try:
            yield
        finally:
            account.took(time.thread_time() - begun)
            with self._free:
                self._at_work -= 1
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

    def _left_s(self, tenant: str, account: shares.Account) -> float:
        """How long to wait, as far as is known."""
        if self._at_work < self._narrow or not self._others(tenant):
            return 0.0
        return account.wait_s()
