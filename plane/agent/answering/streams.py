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

STREAMS = 16  # of this agent at once; STREAMS_OF_TENANT: of these
STREAMS_OF_TENANT = 6
MOST = 120  # connections that all streams of this agent hold; kube.CONNECTIONS leaves the rest to watches and writers
MOST_OF_TENANT = 60
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
        self._open: Counter[str] = Counter()  # streams by tenant
        self._held: Counter[str] = Counter()  # connections to the cluster by tenant

    @contextlib.contextmanager
    def open(self, task: agent.Task, *, connections: int) -> Iterator["Stream"]:
        """Room for one stream that holds so many connections; Busy when there is none."""
        tenant = task.tenant
        few = self._held[tenant] + connections <= MOST_OF_TENANT and self._held.total() + connections <= MOST
        if not few or self._open[tenant] >= STREAMS_OF_TENANT or self._open.total() >= STREAMS:
            message = f"this cluster's agent reads {self._held[tenant]} logs of the tenant already and has no room for {connections} more"
            raise Busy(f"{message}; end a stream, or choose fewer Pods and containers")
        self._open[tenant] += 1
        self._held[tenant] += connections
        try:
            yield Stream(self._plane, task.id)
        finally:
            self._open[tenant] -= 1
            self._held[tenant] -= connections


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
