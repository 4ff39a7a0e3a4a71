"""The active agent: what starts in which order, the claim loop, and the tasks under way."""

import asyncio
import functools
import socket
import time
import uuid

import msgspec
import structlog

from plane.adapters import link
from plane.adapters.cluster import kube
from plane.agent import accept, backoff, capabilities, diary, errands, report
from plane.agent.answering import ask, inquiry, planned, question, streams
from plane.agent.applying import apply as applying
from plane.agent.applying import hooks, sync
from plane.agent.healing import drift
from plane.agent.kept import fence, identity, releases, shelf
from plane.agent.watching import cluster, judges
from plane.domain import errors
from plane.wire import agent, signing

EXTEND_S = 20.0  # a third of a lease and a bit: how often tasks under way are named to the plane while no more are wanted
MOST = 64  # tasks claimed at once
ENOUGH = 48  # tasks at work above which no more are claimed: the API server is the limit, not the queue
RETRY_S = (0.5, 30.0)
FENCE_S = 2.0
REVOKED_S = (2.0, 60.0)  # a revoked agent asks whether it is welcome again, first soon and then once a minute

log = structlog.get_logger()


class Parts(msgspec.Struct, frozen=True):
    """What the active agent is made of."""

    who: identity.Identity
    store: identity.Store
    plane: link.Plane
    there: cluster.Cluster
    shelf: shelf.Shelf
    fence: fence.Fence
    applier: applying.Applier
    drift: drift.Drift
    reporter: report.Reporter
    door: accept.Door
    capabilities: capabilities.Watcher
    judges: judges.Judges
    inquiry: inquiry.Inquiry
    diary: diary.Diary


