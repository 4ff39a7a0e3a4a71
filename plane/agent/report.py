"""What the plane hears: last words and progress at once, states as deltas, both in batches; all of it later when the plane is away."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping

import msgspec
import structlog

from plane.adapters import link
from plane.agent import backoff, diary
from plane.agent.kept import book, releases
from plane.agent.watching import state, watch
from plane.domain import objects
from plane.wire import agent, journal

EVENTS_EVERY_S = 0.2  # news after a quiet moment leave at once, then at most five bodies a second
STATE_EVERY_S = 0.5
CROWD = (
    8  # tasks or apps in one body from which on the next one gathers for CROWD_S: a body costs the plane about the same with one or fifty
)
CROWD_S = 1.0
APPS_PER_BODY = 200
HEALS_KEPT = 100  # per app while the plane is away
TASK_QUIET_S = 2.0  # a task shorter than this is told by its last word alone
FULL_AFTER_S = 60.0  # after an absence this long the plane may have been restored from a backup: tell everything
RETRY_S = (0.5, 30.0)

Told = dict[objects.ObjectKey, agent.ObjectState]

log = structlog.get_logger()


class Reporter:
    """Queues and senders. `acknowledged` is called with task ids whose last word the plane has taken (or did not want)."""

    def __init__(
        self, plane: link.Plane, kept: book.Book, watches: watch.Watches, noting: diary.Diary, acknowledged: Callable[[str], None]
    ) -> None:
        self._plane = plane
        self._diary = noting
        self._book = kept
        self._watches = watches
        self._acknowledged = acknowledged
        self._progress: list[agent.Progress] = []
        self._finals: dict[str, agent.Final] = {}
        self._dirty: dict[str, float] = {}
        self._healed: dict[str, deque[agent.Healed]] = {}
        self._capabilities: agent.Capabilities | None = None
        self._told: dict[str, tuple[agent.AppState, Told]] = {}
        self._wake_events = asyncio.Event()
        self._wake_state = asyncio.Event()

    def progress(self, one: agent.Progress) -> None:
        """A step of a task."""
        self._progress.append(one)
        self._wake_events.set()

    def final(self, one: agent.Final) -> None:
        """The last word on a task; kept until the plane has it."""
        self._finals[one.task] = one
        self._wake_events.set()

    def touch(self, app: str) -> None:
        """Something about an app may be different."""
        self._dirty.setdefault(app, time.monotonic())
        self._wake_state.set()

    def healed(self, app: str, one: agent.Healed) -> None:
        """A local repair."""
        held = self._book.get(app)
        noted = self._diary.note(journal.Healed(app, held.release if held else "", one, away=self._diary.away))
        self._healed.setdefault(app, deque(maxlen=HEALS_KEPT)).append(msgspec.structs.replace(one, noted=noted))
        self.touch(app)

    def drifted(self, held: book.Held, key: objects.ObjectKey, fields: tuple[str, ...] = (), manager: str = "") -> None:
        """An object is not as Git wants it any more."""
        self._diary.note(journal.Drifted(held.id, held.release, releases.wire_key(key), fields, manager, away=self._diary.away))

    def capabilities(self, one: agent.Capabilities) -> None:
        """What the cluster can do."""
        self._capabilities = one
        self._wake_state.set()

    def forget(self, app: str) -> None:
        """The app is gone; there is nothing more to tell."""
        self._told.pop(app, None)
        self._dirty.pop(app, None)
        self._healed.pop(app, None)

    def everything(self, app: str) -> None:
        """Tell all of an app again."""
        self._told.pop(app, None)
        self.touch(app)

    async def send_events(self) -> None:
        """For ever."""
        pause = backoff.Backoff(first_s=RETRY_S[0], most_s=RETRY_S[1])
        while True:
            await self._wake_events.wait()
            self._wake_events.clear()
            steps, finals = len(self._progress), tuple(self._finals.values())
            progress = tuple(one for one in self._progress if one.task not in self._finals)  # a last word says all that came before it
            try:
                await self._plane.events(agent.Events(progress=progress, finals=finals))
            except (link.PlaneAway, link.Revoked) as e:
                self._diary.silent(str(e))
                self._wake_events.set()
                await asyncio.sleep(pause.next_s(at_least_s=getattr(e, "retry_after_s", 0.0)))
                continue
            except link.LinkRefused as e:
                log.error("events.refused", reason=str(e), tasks=[one.task for one in finals])  # noqa: TRY400 - the sentence says it
            pause.reset()
            del self._progress[:steps]
            for one in finals:
                self._finals.pop(one.task, None)
                self._acknowledged(one.task)
            await asyncio.sleep(_gather_s(len(finals), EVENTS_EVERY_S))

    async def send_state(self) -> None:
        """For ever."""
        pause, away_since, gather_s = backoff.Backoff(first_s=RETRY_S[0], most_s=RETRY_S[1]), 0.0, STATE_EVERY_S
        while True:
            await self._wake_state.wait()
            await asyncio.sleep(gather_s)
            self._wake_state.clear()
            body, tells = self._body()
            if not body.apps and body.capabilities is None:
                continue
            try:
                await self._plane.state(body)
            except (link.PlaneAway, link.Revoked) as e:
                away_since = away_since or time.monotonic()
                self._diary.silent(str(e))
                for app in tells:
                    self.touch(app)
                self._wake_state.set()
                await asyncio.sleep(pause.next_s(at_least_s=getattr(e, "retry_after_s", 0.0)))
                continue
            except link.LinkRefused as e:
                log.error("state.refused", reason=str(e))  # noqa: TRY400 - the sentence says it
            pause.reset()
            gather_s = _gather_s(len(body.apps), STATE_EVERY_S)
            self._sent(body, tells)
            if away_since and time.monotonic() - away_since > FULL_AFTER_S:
                for held in self._book.all():
                    self.everything(held.id)
            away_since = 0.0

    def _body(self) -> tuple[agent.State, dict[str, tuple[agent.AppState, Told]]]:
        """What to tell now, and what will have been told once the plane has it."""
        apps, tells = [], {}
        now = time.monotonic()
        for app, since in list(self._dirty.items()):
            held = self._book.get(app)
            if held is None:
                self._dirty.pop(app)
                continue
            if held.task and now - since < TASK_QUIET_S:
                self._wake_state.set()
                continue
            line, told = self._line(held)
            self._dirty.pop(app)
            if line:
                apps.append(line)
                tells[app] = told
            if len(apps) == APPS_PER_BODY:
                self._wake_state.set()
                break
        return agent.State(apps=tuple(apps), capabilities=self._capabilities), tells

    def _line(self, held: book.Held) -> tuple[agent.AppState | None, tuple[agent.AppState, Told]]:
        found = state.objects_of(held, self._watches)
        line = state.summary(held, found, self._watches)
        before = self._told.get(held.id)
        news = state.changed(line, found, before[1] if before else None)
        healed = tuple(self._healed.get(held.id, ()))
        if before and before[0] == line and not (news.objects or news.gone or healed):
            return None, (line, found)
        return msgspec.structs.replace(news, healed=healed), (line, found)

    def _sent(self, body: agent.State, tells: Mapping[str, tuple[agent.AppState, Told]]) -> None:
        if body.capabilities is self._capabilities:
            self._capabilities = None
        self._told.update(tells)
        for one in body.apps:
            queue = self._healed.get(one.app_id)
            for _ in one.healed:
                if queue:
                    queue.popleft()


def _gather_s(told: int, quiet_s: float) -> float:
    """How long to gather for the next body, by what the last one told."""
    return CROWD_S if told >= CROWD else quiet_s
