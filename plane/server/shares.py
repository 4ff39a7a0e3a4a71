"""Which tenants' apps have had much of the processors lately, in this process: those give way to the others' work.

Whether they fail or are a thousand at once makes no difference. Nobody loses by it while nobody else wants anything.
"""

import threading
import time
from collections.abc import Callable

from plane.domain.rendering import metering


class Account:
    """What one tenant's apps took lately, here and in renders; any thread. `clock`: seconds that only grow; `others` have work."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._used_s, self._at = 0.0, clock()
        self.weight = 1
        self.others: Callable[[], bool] = lambda: True

    def took(self, cpu_s: float) -> None:
        """Of a render that has ended, or of a step here."""
        with self._lock:
            self._used_s = self._left() + cpu_s

    def above(self) -> bool:
        """Whether it gives way."""
        return self.wait_s() > 0 and self.others()

    def wait_s(self) -> float:
        """How long it gives way, if it takes nothing meanwhile."""
        with self._lock:
            return max(0.0, self._left() - metering.AHEAD_S) / (metering.SHARE * self.weight)

    def _left(self) -> float:
        now = self._clock()
        self._used_s, self._at = metering.lately(self._used_s, weight=self.weight, seconds=now - self._at), now
        return self._used_s


class Shares:
    """Every tenant's account; one per process, any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[str, Account] = {}

    def of(self, tenant: str, *, weight: int) -> Account:
        """A tenant's, by id."""
        found = self._accounts.setdefault(tenant, Account(self._clock))
        found.weight = weight
        return found
