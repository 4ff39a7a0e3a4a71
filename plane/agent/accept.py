"""From a claim to tasks that may run: verified, inside their scope, above the fence, and on disk."""

import asyncio
import time
from collections.abc import Iterable, Mapping

import msgspec
import structlog

from plane.adapters import link
from plane.adapters.cluster import kube_kinds
from plane.agent.applying import guard, sync
from plane.agent.kept import book, fence, identity, releases, shelf
from plane.domain import errors
from plane.wire import agent

CHANGING = frozenset({"apply", "remove"})

log = structlog.get_logger()


class Sorted(msgspec.Struct, frozen=True):
    """What became of a claim."""

    work: tuple[sync.Work, ...]
    finals: tuple[agent.Final, ...]


class Door:
    """Lets tasks in. One claim at a time."""

    def __init__(
        self,
        *,
        who: identity.Identity,
        plane: link.Plane,
        fenced: fence.Fence,
        kept: shelf.Shelf,
        served: kube_kinds.Kinds,
        apps: book.Book,
    ) -> None:
        self._who = who
        self._plane = plane
        self._fence = fenced
        self._shelf = kept
        self._served = served
        self._book = apps

    async def admit(self, claimed: Iterable[agent.SignedTask]) -> Sorted:
        """Sort a claim. Marks of all its tasks are written to the fence, and their releases to disk, before any of them runs."""
        work: dict[str, tuple[sync.Work, agent.SignedTask]] = {}
        finals: list[agent.Final] = []
        for signed in claimed:
            try:
                one, complete = await self._verified(signed)
            except link.PlaneAway as e:
                log.warning("release.missed", reason=str(e))  # not named as running, the task is handed out again
                continue
            except (errors.PlaneError, ValueError) as e:
                finals += _refusal(signed, str(e))
                continue
            other = work.get(one.task.app_id)
            if one.task.kind in CHANGING and other and other[0].task.kind in CHANGING:
                stale, one, complete = (other[0], one, complete) if one.task.generation > other[0].task.generation else (one, *other)
                finals.append(final(stale.task, "superseded", "a newer task of the app came with it"))
            work[one.task.app_id if one.task.kind in CHANGING else one.task.id] = (one, complete)
        admitted, refused = await self._fenced(work)
        return Sorted(admitted, (*finals, *refused))

    async def _verified(self, signed: agent.SignedTask) -> tuple[sync.Work, agent.SignedTask]:
        """The work, and the task with its bundle as it goes to disk."""
        task = guard.opened(signed, self._who.enrolled, now=self._plane.step.now())
        guard.check_account(task)
        guard.check_asked(task)
        release, bundled = releases.empty(task.app_id), None
        if task.release:
            bundled = signed.bundle or self._shelf.bundle(task.release) or await self._plane.release(task.release)
            release = guard.checked(task, bundled, self._who.openers)
            guard.check_scope(task, release, self._served)
        elif task.kind == "remove":
            release = self._book.release(task.app_id) or release  # its delete hooks
        mark = self._fence.mark(task.app_id)
        return sync.Work(task, release, fence.kinds(mark) if mark else frozenset()), agent.SignedTask(
            payload=signed.payload, signature=signed.signature, bundle=bundled
        )

    async def _fenced(
        self, work: Mapping[str, tuple[sync.Work, agent.SignedTask]]
    ) -> tuple[tuple[sync.Work, ...], tuple[agent.Final, ...]]:
        refused: list[agent.Final] = []
        marks: dict[str, fence.Mark] = {}
        for one, _ in work.values():
            present = self._fence.mark(one.task.app_id)
            late = one.task.release and present and one.task.generation < present.generation
            if late or (one.task.kind in CHANGING and not fence.admits(present, generation=one.task.generation, task=one.task.id)):
                seen = present.generation if present else 0
                refused.append(msgspec.structs.replace(final(one.task, "superseded", _stale(one.task, seen)), fence=seen))
            elif one.task.kind in CHANGING and not one.task.options.dry_run:
                marks[one.task.app_id] = _mark(one, self._fence.ended(one.task.app_id, task=one.task.id))
        written = await self._fence.raise_to(marks)
        refused += [final(work[app][0].task, "superseded", "another agent let a newer task in") for app in marks.keys() - written]
        gone = {one.task for one in refused}
        left = [(one, signed) for one, signed in work.values() if one.task.id not in gone]
        stored = {
            one.task.app_id: signed
            for one, signed in left
            if one.task.kind in {"apply", "observe"} and one.task.release and not one.task.options.dry_run
        }
        if stored:
            await asyncio.to_thread(self._shelf.keep, stored)
        return tuple(one for one, _ in left), tuple(refused)


def final(task: agent.Task, outcome: agent.Outcome, message: str) -> agent.Final:
    """A last word on a task that did not run."""
    now = time.time()
    log.warning("task.refused", task=task.id, app=task.app_id, outcome=outcome, reason=message)
    return agent.Final(
        task=task.id, app_id=task.app_id, generation=task.generation, outcome=outcome, started=now, finished=now, message=message
    )


def _refusal(signed: agent.SignedTask, message: str) -> tuple[agent.Final, ...]:
    """The last word on what could not be let in; nothing when it cannot even be read."""
    try:
        task = msgspec.msgpack.decode(signed.payload, type=agent.Task)
    except msgspec.MsgspecError:
        log.error("task.dropped", reason=message)  # noqa: TRY400 - the sentence says it
        return ()
    return (final(task, "refused", message),)


def _stale(task: agent.Task, seen: int) -> str:
    told = f"generation {task.generation} is not above {seen}, which this cluster has already seen"
    return f"{told}; if the plane's database was restored from a backup, `plane app sync` goes on from here"


def _mark(one: sync.Work, ended: Mapping[str, str]) -> fence.Mark:
    kinds = one.before | {(manifest.key.group, manifest.key.kind) for manifest in one.release.manifests}
    words = tuple(sorted(f"{group}/{kind}" for group, kind in kinds))
    return fence.Mark(generation=one.task.generation, release=one.task.release, task=one.task.id, kinds=words, ended=dict(ended))
