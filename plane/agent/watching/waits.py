"""Waiting for objects without looking: the watch says when an object is healthy, has failed, or is gone."""

import asyncio
from collections.abc import Callable

from plane.agent.kept import records
from plane.agent.watching import watch
from plane.domain import objects

Verdict = Callable[[records.Record | None], bool]


class Waits:
    """Futures by object; each is done as soon as one event satisfies its verdict, however short that moment is."""

    def __init__(self) -> None:
        self._open: dict[objects.ObjectKey, list[tuple[Verdict, asyncio.Future[records.Record | None]]]] = {}

    def notice(self, change: watch.Change) -> None:
        """Told of every change."""
        for verdict, done in self._open.get(change.key, ()):
            if not done.done() and verdict(change.new):
                done.set_result(change.new)

    async def until(self, key: objects.ObjectKey, verdict: Verdict, now: records.Record | None) -> records.Record | None:
        """The first record, from `now` on, that satisfies the verdict."""
        if verdict(now):
            return now
        done: asyncio.Future[records.Record | None] = asyncio.get_running_loop().create_future()
        waiting = self._open.setdefault(key, [])
        waiting.append((verdict, done))
        try:
            return await done
        finally:
            waiting.remove((verdict, done))
            if not waiting:
                self._open.pop(key, None)


def gone(record: records.Record | None) -> bool:
    """The object is not there any more."""
    return record is None


def decided(version: int) -> Verdict:
    """Healthy or degraded, or gone, at or after a resourceVersion."""

    def verdict(record: records.Record | None) -> bool:
        if record is None or record.judging:
            return record is None
        return record.version >= version and record.health.status in {"Healthy", "Degraded"}

    return verdict
