"""Health as users' scripts say it: asked beside the watch, one at a time, bounded. An object without a script never waits for one."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from plane import ports
from plane.adapters.cluster import kube, kube_kinds, kube_watch
from plane.agent import errands
from plane.agent.kept import book, records, releases
from plane.agent.watching import checks
from plane.domain import levels, objects
from plane.domain.health import health, health_scripts
from plane.domain.rendering import opening
from plane.wire import agent, scripted

WAITING = health.Health("Progressing", "waits for its health script")
SLOW_S = 0.2  # a script that took so long …
REST = 9  # … rests so many times as long: however many objects it has, the others get nine tenths of the time
LONGEST_S = 1.0  # what counts of it: a script is stopped by then, the rest is its child that had to start on a busy machine
RETRY_S = 5.0
SECRET = ("", "Secret")
NOISE = ("kubectl.kubernetes.io/last-applied-configuration",)  # repeats the object, its secret values too

Kind = tuple[str, str]
Current = Callable[[objects.ObjectKey], records.Record | None]

log = structlog.get_logger()


class _Asked(msgspec.Struct, frozen=True):
    """An object that waits for its script."""

    key: objects.ObjectKey
    uid: str
    version: int
    body: dict[str, Any]


class _Queue(msgspec.Struct):
    """The objects that wait for one script; none before `rested`, on the monotonic clock."""

    script: health_scripts.Script
    waiting: OrderedDict[objects.ObjectKey, _Asked]
    rested: float = 0.0


class Judges:
    """Told of every object by the watch. `told` hears of each verdict; `current` gives the record that a verdict is for."""

    def __init__(
        self, kept: checks.Checks, runner: ports.Scripts, apps: book.Book, *, current: Current, told: Callable[[records.Record], None]
    ) -> None:
        self._checks = kept
        self._runner = runner
        self._book = apps
        self._current = current
        self._told = told
        self._found: dict[tuple[levels.Whose, str, str], health_scripts.Script | None] = {}
        self._queues: OrderedDict[health_scripts.Script, _Queue] = OrderedDict()
        self._wake = asyncio.Event()
        self._errands = errands.Errands()

    @property
    def held(self) -> str | None:
        """As a claim says it."""
        return self._checks.held

    def look(self, new: records.Record, old: records.Record | None, seen: records.Seen) -> None:
        """A fresh record: its health is what it was until its script has said what it is now."""
        script = self._script(new) if self._checks.scripts else None
        if script is None or health.unasked(seen.marks()):
            return
        same = old is not None and old.live.uid == new.live.uid
        new.health = old.health if old is not None and same else WAITING
        self._ask(script, new, seen)

    async def take(self, signed: scripted.SignedChecks, watched: "Watched") -> None:
        """Judge by another set of checks: what it concerns is listed once more, for records keep no objects."""
        before = self._checks.scripts
        await asyncio.to_thread(self._checks.take, signed)
        self._found.clear()
        moved = [kind for kind in watched.kinds if _fitting(before, kind) != _fitting(self._checks.scripts, kind)]
        log.info("checks.taken", scripts=len(self._checks.scripts), kinds=len(moved))
        for kind in moved:
            self._list(kind, watched)

    async def run(self) -> None:
        """For ever: one object of each script in turn."""
        while True:
            queue = self._next()
            if queue is None:
                await self._until_something()
                continue
            asked = queue.waiting.popitem(last=False)[1]
            started = time.monotonic()
            found = await asyncio.to_thread(self._runner.run, queue.script, asked.body)
            took = time.monotonic() - started
            if took > SLOW_S:
                queue.rested = time.monotonic() + REST * min(took, LONGEST_S)
            self._settle(asked, queue.script, found)

    async def close(self) -> None:
        """End what runs apart."""
        await self._errands.close()
        await asyncio.to_thread(self._runner.close)

    def _script(self, record: records.Record) -> health_scripts.Script | None:
        held = self._book.get(record.app)
        whose = held.whose if held else levels.Whose(*f"{record.live.mark}//".split("/")[:2])
        place = (whose, record.key.group, record.key.kind)
        if place not in self._found:
            self._found[place] = levels.find(self._checks.scripts, *place[1:], whose)
        return self._found[place]

    def _ask(self, script: health_scripts.Script, record: records.Record, seen: records.Seen) -> None:
        record.judging = True
        queue = self._queues.setdefault(script, _Queue(script, OrderedDict()))
        queue.waiting[record.key] = _Asked(record.key, record.live.uid, record.version, self._body(record, seen))
        self._wake.set()

    def _body(self, record: records.Record, seen: records.Seen) -> dict[str, Any]:
        """The object without secret values: what a script says goes to the plane."""
        body = seen.body()
        body["metadata"].pop("managedFields", None)
        for name in NOISE:
            (body["metadata"].get("annotations") or {}).pop(name, None)
        if (record.key.group, record.key.kind) == SECRET:
            return {name: part for name, part in body.items() if name not in {"data", "stringData"}}
        held = self._book.get(record.app)
        hidden = held.hidden.get((record.key.group, record.key.kind), frozenset()) if held else frozenset()
        masked: dict[str, Any] = opening.mapped(body, lambda at, leaf: releases.MASK if at in hidden else leaf) if hidden else body
        return masked

    def _next(self) -> _Queue | None:
        """The queue whose turn it is; it goes to the end of the row. Empty ones are forgotten once rested."""
        now = time.monotonic()
        for done in [name for name, queue in self._queues.items() if not queue.waiting and queue.rested <= now]:
            del self._queues[done]
        name = next((name for name, queue in self._queues.items() if queue.waiting and queue.rested <= now), None)
        if name is None:
            return None
        self._queues.move_to_end(name)
        return self._queues[name]

    async def _until_something(self) -> None:
        """Until an object asks, or a script has rested."""
        self._wake.clear()
        waits = [queue.rested - time.monotonic() for queue in self._queues.values() if queue.waiting]
        try:
            async with asyncio.timeout(max(0.0, min(waits)) if waits else None):
                await self._wake.wait()
        except TimeoutError:
            return

    def _settle(self, asked: _Asked, script: health_scripts.Script, found: health.Health) -> None:
        """Nothing when the object, or its script, changed meanwhile: then it asks, or asked, again."""
        record = self._current(asked.key)
        if record is None or (record.live.uid, record.version) != (asked.uid, asked.version):
            return
        if not record.judging or self._script(record) != script:
            return
        record.health, record.judged, record.judging = found, script.digest(), False
        self._told(record)

    def _list(self, kind: Kind, watched: "Watched") -> None:
        self._errands.start(
            self._again(kind, watched),
            name=f"judge {kind}",
            broken=lambda: self._list_later(kind, watched),
        )

    def _list_later(self, kind: Kind, watched: "Watched") -> None:
        asyncio.get_running_loop().call_later(RETRY_S, self._list, kind, watched)

    async def _again(self, kind: Kind, watched: "Watched") -> None:
        """Judge all objects of a kind once more, in the version that the watch knows of."""
        resource = watched.served.preferred(*kind)
        while resource is not None:
            try:
                async for page in kube_watch.pages(watched.api, resource.path(), selector=agent.OWNER_LABEL):
                    for raw in page.items:
                        self._anew(records.see(raw, resource))
            except kube.Unreachable:
                await asyncio.sleep(RETRY_S)
            except kube.KubeRefused as e:
                if e.status in {403, 404, 405}:
                    return  # the watch says so too
                await asyncio.sleep(RETRY_S)
            else:
                return

    def _anew(self, seen: records.Seen) -> None:
        record = self._current(records.key(seen))
        if record is None or (record.live.uid, record.version) != (seen.meta.uid, seen.version):
            return
        script = self._script(record)
        if script is not None and not health.unasked(seen.marks()):
            if record.judging or record.judged != script.digest():
                self._ask(script, record, seen)
        elif record.judging or record.judged:
            record.health, record.judged, record.judging = records.judged(seen), b"", False
            self._told(record)


class Watched(msgspec.Struct, frozen=True):
    """What is watched, and how to list it."""

    api: kube.Api
    served: kube_kinds.Kinds
    kinds: frozenset[Kind]


def _fitting(scripts: tuple[health_scripts.Script, ...], kind: Kind) -> tuple[health_scripts.Script, ...]:
    return tuple(sorted((script for script in scripts if levels.fits(script, *kind)), key=lambda script: script.file))
