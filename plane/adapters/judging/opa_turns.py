"""Whose turn it is to ask: so many queries at once, a share of them for one tenant, a slow lane for those that looped before."""

import collections
import contextlib
import threading
from collections.abc import Iterator

import msgspec

REMEMBERED = 4096  # tenants' sets that looped; the oldest is forgotten first and costs a place of the ordinary ones once more


class NoTurn(Exception):
    """All places stayed taken for the time one waits."""


class Turn(msgspec.Struct, frozen=True, eq=False):
    """One query that waits or is at work."""

    tenant: str
    slow: bool


class Turns:
    """At most `places` at once, `each` of one tenant; `slow` of them, one of a tenant, for what looped. Thread-safe.

    A free place goes to the tenant with the fewest at work, then to who came first.
    """

    def __init__(self, places: int, *, each: int, slow: int) -> None:
        self._places, self._each, self._slow = places, each, slow
        self._free = threading.Condition()
        self._waiting: list[Turn] = []
        self._at_work: list[Turn] = []
        self._looped: collections.OrderedDict[tuple[str, str], None] = collections.OrderedDict()

    @contextlib.contextmanager
    def turn(self, tenant: str, key: str, *, wait_s: float) -> Iterator[Turn]:
        """A place for the block; NoTurn when none is free for so long."""
        with self._free:
            mine = Turn(tenant, (tenant, key) in self._looped)
            self._waiting.append(mine)
            given = self._free.wait_for(lambda: self._next() is mine, wait_s)
            self._waiting.remove(mine)
            if given:
                self._at_work.append(mine)
            self._free.notify_all()  # there may be room for the one behind
        if not given:
            raise NoTurn
        try:
            yield mine
        finally:
            with self._free:
                self._at_work.remove(mine)
                self._free.notify_all()

    def looped(self, tenant: str, key: str) -> None:
        """Its next query goes to the slow lane."""
        with self._free:
            self._looped[tenant, key] = None
            if len(self._looped) > REMEMBERED:
                self._looped.popitem(last=False)

    def answered(self, tenant: str, key: str) -> None:
        """Its next query is one like any other."""
        with self._free:
            self._looped.pop((tenant, key), None)

    def _next(self) -> Turn | None:
        if len(self._at_work) >= self._places:
            return None
        return min((one for one in self._waiting if self._may(one)), key=lambda one: self._held(one.tenant), default=None)

    def _may(self, turn: Turn) -> bool:
        if self._held(turn.tenant) >= self._each:
            return False
        slow = [one.tenant for one in self._at_work if one.slow]
        return not turn.slow or (len(slow) < self._slow and turn.tenant not in slow)

    def _held(self, tenant: str) -> int:
        return sum(one.tenant == tenant for one in self._at_work)
