"""In step with the plane: by its clock, which need not be this machine's, and by the keys that it knows."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from email import utils

import structlog

from plane.wire import signing

LONGEST_S = 60.0  # that a request waits for the end of an exchange of keys

log = structlog.get_logger()


class Step:
    """What a link, and whoever judges by the plane's time, go by. `ahead_s`: the plane's clock of this machine's."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self._settled = asyncio.Event()
        self._settled.set()

    def now(self) -> float:
        """Unix seconds as the plane counts them, as far as this machine's clock was found to be wrong."""
        return time.time() + self.ahead_s

    def follow(self, date: str) -> None:
        """Go by the time of an answer (RFC 9110, Date) from now on, where the clocks are apart."""
        try:
            ahead_s = utils.parsedate_to_datetime(date).timestamp() - time.time()
        except ValueError:
            return
        if abs(ahead_s - self.ahead_s) >= signing.SKEW_S / 2:
            self.ahead_s = ahead_s
            log.warning("clock.followed", ahead_s=round(ahead_s))

    @contextlib.contextmanager
    def exchanging(self) -> Iterator[None]:
        """While the plane may know other keys than requests are signed with."""
        self._settled.clear()
        try:
            yield
        finally:
            self._settled.set()

    async def settled(self) -> None:
        """Until no exchange is under way, or for a minute."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_S):
                await self._settled.wait()