class Loop:
    """Claims tasks and runs them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._there = parts.there
        foresee = functools.partial(planned.digest, parts.there, parts.applier)
        self._tools = sync.Tools(parts.there, parts.applier, parts.fence, parts.reporter.progress, parts.reporter.touch, foresee)
        self._open: dict[str, str] = {}  # task id → app id, until the plane has the last word
        self._running: dict[str, asyncio.Task[None]] = {}
        self._at_work: dict[str, str] = {}  # app id → the task that changes it
        self._freed = asyncio.Event()
        self._trouble = ""
        self._term = f"{socket.gethostname()[:100]}/{uuid.uuid4()}"
        self._errands = errands.Errands()
        self._streams = streams.Streams(parts.plane)
        self._asking = backoff.Backoff(first_s=REVOKED_S[0], most_s=REVOKED_S[1])

    @property
    def revoked(self) -> bool:
        """Whether the plane shut this agent out."""
        return bool(self._parts.who.revoked)

    def acknowledged(self, task: str) -> None:
        """The plane has the last word on a task."""
        app = self._open.pop(task, "")
        self._parts.diary.told(task)
        if app:
            self._parts.shelf.finish(app)

    async def run(self) -> None:
        """Until cancelled: first what is on disk, so that the cluster is kept whether the plane answers or not; then claim."""
        if self.revoked:
            log.error("agent.revoked", reason=self._parts.who.revoked)
            self._parts.drift.stopped = True
        self._restore()
        wanted = {kind for held in self._there.book.all() for kind in held.kinds}
        fenced = {kind for mark in self._parts.fence.marks().values() for kind in fence.kinds(mark)}
        served = {kind for kind in wanted | fenced if self._there.kinds.preferred(*kind)}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._parts.reporter.send_events(), name="events")
            group.create_task(self._parts.reporter.send_state(), name="state")
            group.create_task(self._parts.capabilities.run(), name="capabilities")
            group.create_task(self._parts.judges.run(), name="judges")
            await self._there.watches.ensure(served)
            for held in list(self._there.book.all()):
                self._parts.reporter.touch(held.id)
                await self._parts.drift.review(held.id)
            log.info("agent.readied", apps=len(list(self._there.book.all())), kinds=len(served))
            group.create_task(self._claims(), name="claims")

    async def stop(self) -> None:
        """Finish the running requests; unreported tasks go back to the plane."""
        self._parts.drift.stopped = True
        await self._parts.applier.drain()
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._errands.close()
        await self._parts.drift.close()
        await self._there.watches.close()
        self._there.comparer.close()
        self._there.custom.close()
        await self._parts.judges.close()
        await self._parts.inquiry.close()

    def _restore(self) -> None:
        """Resume every app whose release on disk is the one that the cluster's fence names. Unreadable ones are requested again."""
        for app in self._parts.shelf.apps():
            mark = self._parts.fence.mark(app)
            try:
                signed = self._parts.shelf.read(app)
                if signed is None or signed.bundle is None:
                    continue
                task = signing.open_task(signed, self._parts.who.enrolled.task_key)
                if mark is None or mark.removed or task.generation < mark.generation:
                    log.warning("release.outdated", app=app, generation=task.generation)
                    continue
                self._there.book.resume(task, releases.load(app, signed.bundle))
            except (errors.PlaneError, ValueError, OSError) as e:
                log.error("release.dropped", app=app, reason=str(e))  # noqa: TRY400 - the sentence says it

    async def _claims(self) -> None:
        pause = backoff.Backoff(first_s=RETRY_S[0], most_s=RETRY_S[1])
        while True:
            room = len(self._running) < ENOUGH
            try:
                claimed = await self._claim(room=room)
                pause.reset()
                self._parts.diary.heard()
            except link.Revoked as e:
                await self._revoke(str(e))
                continue
            except (link.PlaneAway, link.LinkRefused) as e:
                log.warning("plane.missed", reason=str(e))
                self._parts.diary.silent(str(e))
                await asyncio.sleep(pause.next_s(at_least_s=getattr(e, "retry_after_s", 0.0)))
                continue
            await self._welcome()
            if claimed.checks:
                watched = judges.Watched(self._there.api, self._there.kinds, self._there.watches.kinds())
                await self._parts.judges.take(claimed.checks, watched)
            for lost in claimed.lost:
                self._lose(lost)
            if claimed.rotate:
                await self._remember(identity.ASKED, identity.now_text())
            await self._admit(claimed)
            if not room:
                await self._room()

    async def _claim(self, *, room: bool) -> agent.Claimed:
        held = self._parts.judges.held
        body = agent.Claim(
            holds=self._parts.shelf.holds(),
            running=tuple(self._open),
            missing=self._missing(),
            checks=held,
            projects=True,
            trouble=self._trouble,
            term=self._term,
            installation=self._parts.who.installation,
        )
        return await self._parts.plane.claim(body, most=MOST if room else 0)

    def _missing(self) -> tuple[str, ...]:
        """Apps of this cluster whose releases were on a disk that is gone."""
        marks = self._parts.fence.marks()
        return tuple(app for app, mark in marks.items() if not mark.removed and mark.release and self._there.book.get(app) is None)[:MOST]

    async def _room(self) -> None:
        """Wait until there is room for more tasks, or leases must be extended."""
        self._freed.clear()
        try:
            async with asyncio.timeout(EXTEND_S):
                while len(self._running) >= ENOUGH:
                    await self._freed.wait()
                    self._freed.clear()
        except TimeoutError:
            return

    async def _admit(self, claimed: agent.Claimed) -> None:
        if not claimed.tasks:
            return
        try:
            found = await self._parts.door.admit(claimed.tasks)
        except (fence.FenceDown, kube.KubeRefused, kube.Unreachable, OSError) as e:  # OSError: the disk is full
            log.warning("tasks.missed", reason=str(e))
            self._trouble = str(e)
            await asyncio.sleep(FENCE_S)  # what is not named as running is handed out again by the next claim
            return
        self._trouble = ""
        for one in found.finals:
            self._open[one.task] = one.app_id
            self._parts.reporter.final(one)
        for work in found.work:
            self._start(work)

    def _start(self, work: sync.Work) -> None:
        task = work.task
        if task.id in self._running:
            return
        self._open[task.id] = task.app_id
        if task.kind in accept.CHANGING:
            older = self._at_work.get(task.app_id)
            before = self._running.get(older) if older else None
            if before:
                before.cancel()
                former = msgspec.structs.replace(task, id=older)
                self._final(former, accept.final(former, "superseded", "a newer task of the app arrived"))
            self._at_work[task.app_id] = task.id
        running = asyncio.create_task(self._work(work), name=f"task {task.id}")
        self._running[task.id] = running
        if diary.work_of(task):
            self._parts.diary.task(task)
        running.add_done_callback(lambda done: self._ended(task, done))

    def _ended(self, task: agent.Task, done: asyncio.Task[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if error:
            known = isinstance(error, errors.PlaneError)  # a manifest's fault is a sentence; anything else is ours
            log.error("task.broken", task=task.id, app=task.app_id, exc_info=None if known else error, reason=str(error) if known else "")
            message = str(error) if known else f"the agent ran into {type(error).__name__}; its log says where"
            self._final(task, accept.final(task, "failed", message))
        self._running.pop(task.id, None)
        if self._at_work.get(task.app_id) == task.id:
            del self._at_work[task.app_id]
        self._freed.set()

    async def _work(self, work: sync.Work) -> None:
        task = work.task
        match task.kind:
            case "apply":
                await self._apply(work)
            case "remove":
                await self._remove(work)
            case "observe":
                await self._observe(work)
            case "query":
                asked = question.Asked(self._there, self._parts.applier.acting_as(task.options.run_as), self._streams, work)
                self._final(task, await ask.answer(asked))

    async def _apply(self, work: sync.Work) -> None:
        task = work.task
        if task.options.dry_run:
            self._told(task, await sync.Sync(self._tools, work).run())
            return
        held = self._there.book.take(task, work.release)  # what it raises becomes the task's last word, in `_ended`
        held.task = task.id
        try:
            final = await sync.Sync(self._tools, work).run()
            held.trouble = "" if final.outcome == "succeeded" else final.message
        finally:
            held.task = ""
        self._told(task, final)
        self._parts.reporter.touch(task.app_id)
        await self._parts.drift.review(task.app_id)

    async def _remove(self, work: sync.Work) -> None:
        held = self._there.book.get(work.task.app_id)
        if held:
            held.options = msgspec.structs.replace(held.options, self_heal=False)
        final = await sync.Sync(self._tools, work).run()
        if final.outcome == "succeeded":
            await self._parts.fence.forget([work.task.app_id])
            self._there.book.drop(work.task.app_id)
            self._parts.shelf.drop([work.task.app_id])
            self._parts.reporter.forget(work.task.app_id)
        self._told(work.task, final)

    async def _observe(self, work: sync.Work) -> None:
        """Report everything about an app; with a release, adopt it as the desired one, as after the loss of the disk."""
        started = time.time()
        if work.task.release:
            self._there.book.take(work.task, work.release)
            await self._there.watches.ensure(
                kind for kind in {(one.key.group, one.key.kind) for one in work.release.manifests} if self._there.kinds.preferred(*kind)
            )
        await self._parts.drift.review(work.task.app_id)
        self._parts.reporter.everything(work.task.app_id)
        task = work.task
        self._told(
            task,
            agent.Final(
                task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=started, finished=time.time()
            ),
        )

    def _final(self, task: agent.Task, final: agent.Final) -> None:
        """The final report, written to the journal before it is sent."""
        if diary.work_of(task):
            self._parts.diary.ended(task, final)
        self._parts.reporter.final(final)

    def _told(self, task: agent.Task, final: agent.Final) -> None:
        self._final(task, final)
        log.info(
            "task.finished",
            task=task.id,
            app=task.app_id,
            kind=task.kind,
            outcome=final.outcome,
            reason=final.message,
            duration_s=round(final.finished - final.started, 3),
        )

    def _lose(self, task: str) -> None:
        """The plane has given this task up."""
        running, app = self._running.get(task), self._open.pop(task, "")
        if running:
            running.cancel()
            log.warning("task.lost", task=task)
            if self._at_work.get(app) == task:
                self._errands.start(self._abandon(running, app), name=f"abandon {app}", broken=lambda: None)

    async def _abandon(self, running: asyncio.Task[None], app: str) -> None:
        """Clean up what a terminated sync leaves running."""
        await asyncio.wait([running])
        held = self._there.book.get(app)
        await hooks.abandon(self._there, self._parts.applier.acting_as(held.options.run_as if held else ""), app)

    async def _revoke(self, reason: str) -> None:
        """Stop changing anything, also after a restart; ask now and then whether the revocation was undone."""
        if not self.revoked:
            log.error("agent.revoked", reason=reason)
            self._parts.who.revoked, self._parts.drift.stopped = reason, True
            for task in list(self._running.values()):
                task.cancel()
        await self._remember(identity.REVOKED, reason.encode())
        await asyncio.sleep(self._asking.next_s())

    async def _welcome(self) -> None:
        if self.revoked:
            log.info("agent.readmitted")
            self._parts.who.revoked, self._parts.drift.stopped = "", False
            self._asking.reset()
            await self._remember(identity.REVOKED, None)
            for held in list(self._there.book.all()):  # what was changed meanwhile
                await self._parts.drift.review(held.id)

    async def _remember(self, name: str, text: bytes | None) -> None:
        try:
            await self._parts.store.write({name: text})
        except (kube.KubeRefused, kube.Unreachable) as e:
            log.warning("secret.missed", name=name, reason=str(e))
