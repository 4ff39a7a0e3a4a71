"""What the agent writes down about itself and its cluster, and how the plane gets to know it.

What it did in the last moment before it was killed may be missing; that it was killed is said by the next start.
"""

import asyncio
import time
from collections import deque

import structlog

from plane.adapters import link
from plane.agent import backoff
from plane.agent.kept import journal
from plane.domain import version
from plane.wire import agent
from plane.wire import journal as wire

GATHER_S = 0.2  # a fact after a quiet moment is written at once, then those of so long share one write, one signature and one sync
SEND_S = 1.0
LOST_S = 10.0  # a plane that is silent for less was a restart or a lost packet
RETRY_S = (0.5, 30.0)
FULL_S = 5.0  # between two tries to write on a full disk
UNKNOWN_S = 600.0  # before a plane that knows no journals is asked again: it may be newer by then
WAITING = 10_000  # facts kept while the disk takes none
LAST_S = 2.0  # how long stopping may wait for the plane to hear of it

log = structlog.get_logger()


class Diary:
    """Takes facts at once and without waiting; two loops write them down and send them on."""

    def __init__(self, book: journal.Journal, plane: link.Plane) -> None:
        self._book = book
        self._plane = plane
        self._waiting: deque[journal.Noted] = deque()
        self._missed = 0
        self._untold: set[str] = set()  # tasks whose last word the plane has not taken yet
        self._ends: dict[str, int] = {}  # by task: the place of what is said of its end here
        self._away_since, self._lost = 0.0, False
        self._known = 0
        self._write, self._send = asyncio.Event(), asyncio.Event()
        self.trouble = False  # the disk takes nothing

    @property
    def away(self) -> bool:
        """Whether the plane did not answer when it was asked last."""
        return bool(self._away_since)

    def note(self, fact: wire.Fact) -> bool:
        """Write it down soon; whether there is reason to believe that it will stay."""
        self._waiting.append(journal.noted(fact))
        if len(self._waiting) > WAITING:
            self._waiting.popleft()
            self._missed += 1
        self._write.set()
        return not self.trouble

    def began(self) -> None:
        """The agent starts."""
        self.note(wire.Started(version.VERSION, clean=self._book.clean))

    def task(self, task: agent.Task) -> None:
        """Work on a task begins."""
        self.note(wire.TaskBegun(task.id, task.app_id, work_of(task), task.generation, task.release))

    def ended(self, task: agent.Task, final: agent.Final) -> None:
        """What came of it. The plane hears of it here only when it has the last word itself, or will never have it."""
        self._untold.add(task.id)
        counts: dict[str, int] = {}
        for one in final.results:
            counts[one.result] = counts.get(one.result, 0) + 1
        named = tuple(one for one in final.results if one.result in {"Pruned", "SyncFailed", "HookFailed"})[: wire.MOST_OBJECTS]
        about = (task.id, task.app_id, work_of(task), task.generation, final.outcome, task.release, final.message)
        self.note(wire.TaskEnded(*about, counts=counts, objects=named))

    def told(self, task: str) -> None:
        """The plane took the last word on a task."""
        self._untold.discard(task)
        self._ends.pop(task, None)
        self._send.set()

    def silent(self, reason: str) -> None:
        """The plane did not answer."""
        self._away_since = self._away_since or time.time()
        if not self._lost and time.time() - self._away_since >= LOST_S:
            self._lost = True
            self.note(wire.PlaneLost(self._away_since, reason))

    def heard(self) -> None:
        """It did."""
        if self._lost:
            self.note(wire.PlaneFound(round(time.time() - self._away_since, 3)))
        self._away_since, self._lost = 0.0, False

    async def keep(self) -> None:
        """Write down what was noted, for ever."""
        wrote = 0.0
        while True:
            await self._write.wait()
            await asyncio.sleep(wrote + GATHER_S - time.monotonic())
            self._write.clear()
            try:
                await self._flush()
                wrote = time.monotonic()
            except OSError as e:
                if not self.trouble:
                    log.warning(
                        "journal.blocked", reason=f"{e.strerror}; make room in the agent's state folder, what was done is told later"
                    )
                self.trouble = True
                self._write.set()
                await asyncio.sleep(FULL_S)

    async def tell(self) -> None:
        """Send what is written down, for ever."""
        pause, asked = backoff.Backoff(first_s=RETRY_S[0], most_s=RETRY_S[1]), False
        while True:
            try:
                if not asked and self._book.id:
                    await self._ask()
                    asked = True
                await self._send_all()
                pause.reset()
            except (link.PlaneAway, link.Revoked, OSError) as e:
                await asyncio.sleep(pause.next_s(at_least_s=getattr(e, "retry_after_s", 0.0)))
                continue
            except link.LinkRefused as e:
                log.info("journal.kept", reason=str(e))
                await asyncio.sleep(UNKNOWN_S)
                continue
            self._send.clear()
            await self._send.wait()
            await asyncio.sleep(SEND_S)

    async def close(self) -> None:
        """Write down that the agent ends, and let the plane know if it is there."""
        self.note(wire.Stopped())
        try:
            async with asyncio.timeout(LAST_S):
                await self._flush()
                self._ends.clear()
                await self._send_all()
        except (link.PlaneAway, link.Revoked, link.LinkRefused, OSError, TimeoutError) as e:
            log.info("journal.kept", reason=str(e) or type(e).__name__)

    async def _flush(self) -> None:
        """OSError when there is no room; nothing is lost by that."""
        missed, facts, self._waiting = self._missed, list(self._waiting), deque()
        gap = [journal.noted(wire.Missed(missed, "the disk was full"))] if missed else []
        if not facts:
            return
        try:
            first = await asyncio.to_thread(self._book.add, gap + facts) + len(gap)
        except OSError:
            self._waiting.extendleft(reversed(facts))
            raise
        self._missed -= missed  # counted while the disk refused: told with the write that it takes
        for place, one in enumerate(facts, first):
            if isinstance(one.fact, wire.TaskEnded) and one.fact.task in self._untold:
                self._ends[one.fact.task] = place
        self.trouble = False
        self._send.set()

    async def _ask(self) -> None:
        """How far the plane knows this journal; a disk that was put back to an older state goes on in a new one."""
        known = await self._plane.journal(wire.Journal(id=self._book.id))
        if self._book.agrees(known):
            self._known = known.seq
        else:
            await self._begin_anew(known, f"the plane knows {known.seq} entries and this disk {self._book.end.last}, or others")

    async def _send_all(self) -> None:
        pause = backoff.Backoff(first_s=RETRY_S[0], most_s=RETRY_S[1])
        while frames := self._ready():
            known = await self._plane.journal(wire.Journal(id=self._book.id, frames=frames))
            if known.refused:
                await self._begin_anew(known, known.refused)
                await asyncio.sleep(pause.next_s())  # a plane that refuses the new one, too, is not asked without end
                continue
            self._known = max(known.seq, frames[-1].last)
            self._book.sent(self._known)

    def _ready(self) -> tuple[wire.Frame, ...]:
        """What may be sent now: up to the first end of a task that the plane is about to hear of otherwise."""
        bound = min(self._ends.values(), default=journal.ALL)
        return tuple(frame for frame in self._book.after(self._known) if frame.last < bound)

    async def _begin_anew(self, known: wire.Known, reason: str) -> None:
        log.error("journal.broken", journal=self._book.id, reason=reason)
        await asyncio.to_thread(self._book.begin, known, reason)
        self._known = 0
        self._ends.clear()


def work_of(task: agent.Task) -> str:
    """Apply, remove, or the order's name; empty when the task changes nothing."""
    if task.kind in {"apply", "remove"}:
        return "" if task.options.dry_run else task.kind
    return task.query if task.kind == "query" and task.query in ORDERS else ""


ORDERS = frozenset({"action", "delete", "patch"})
