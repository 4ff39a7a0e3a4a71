"""Putting the active agent together: who tells whom."""

import asyncio
import contextlib
import datetime as dt
import pathlib
from collections.abc import AsyncIterator, Callable, Coroutine

import msgspec
import structlog

from plane.adapters import link
from plane.adapters.cluster import kube, kube_kinds
from plane.adapters.scripting import scripts
from plane.agent import accept, capabilities, diary, errands, loop, report
from plane.agent.answering import inquiry
from plane.agent.applying import apply
from plane.agent.healing import drift
from plane.agent.kept import book, fence, identity, journal, lease, own, records, releases, rotation, rules, shelf
from plane.agent.watching import checks, cluster, custom, judges, waits, watch
from plane.domain import objects
from plane.domain.rendering import secrets

log = structlog.get_logger()


class Setup(msgspec.Struct, frozen=True):
    """What the command line says."""

    namespace: str
    state_dir: pathlib.Path
    key_life: dt.timedelta
    join_token: secrets.Secret | None = None


class Office(msgspec.Struct, frozen=True):
    """What outlives a term."""

    home: own.Home
    plane: link.Plane
    who: identity.Identity
    kept: shelf.Shelf
    checks: checks.Checks
    diary: diary.Diary


async def run(api: kube.Api, plane: link.Plane, setup: Setup) -> None:
    """Be an agent until cancelled: wait for the lease, act, and wait again when it is lost."""
    kept = shelf.Shelf(setup.state_dir)
    try:
        home = own.Home(api, setup.namespace)
        await home.ensure()
        who = await identity.load(identity.Store(home), home, plane, setup.join_token)
        plane.credentials = link.credentials(who.keys.signing, who.enrolled)
        log.info("agent.started", agent=who.enrolled.agent_id, cluster=who.enrolled.cluster)
        given = checks.Checks(setup.state_dir, task_key=who.enrolled.task_key, cluster_id=who.enrolled.cluster_id)
        given.load()
        async with _noting(setup, plane, who, kept) as noted:
            while True:
                await _turn(Office(home, plane, who, kept, given, noted), setup.key_life)
    finally:
        kept.close()


@contextlib.asynccontextmanager
async def _noting(setup: Setup, plane: link.Plane, who: identity.Identity, kept: shelf.Shelf) -> AsyncIterator[diary.Diary]:
    """The agent's own record, from its start to its stop."""
    folder = setup.state_dir / "journal"
    noted = diary.Diary(journal.Journal(folder, kept.identity, lambda: link.seal(who.keys.signing, who.enrolled)), plane)
    noted.began()
    loops = errands.Errands()

    def start(name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        def again() -> None:
            asyncio.get_running_loop().call_later(diary.FULL_S, start, name, work)

        loops.start(work(), name=f"journal {name}", broken=again)

    start("keep", noted.keep)
    start("tell", noted.tell)
    try:
        yield noted
    finally:
        await loops.close()
        await noted.close()


async def _turn(office: Office, key_life: dt.timedelta) -> None:
    """One term of office."""
    mine = lease.Lease(office.home, office.kept.identity)
    await mine.acquire()
    acting = await _assemble(office)
    keys = rotation.Rotation(office.home, office.plane, office.who, life=key_life)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(mine.keep(), name="lease")
            group.create_task(keys.run(), name="keys")
            group.create_task(acting.run(), name="agent")
    except* lease.LeaseLost as lost:
        log.error("lease.lost", reason=str(lost.exceptions[0]))  # noqa: TRY400 - the sentence says it
    finally:
        await acting.stop()
        await mine.release()


async def _assemble(office: Office) -> loop.Loop:
    home, plane, who, kept = office.home, office.plane, office.who, office.kept
    kinds = kube_kinds.Kinds(home.api)
    await kinds.refresh()
    fenced = fence.Fence(home)
    await fenced.load()
    apps, waiting = book.Book(kept), waits.Waits()
    unsealer = releases.Unsealer(who.openers, who.enrolled.cluster_id)

    def changed(change: watch.Change) -> None:
        waiting.notice(change)
        asking.notice(change)
        drifting.notice(change)

    def acknowledged(task: str) -> None:
        acting.acknowledged(task)

    def current(key: objects.ObjectKey) -> records.Record | None:
        return watches.get(key)

    def judged(record: records.Record) -> None:
        change = watch.Change(record.key, record, record, None)
        waiting.notice(change)
        asking.notice(change)
        reporter.touch(record.app)

    judging = judges.Judges(office.checks, scripts.Scripts(), apps, current=current, told=judged)

    def troubled(kind: watch.Kind) -> None:
        for held in apps.all():
            if kind in held.kinds:
                reporter.touch(held.id)

    watches = watch.Watches(home.api, kinds, changed, judging.look, troubled)
    own = custom.Custom(office.checks, scripts.Scripts())
    there = cluster.Cluster(home.api, kinds, watches, waiting, apps, unsealer, rules.Comparer(scripts.Scripts()), own, plane.step.now)
    asking = inquiry.Inquiry(there, judged)
    applier = apply.Applier(there)
    reporter = report.Reporter(plane, apps, watches, office.diary, acknowledged)
    drifting = drift.Drift(there, applier, reporter)
    acting = loop.Loop(
        loop.Parts(
            who=who,
            store=identity.Store(home),
            plane=plane,
            there=there,
            shelf=kept,
            fence=fenced,
            applier=applier,
            drift=drifting,
            reporter=reporter,
            door=accept.Door(who=who, plane=plane, fenced=fenced, kept=kept, served=kinds, apps=apps),
            capabilities=capabilities.Watcher(home.api, kinds, reporter.capabilities),
            judges=judging,
            inquiry=asking,
            diary=office.diary,
        )
    )
    return acting
