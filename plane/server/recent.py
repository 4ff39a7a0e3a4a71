"""What this process remembers for a while, so that the log is told of the first and of the sum, never of each."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

import msgspec

MOST = 10_000  # keys remembered; beyond them the oldest count as new
FIRST_S, LONGEST_S = 60.0, 3600.0  # between two sums: the longer it goes on, the rarer they get
SHOWN = 20  # addresses named in a sum


class Refused(msgspec.Struct, frozen=True):
    """Refusals since the last sum: how many, why, and from which addresses most."""

    count: int
    reasons: dict[str, int]
    addresses: dict[str, int]


class Recent:
    """One per process; any thread. `clock`: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[Hashable, float] = OrderedDict()
        self._reasons: dict[str, int] = {}
        self._addresses: dict[str, int] = {}
        self._next, self._pause = 0.0, FIRST_S

    def first(self, key: Hashable, *, within_s: float) -> bool:
        """Whether the key was not seen for so long; it is now."""
        now = self._clock()
        with self._lock:
            last = self._seen.pop(key, None)
            fresh = last is None or now - last >= within_s
            self._seen[key] = now if fresh or last is None else last
            if len(self._seen) > MOST:
                self._seen.popitem(last=False)
            return fresh

    def refused(self, reason: str, address: str) -> None:
        """Count a refusal."""
        with self._lock:
            self._reasons[reason] = self._reasons.get(reason, 0) + 1
            if address in self._addresses or len(self._addresses) < MOST:
                self._addresses[address] = self._addresses.get(address, 0) + 1

    def sum(self, *, at_once: bool = False) -> Refused | None:
        """What was counted, if it is time to say so: the first at once, then after pauses that double while it goes on."""
        now = self._clock()
        with self._lock:
            if not self._reasons or (now < self._next and not at_once):
                return None
            quiet = now - self._next > self._pause
            self._pause = FIRST_S if quiet else min(LONGEST_S, 2 * self._pause)
            self._next = now + self._pause
            most = sorted(self._addresses.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
            found = Refused(sum(self._reasons.values()), self._reasons, dict(most))
            self._reasons, self._addresses = {}, {}
            return found
