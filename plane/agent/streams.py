"""Long answers, handed to the plane piece by piece. Whoever listens there sets the pace, and a stream ends when nobody does."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator

from plane.adapters import link
from plane.agent import backoff
from plane.domain import errors
from plane.wire import agent

MOST = 16  # of this agent at once
MOST_OF_TENANT = 6
BYTES_PER_S = 1024 * 1024  # of one stream: what a person can read is far less, and other tasks share the line
RETRY_S = (0.5, 5.0)
PATIENCE_S = 30.0  # how long the plane may be away in the middle of a stream


class Busy(errors.PlaneError):
    """Too many streams at once."""

    code = "streams-busy"


class Unheard(errors.PlaneError):
    """Nobody listens any more."""

    code = "stream-unheard"


class Streams:
    """All of this agent."""

    def __init__(self, plane: link.Plane) -> None:
        self._plane = plane
        self._open: Counter[str] = Counter()

    @contextlib.contextmanager
    def open(self, task: agent.Task) -> Iterator["Stream"]:
        """Room for one stream; Busy when there is none."""
        if self._open[task.tenant] >= MOST_OF_TENANT or self._open.total() >= MOST:
            message = f"this cluster's agent streams {self._open[task.tenant]} logs of the tenant already; end one and ask again"
            raise Busy(message)
        self._open[task.tenant] += 1
        try:
            yield Stream(self._plane, task.id)
        finally:
            self._open[task.tenant] -= 1


class Stream:
    """One answer on its way."""

    def __init__(self, plane: link.Plane, task: str) -> None:
        self._plane, self._task, self._number = plane, task, 0

    async def send(self, body: bytes) -> None:
        """Hand a piece over, and return when the next one may come.

        Raises:
            Unheard: nobody listens. PlaneAway, LinkRefused: the plane cannot take it.
        """
        began = time.monotonic()
        heard = await self._insist(agent.Piece(task=self._task, number=self._number, body=body), until=began + PATIENCE_S)
        if not heard.listening:
            raise Unheard("nobody listens any more")
        self._number += 1
        await asyncio.sleep(max(0.0, len(body) / BYTES_PER_S - (time.monotonic() - began)))

    async def _insist(self, piece: agent.Piece, *, until: float) -> agent.Heard:
        pause = backoff.Backoff(first_s=RETRY_S[0], most_s=RETRY_S[1])
        while True:
            try:
                return await self._plane.piece(piece)
            except link.PlaneAway as e:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(pause.next_s(at_least_s=e.retry_after_s))
