"""What was fetched from others, for a while; and that it could not be, so that whoever asks next need not wait as long to hear it."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import msgspec

from plane.domain import errors

AWAY_S = 5.0  # a time-out holds a thread for twice as long; who tries again by hand hardly notices
GRACE_S = 3600.0  # what was true an hour ago is better than nobody getting in: keys are announced well before they sign
MOST_KEPT = 1000  # many more than there are providers; what is forgotten is fetched again
T = TypeVar("T")


class _Kept(msgspec.Struct, Generic[T], frozen=True):
    value: T
    at: float


class Memory(Generic[T]):
    """Thread-safe."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: dict[Hashable, _Kept[T]] = {}
        self._away: dict[Hashable, _Kept[errors.BackendDown]] = {}

    def recall(self, key: Hashable, fetch: Callable[[], T], *, fresh_s: float, grace_s: float = GRACE_S) -> T:
        """What is kept and fresh, else what is fetched; for `grace_s` more what is kept, while fetching raises BackendDown."""
        now = self._monotonic()
        with self._lock:
            kept, away = self._kept.get(key), self._away.get(key)
        age = now - kept.at if kept else 0.0
        if kept and age <= fresh_s:
            return kept.value
        try:
            if away and now - away.at < AWAY_S:
                raise away.value.with_traceback(None)
            return self._keep(key, fetch())
        except errors.BackendDown as e:
            if not away or now - away.at >= AWAY_S:
                self._miss(key, e)
            if kept and age <= fresh_s + grace_s:
                return kept.value
            raise

    def forget(self, key: Hashable) -> None:
        """Ask anew next time."""
        with self._lock:
            self._kept.pop(key, None)
            self._away.pop(key, None)

    def _keep(self, key: Hashable, value: T) -> T:
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = _Kept(value, self._monotonic())
            self._away.pop(key, None)
        return value

    def _miss(self, key: Hashable, why: errors.BackendDown) -> None:
        with self._lock:
            if len(self._away) >= MOST_KEPT:
                self._away.clear()
            self._away[key] = _Kept(why, self._monotonic())
