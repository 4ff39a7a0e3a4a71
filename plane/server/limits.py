"""Budgets of requests, kept in this process and evened out with the other replicas' once a second: a request costs no statement.

Between two sharings each replica may let through what it thinks is left, so a caller of N replicas gets at most what N of them let through
in a second beyond the budget. Budgets of which little is used are not told at all: who asks little costs the database nothing.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from plane.domain.granting import limits

MOST = 10_000  # callers remembered; beyond them the one that was silent longest is forgotten
K = TypeVar("K")
V = TypeVar("V")
TOLD = 0.1  # the part of a budget that others hear of


class Key(msgspec.Struct, frozen=True, order=True):
    """Whose budget. `name`: an id, or an address."""

    who: limits.Who
    name: str


class Spent(msgspec.Struct, frozen=True):
    """What was asked here since the last sharing."""

    key: Key
    rate: int
    requests: int


class _Bucket(msgspec.Struct):
    used: float
    at: float
    untold: int = 0


class Limits:
    """One per process; any thread. `clock`: seconds that only grow."""

    def __init__(self, rates: limits.Rates | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rates, self._clock = rates or limits.Rates(), clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Key, _Bucket] = OrderedDict()
        self._known: OrderedDict[bytes, tuple[Key, ...]] = OrderedDict()

    def take(self, *keys: Key) -> tuple[limits.Standing, ...]:
        """One request of each of these, or of none: TooMany."""
        keys = tuple(key for key in keys if self._rates.of(key.who))
        with self._lock:
            found = tuple(self._bucket(key) for key in keys)
            before = tuple(limits.Standing(key.who, self._rates.of(key.who), one.used) for key, one in zip(keys, found, strict=True))
            if empty := next((one for one in before if one.used + 1 > one.most), None):
                raise limits.Spent(empty)
            for one in found:
                one.used, one.untold = one.used + 1, one.untold + 1
        return tuple(msgspec.structs.replace(one, used=one.used + 1) for one in before)

    def give_back(self, key: Key) -> None:
        """A request turned out to be another's."""
        with self._lock:
            one = self._bucket(key)
            one.used, one.untold = max(0.0, one.used - 1), one.untold - 1

    def known(self, hashed: bytes) -> tuple[Key, ...]:
        """Whose budgets a token that held before counts against; none for one that nobody knows here."""
        with self._lock:
            return self._known.get(hashed, ())

    def learn(self, hashed: bytes, keys: tuple[Key, ...]) -> None:
        """A token holds."""
        with self._lock:
            self._known[hashed] = keys
            _trim(self._known)

    def forget(self, hashed: bytes) -> None:
        """It does not any more."""
        with self._lock:
            self._known.pop(hashed, None)

    def untold(self) -> tuple[Spent, ...]:
        """What the other replicas should hear of, told once; in the order that rows are locked in."""
        with self._lock:
            found = []
            for key in sorted(self._buckets):
                one, rate = self._buckets[key], self._rates.of(key.who)
                if one.untold and one.used > TOLD * rate * limits.WINDOW_S:
                    found.append(Spent(key, rate, one.untold))
                    one.untold = 0
            return tuple(found)

    def heard(self, used: Mapping[Key, float]) -> None:
        """What all replicas together have used; what came here meanwhile is not in it."""
        with self._lock:
            for key, all_used in used.items():
                one = self._bucket(key)
                one.used = all_used + one.untold

    def _bucket(self, key: Key) -> _Bucket:
        now = self._clock()
        one = self._buckets.pop(key, None) or _Bucket(0.0, now)
        one.used, one.at = limits.drained(one.used, rate=self._rates.of(key.who), seconds=now - one.at), now
        self._buckets[key] = one
        _trim(self._buckets)
        return one


def _trim(kept: OrderedDict[K, V]) -> None:
    while len(kept) > MOST:
        kept.popitem(last=False)
