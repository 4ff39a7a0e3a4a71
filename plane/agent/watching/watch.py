"""One watch per kind in use, filtered by the owner label: list once, then follow. What it keeps are records."""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec
import structlog

from plane.adapters.cluster import kube, kube_kinds, kube_watch
from plane.agent.kept import records
from plane.domain import objects
from plane.wire import agent

RETRY_S = (0.5, 30.0)  # first and longest pause after a failed list or watch
WEATHER = 1  # so many failures in a row are no news: watches are cut every day
LASTED_S = 1.0  # a watch that stood this long did not fail to begin
ABSENT_S = 30.0  # how often a kind that the cluster stopped serving is looked for again

Kind = tuple[str, str]
Judge = Callable[[records.Record, records.Record | None, records.Seen], None]

log = structlog.get_logger()


class Change(msgspec.Struct, frozen=True):
    """What an event did to a record.

    old None: new here; new None: deleted, or our label was taken off. `seen`: the object, unless we wrote it ourselves.
    """

    key: objects.ObjectKey
    old: records.Record | None
    new: records.Record | None
    seen: records.Seen | None


class Watches:
    """The records of all owned objects, kept up to date.

    `listener` is called for each change, in order, and must not wait; `judge` before it, with the new record and the one before.
    """

    def __init__(
        self, api: kube.Api, kinds: kube_kinds.Kinds, listener: Callable[[Change], None], judge: Judge, troubled: Callable[[Kind], None]
    ) -> None:
        self._api = api
        self._kinds = kinds
        self._listener = listener
        self._judge = judge
        self._troubled = troubled
        self._records: dict[Kind, dict[objects.ObjectKey, records.Record]] = {}
        self._owned: dict[str, dict[objects.ObjectKey, records.Record]] = {}
        self._ready: dict[Kind, asyncio.Event] = {}
        self._running: dict[Kind, asyncio.Task[None]] = {}
        self._troubles: dict[Kind, str] = {}
        self._absent: set[Kind] = set()

    async def ensure(self, kinds: Iterable[Kind]) -> None:
        """Watch these kinds and return once each was listed, refused or found not to be served."""
        wanted = set(kinds)
        for kind in wanted - self._running.keys():
            self._ready[kind] = asyncio.Event()
            self._records[kind] = {}
            self._start(kind)
        for kind in wanted & self._absent:
            if self._kinds.preferred(*kind):  # served since a moment ago; its watch has not come round to it yet
                self._absent.discard(kind)
                self._ready[kind].clear()
        for kind in wanted:
            await self._ready[kind].wait()

    def _start(self, kind: Kind) -> None:
        self._running[kind] = asyncio.create_task(self._follow(kind), name=f"watch {kind}")
        self._running[kind].add_done_callback(lambda done: self._ended(kind, done))

    def _ended(self, kind: Kind, done: asyncio.Task[None]) -> None:
        """A watch never ends by itself: whatever broke it is told, and it begins anew with a list."""
        error = None if done.cancelled() else done.exception()
        if error:
            log.error("watch.failed", kind="/".join(kind), exc_info=error)
            self._trouble(kind, f"the agent ran into {type(error).__name__}; its log says where")
            self._ready[kind].set()  # nobody waits for it without a word
            asyncio.get_running_loop().call_later(RETRY_S[1], self._start, kind)

    def kinds(self) -> frozenset[Kind]:
        """What is watched."""
        return frozenset(self._running)

    def troubles(self, kinds: Iterable[Kind]) -> tuple[str, ...]:
        """Sentences about those of these kinds of which nothing is heard for the time being."""
        found = [("/".join(part for part in kind if part), why) for kind in sorted(kinds) if (why := self._troubles.get(kind))]
        return tuple(f"{name} cannot be watched, so nothing new is known of it: {why}" for name, why in found)

    def get(self, key: objects.ObjectKey) -> records.Record | None:
        """The record of an object that carries an owner label."""
        return self._records.get((key.group, key.kind), {}).get(key)

    def owned(self, app: str) -> Mapping[objects.ObjectKey, records.Record]:
        """The records of an app."""
        return self._owned.get(app, {})

    def absorb(self, payload: bytes, resource: kube_kinds.Resource) -> records.Record:
        """Take the answer to our own write as settled, unless somebody wrote after it; returns the newest record."""
        seen = records.see(msgspec.Raw(payload), resource)
        record = self._put(seen, own=True) or records.record(seen)
        if record.version == seen.version:
            record.settled, record.fields = record.digest, ()
        return record

    async def close(self) -> None:
        """Stop watching."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _follow(self, kind: Kind) -> None:
        """For ever. A watch that broke goes on where it was; one whose place is gone lists again."""
        since, failures, stood = "", 0, math.inf
        while True:
            resource = self._kinds.preferred(*kind)
            if resource is None:
                self._forget(kind)
                self._absent.add(kind)
                since = ""
                await self._kinds.changed(within_s=ABSENT_S * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load
                continue
            self._absent.discard(kind)
            try:
                since = since or await self._list(kind, resource)
                async for batch in kube_watch.events(self._api, resource.path(), since=since, selector=agent.OWNER_LABEL):
                    since = self._take(batch, resource) or since
                    failures, stood = (0, stood) if batch else (failures, time.monotonic())
                    self._trouble(kind, "")
            except (kube.KubeRefused, kube.Unreachable) as e:
                lasted_s, stood = time.monotonic() - stood, math.inf
                since, failures = self._failed(kind, e, since), 1 if lasted_s > LASTED_S else failures + 1
                if failures > WEATHER:
                    self._trouble(kind, str(e))
                after = getattr(e, "retry_after_s", 0.0) or min(RETRY_S[1], RETRY_S[0] * 2 ** min(failures - 1, 8))
                await asyncio.sleep(after * random.uniform(0.5, 1.0) if since or failures > 1 else 0)  # noqa: S311 - spreads load

    def _failed(self, kind: Kind, error: kube.KubeRefused | kube.Unreachable, since: str) -> str:
        """Where to go on: empty to list again."""
        if isinstance(error, kube.Unreachable):
            log.warning("watch.broken", kind="/".join(kind), reason=str(error))
            return since
        if error.status == kube_watch.GONE:
            log.info("watch.expired", kind="/".join(kind))
            return ""
        log.warning("watch.refused", kind="/".join(kind), status=error.status, reason=str(error))
        if error.status in {403, 404, 405}:
            if error.status == 404:  # noqa: PLR2004 - the kind is not served any more, so none of its objects exist
                self._forget(kind)
            self._ready[kind].set()
            return ""
        return since

    def _trouble(self, kind: Kind, why: str) -> None:
        """Keep why nothing is heard of a kind; empty: it is heard of again."""
        if self._troubles.get(kind, "") != why:
            self._troubles.pop(kind, None)
            self._troubles |= {kind: why} if why else {}
            self._troubled(kind)

    async def _list(self, kind: Kind, resource: kube_kinds.Resource) -> str:
        seen: set[objects.ObjectKey] = set()
        version = ""
        async for page in kube_watch.pages(self._api, resource.path(), selector=agent.OWNER_LABEL):
            version = page.resource_version
            for raw in page.items:
                record = self._put(records.see(raw, resource))
                seen.update([record.key] if record else [])
            await asyncio.sleep(0)  # a page of 500 objects is 30 ms of work; let the others have a turn
        for key in self._records[kind].keys() - seen:
            self._remove(key)
        self._ready[kind].set()
        return version

    def _take(self, batch: list[kube_watch.Event], resource: kube_kinds.Resource) -> str:
        """Apply events; returns the version to go on from."""
        version = ""
        for event in batch:
            seen = records.see(event.object, resource)
            version = seen.meta.resource_version
            if event.type == "DELETED":
                self._deleted(seen)
            elif event.type != "BOOKMARK":
                self._put(seen)
        return version

    def _deleted(self, seen: records.Seen) -> None:
        """Gone, or out of the selector: the label was taken off. A newer object of the same name stays."""
        key = records.key(seen)
        known = self.get(key)
        if known and known.version <= seen.version:
            self._remove(key)

    def _put(self, seen: records.Seen, *, own: bool = False) -> records.Record | None:
        key = records.key(seen)
        kind = (key.group, key.kind)
        old = self.get(key)
        if kind not in self._records or (old and old.version > seen.version):
            return old
        if old and old.version == seen.version and old.live.uid == seen.meta.uid:
            return old
        new = records.record(seen)
        if not new.app:
            return None
        if old and old.live.uid == new.live.uid:
            new.settled, new.wanted, new.fields = old.settled, old.wanted, old.fields
            new.weighed, new.extra, new.more_extra = old.weighed, old.extra, old.more_extra
        if old and old.app != new.app:
            self._owned[old.app].pop(key, None)
        self._judge(new, old, seen)
        if own:  # before the listener hears of it
            new.settled, new.fields = new.digest, ()
        self._records[kind][key] = new
        self._owned.setdefault(new.app, {})[key] = new
        self._listener(Change(key, old, new, None if own else seen))
        return new

    def _remove(self, key: objects.ObjectKey) -> None:
        old = self._records[key.group, key.kind].pop(key, None)
        if old is None:
            return
        with contextlib.suppress(KeyError):
            del self._owned[old.app][key]
            if not self._owned[old.app]:
                del self._owned[old.app]
        self._listener(Change(key, old, None, None))

    def _forget(self, kind: Kind) -> None:
        for key in list(self._records[kind]):
            self._remove(key)
        self._ready[kind].set()
