"""Between tasks: what an event means for an app, and putting back what somebody changed. Needs no plane."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import msgspec
import structlog

from plane.agent import errands, report
from plane.agent.applying import apply
from plane.agent.healing import foreign, truth
from plane.agent.kept import book, records, releases, rules
from plane.agent.watching import cluster, watch
from plane.domain import errors, objects
from plane.domain.comparing import fights
from plane.wire import agent

BACK_S, FACTOR, MOST_S = 2.0, 3, 300.0  # Argo CD's self-heal back-off, per object: at once, then 2 s, 6 s … 300 s
LOOK_AGAIN_S = 3600.0  # at the longest, while healing pauses; the plane sends word when a pause without an end is over
MOST_BLOWS = 9  # remembered of one object beside the last
QUIET_S = 600.0  # an object left alone this long starts again at once

Work = Callable[[], Coroutine[None, None, None]]

log = structlog.get_logger()


class _History(msgspec.Struct):
    """How often an object was reverted lately."""

    times: int = 0
    last: float = 0.0

    def wait_s(self, now: float) -> float:
        """Back-off before the next repair."""
        if now - self.last > QUIET_S:
            self.times = 0
        return max(0.0, self.last + min(MOST_S, BACK_S * FACTOR ** (self.times - 1)) - now) if self.times else 0.0


class Drift:
    """Hears of every change in the cluster and compares those that somebody else made."""

    def __init__(self, there: cluster.Cluster, applier: apply.Applier, reporter: report.Reporter) -> None:
        self._there = there
        self._applier = applier
        self._reporter = reporter
        self._history: dict[objects.ObjectKey, _History] = {}
        self._healing: set[objects.ObjectKey] = set()
        self._clearing: set[objects.ObjectKey] = set()
        self._paused: set[objects.ObjectKey] = set()
        self._errands = errands.Errands()
        self.stopped = False

    def notice(self, change: watch.Change) -> None:
        """An event. Cheap unless the object's own parts changed."""
        for app in {record.app for record in (change.old, change.new) if record}:
            self._reporter.touch(app)
        known = change.old or change.new
        owner = known.app if known else ""
        held = self._there.book.get(owner)
        wanted = held.objects.get(change.key) if held else None
        if held is None or wanted is None or change.key in self._applier.inflight:
            return
        if change.new is None or change.new.app != owner:
            if not held.task:
                self._reporter.drifted(held, change.key)
            self._repair(held, change.key)
        elif wanted.passive:
            change.new.settled, change.new.wanted, change.new.fields = change.new.digest, wanted.digest, ()
        elif _as_wanted(change.new, wanted) and not foreign.stale(held, change.new):
            change.new.fields = ()
        elif change.seen is not None and not held.task:
            self._compare(held, wanted, change.new, change.seen)

    async def review(self, app: str) -> None:
        """After a task or a start: look at every object of an app that is not known to match Git."""
        held = self._there.book.get(app)
        if held is None:
            return
        for key, wanted in list(held.objects.items()):
            record = self._there.watches.get(key)
            if record is None or (_as_wanted(record, wanted) and not foreign.stale(held, record)):
                if record is None:
                    self._repair(held, key)
                continue
            await self.look(app, key)

    async def look(self, app: str, key: objects.ObjectKey) -> None:
        """Read the live object and compare; heals as an event would."""
        held, record = self._there.book.get(app), self._there.watches.get(key)
        if held is None or record is None or record.app != app:
            return
        wanted = held.objects.get(key)
        try:
            live = await self._applier.get(key, wanted.api_version) if wanted else None
        except errors.PlaneError as e:
            log.warning("object.missed", app=app, object=str(key), reason=str(e))
            return
        if live is not None:
            await self._judge_apart(held, record, live)

    async def close(self) -> None:
        """Stop healing, after the repairs that are running."""
        self.stopped = True
        await self._errands.close()

    def _compare(self, held: book.Held, wanted: book.Wanted, record: records.Record, seen: records.Seen) -> None:
        if wanted.api_version != seen.resource.api_version:  # Git writes another version than the one watched
            self._start(held, record, self._read(held.id, record.key))
        elif rules.of(held.options, record.key).expressions:
            record.looking = True
            self._start(held, record, self._ask(held, record, seen.body()))
        else:
            self._judge(held, record, seen.body())

    def _start(self, held: book.Held, record: records.Record, work: Coroutine[None, None, None]) -> None:
        self._errands.start(work, name=f"look {record.key}", broken=lambda: self._later(held.id, record.key))

    async def _ask(self, held: book.Held, record: records.Record, live: dict[str, Any]) -> None:
        try:
            await self._judge_apart(held, record, live)
        finally:
            record.looking = False
            self._reporter.touch(held.id)

    async def _judge_apart(self, held: book.Held, record: records.Record, live: dict[str, Any]) -> None:
        """As `_judge`; jq takes its time, and what was changed meanwhile is judged by its own event."""
        rule = rules.of(held.options, record.key)
        if not rule.expressions:
            self._judge(held, record, live)
            return
        desired = self._desired(held, record)
        if desired is None:
            return
        try:
            found = await self._there.comparer.judge(
                desired, live, rule, foreign=foreign.wanted(held, record), yielding=held.objects[record.key].yielding
            )
        except errors.Invalid as e:
            held.trouble = f"{record.key} cannot be compared: {e}"
            return
        if not held.task and self._current(held, record) and (fields := self._conclude(held, record, found, live)):
            await self._prove(held, record, fields, live)

    def _judge(self, held: book.Held, record: records.Record, live: dict[str, Any]) -> None:
        """Settle the record, or note how it differs and heal it."""
        desired = self._desired(held, record)
        if desired is None:
            return
        rule, weighs = rules.of(held.options, record.key), foreign.wanted(held, record)
        found = rules.judge(desired, live, rule, foreign=weighs, yielding=held.objects[record.key].yielding)
        fields = self._conclude(held, record, found, live)
        if fields:
            record.looking = True
            self._start(held, record, self._prove(held, record, fields, live))

    def _current(self, held: book.Held, record: records.Record) -> bool:
        return self._there.watches.get(record.key) is record and self._there.book.get(held.id) is held

    def _desired(self, held: book.Held, record: records.Record) -> dict[str, Any] | None:
        """What Git wants of an object, None where there is nothing to compare."""
        wanted = held.objects.get(record.key)
        release = self._there.book.release(held.id)
        if wanted is None or release is None or release.digest != held.release:
            return None
        if wanted.passive:
            record.settled, record.wanted, record.fields = record.digest, wanted.digest, ()
            return None
        try:
            return releases.body(release, wanted.index, releases.values(release, record.key, self._there.unsealer))
        except errors.SecretRefused as e:
            held.trouble = str(e)
            return None

    def _conclude(self, held: book.Held, record: records.Record, found: rules.Verdict, live: dict[str, Any]) -> tuple[str, ...]:
        """What follows from a comparison; the fields that still want the API server's word."""
        foreign.remember(held, record, found.extras)
        if found.change is None:
            self._settle(held, record)
        elif not held.options.self_heal:
            return found.change.fields
        else:
            self._drifted(held, record, found.change.fields, live)  # the apply that heals is that word, too
        return ()

    async def _prove(self, held: book.Held, record: records.Record, fields: tuple[str, ...], live: dict[str, Any]) -> None:
        """Confirm a difference with the API server's dry run; until then the object counts as before."""
        record.looking = True
        try:
            changed = await truth.fields(self._there, self._applier, held, record.key, live)
        except errors.PlaneError as e:
            log.warning("object.missed", app=held.id, object=str(record.key), reason=str(e))
            changed = None
        finally:
            record.looking = False
        if not self._current(held, record):
            return
        if changed == ():
            self._settle(held, record)
        else:
            self._drifted(held, record, changed or fields, live)
        self._reporter.touch(held.id)

    def _settle(self, held: book.Held, record: records.Record) -> None:
        record.settled, record.wanted, record.fields = record.digest, held.objects[record.key].digest, ()
        left = held.fights.get(record.key)
        if left and (left.kind != "extra" or not record.extra):
            del held.fights[record.key]
            self._there.book.left(held)
        if foreign.to_remove(held, record):
            self._clear(held, record)

    def _drifted(self, held: book.Held, record: records.Record, fields: tuple[str, ...], live: dict[str, Any]) -> None:
        manager = fights.writer(live, fields) or last_writer(live["metadata"].get("managedFields") or [])
        if record.fields != fields:
            self._reporter.drifted(held, record.key, fields, manager)
        record.fields = fields
        log.info("drift.found", app=held.id, object=str(record.key), fields=fields)
        self._repair(held, record.key, fields=fields, manager=manager)

    def _repair(self, held: book.Held, key: objects.ObjectKey, *, fields: tuple[str, ...] = (), manager: str = "") -> None:
        """Start reverting an object, unless self-heal is off, or another manager changes it again each time."""
        if held.options.self_heal and not self._fought(held, key, fields, manager):
            self._once(held, key, self._healing, lambda: self._heal(held.id, key, fields, manager))

    def _fought(self, held: book.Held, key: objects.ObjectKey, fields: tuple[str, ...], manager: str) -> bool:
        """Whether healing the object has stopped because of a fight; the next task of its app starts afresh."""
        self._notice(held, key, fights.seen(held.blows.get(key, ()), fights.Blow(time.monotonic(), manager, fields)))
        left = held.fights.get(key)
        return left is not None and left.kind == ("field" if fields else "gone")

    def _notice(self, held: book.Held, key: objects.ObjectKey, fight: fights.Fight | None) -> None:
        """Report a fight and store it on disk; one that changes is reported again."""
        if fight is None or (key in held.fights and held.fights[key].kind == fight.kind):
            return
        held.fights[key] = fight.left(key)
        self._there.book.left(held)
        log.warning("fight.noticed", app=held.id, object=str(key), kind=fight.kind, field=fight.field, manager=fight.manager)
        self._reporter.touch(held.id)

    def _clear(self, held: book.Held, record: records.Record) -> None:
        """Start removing what others added to an object, unless it comes back each time."""
        key = record.key
        for manager in sorted({one.manager for one in record.extra}):
            added = tuple(one.pointer for one in record.extra if one.manager == manager)
            self._notice(held, key, fights.seen(held.clears.get(key, ()), fights.Blow(time.monotonic(), manager, added), "extra"))
        left = held.fights.get(key)
        if left is None or left.kind != "extra":
            self._once(held, key, self._clearing, lambda: self._clear_once(held.id, key))

    def _once(self, held: book.Held, key: objects.ObjectKey, busy: set[objects.ObjectKey], work: Work) -> None:
        """Start work on an object, once at a time, unless a task is at the app."""
        if self.stopped or held.task or key in busy:
            return
        paused_s = _paused_s(held.options, time.time())
        if paused_s:
            if key not in self._paused:
                self._paused.add(key)
                asyncio.get_running_loop().call_later(min(paused_s, LOOK_AGAIN_S), self._resume, held.id, key)
            return
        busy.add(key)
        self._errands.start(_alone(key, busy, work()), name=f"repair {key}", broken=lambda: self._later(held.id, key))

    async def _read(self, app: str, key: objects.ObjectKey) -> None:
        await self.look(app, key)

    async def _heal(self, app: str, key: objects.ObjectKey, fields: tuple[str, ...], manager: str) -> None:
        history = self._history.setdefault(key, _History())
        await asyncio.sleep(history.wait_s(time.monotonic()))
        held, release = self._there.book.get(app), self._there.book.release(app)
        wanted = held.objects.get(key) if held else None
        if held is None or held.task or wanted is None or release is None or release.digest != held.release:
            return
        if _paused_s(held.options, time.time()):
            self._later(app, key)
            return
        before, failed = self._there.watches.get(key), ""
        if before and before.settled == before.digest and before.wanted == wanted.digest:
            return  # somebody put it back meanwhile
        history.times, history.last = history.times + 1, time.monotonic()
        try:
            applier = self._applier.acting_as(held.options.run_as)
            now = await applier.apply(apply.Order(release, wanted.index, key, held.options, yields=wanted.yielding))
            now.wanted = wanted.digest
            if foreign.stale(held, now):
                self._start(held, now, self._read(app, key))
            if before and before.version == now.version:
                history.times -= 1  # the API server sees no difference: ours was a false alarm, and is settled now
                return
            if fields or before is None:
                held.blows[key] = (*held.blows.get(key, ())[-MOST_BLOWS:], fights.Blow(history.last, manager, fields))
        except errors.PlaneError as e:
            failed = str(e)
            self._later(app, key)
        action: Literal["update", "create"] = "update" if before else "create"
        log.info("drift.healed" if not failed else "drift.left", app=app, object=str(key), fields=fields, manager=manager, failed=failed)
        self._reporter.healed(
            app, agent.Healed(key=releases.wire_key(key), at=time.time(), action=action, fields=fields, manager=manager, failed=failed)
        )

    async def _clear_once(self, app: str, key: objects.ObjectKey) -> None:
        """Remove additions, at growing intervals while they come back."""
        history = self._history.setdefault(key, _History())
        await asyncio.sleep(history.wait_s(time.monotonic()))
        held, record = self._there.book.get(app), self._there.watches.get(key)
        if held is None or held.task or record is None or not foreign.to_remove(held, record):
            return
        history.times, history.last = history.times + 1, time.monotonic()
        found, failed = record.extra, ""
        try:
            found = await foreign.remove(self._there, self._applier, held, record)
        except errors.PlaneError as e:
            failed = str(e)
            self._later(app, key)
        if found:
            if not failed:
                held.clears[key] = (*held.clears.get(key, ())[-MOST_BLOWS:], *foreign.blows(found, history.last))
            told = foreign.told(found)
            log.info("extra.removed" if not failed else "extra.left", app=app, object=str(key), failed=failed, **told)
            self._reporter.healed(app, agent.Healed(key=releases.wire_key(key), at=time.time(), action="update", failed=failed, **told))

    def _later(self, app: str, key: objects.ObjectKey) -> None:
        history = self._history.setdefault(key, _History())
        asyncio.get_running_loop().call_later(history.wait_s(time.monotonic()) + 0.1, self._again, app, key)

    def _resume(self, app: str, key: objects.ObjectKey) -> None:
        self._paused.discard(key)
        self._again(app, key)

    def _again(self, app: str, key: objects.ObjectKey) -> None:
        held = self._there.book.get(app)
        record = self._there.watches.get(key)
        if held and key in held.objects and (record is None or record.digest != record.settled):
            self._repair(held, key, fields=record.fields if record else ())
        elif held and record and foreign.to_remove(held, record):
            self._clear(held, record)


async def _alone(key: objects.ObjectKey, busy: set[objects.ObjectKey], work: Coroutine[None, None, None]) -> None:
    try:
        await work
    finally:
        busy.discard(key)


def _paused_s(options: agent.Options, now: float) -> float:
    """For how long the app must not be self-healed; 0: it may be now."""
    ends = [end or now + LOOK_AGAIN_S for start, end in options.pauses if start <= now and (not end or now < end)]
    return max(ends) - now if ends else 0.0


def _as_wanted(record: records.Record, wanted: book.Wanted) -> bool:
    return record.settled == record.digest and record.wanted == wanted.digest


def last_writer(managers: list[dict[str, Any]]) -> str:
    """The last field manager other than the agent and the controllers that write status."""
    others = [one for one in managers if one.get("manager") != agent.FIELD_MANAGER and one.get("subresource") != "status"]
    return str(max(others, key=lambda one: str(one.get("time", "")))["manager"]) if others else ""
