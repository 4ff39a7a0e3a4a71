"""How many writes may be under way at the API server: up when it answers well, down when it says that it is busy."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

MOST = 16
SLOW_S = 2.0  # a server-side apply takes about 7 ms; one that takes this long stands in a queue
GROW_AFTER = 32  # good answers in a row for one more
SHRINK_EVERY_S = 1.0  # one burst of refusals halves once


class Pace:
    """A semaphore whose size follows the answers (additive increase, multiplicative decrease)."""

    def __init__(self) -> None:
        self._limit = MOST
        self._used = 0
        self._good = 0
        self._shrunk = 0.0
        self._waiting: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    @property
    def limit(self) -> int:
        """The present bound."""
        return self._limit

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold one of the places."""
        await self._enter()
        started = time.monotonic()
        try:
            yield
        finally:
            self._judge(time.monotonic() - started)
            self._used -= 1
            self._wake()

    def refused(self) -> None:
        """The API server asked for less."""
        now = time.monotonic()
        self._good = 0
        if now - self._shrunk > SHRINK_EVERY_S:
            self._shrunk, self._limit = now, max(1, self._limit // 2)

    async def _enter(self) -> None:
        if self._used >= self._limit or not self._waiting.empty():
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.put_nowait(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._used -= 1
                    self._wake()
                raise
            return
        self._used += 1

    def _wake(self) -> None:
        while self._used < self._limit and not self._waiting.empty():
            place = self._waiting.get_nowait()
            if not place.done():
                self._used += 1
                place.set_result(None)

    def _judge(self, took_s: float) -> None:
        if took_s > SLOW_S:
            self.refused()
            return
        self._good += 1
        if self._good >= GROW_AFTER and self._limit < MOST:
            self._good, self._limit = 0, self._limit + 1
