"""Wake-ups from Postgres for those who wait in this process: one listening connection, however many wait."""

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator

import structlog

from plane.domain import errors
from plane.store import wake

CHANNELS: tuple[wake.Channel, ...] = ("plane_tasks", "plane_agent", "plane_app", "plane_pieces", "plane_audit")
TURN_S = 1.0  # how long stopping may take; notifications themselves come at once
log = structlog.get_logger()


class News:
    """One who waits."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Something happened."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Whether something happened since the last wait, or within the time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        woken = self._event.is_set()
        self._event.clear()
        return woken


async def first(seconds: float, *several: News) -> tuple[bool, ...]:
    """Wait until one of them has something to tell; which ones have."""
    waiting = [asyncio.ensure_future(news.wait(seconds)) for news in several]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
    return tuple(each.done() and not each.cancelled() and each.result() for each in waiting)


class Hub:
    """Hands notifications to those who expect them. Lives with the event loop that started it."""

    def __init__(self, url: str) -> None:
        self._listener = wake.Listener(url, CHANNELS)
        self._waiting: dict[tuple[str, str], set[News]] = defaultdict(set)
        self._stop = threading.Event()
        self.draining = False
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def expect(self, channel: wake.Channel, payload: str) -> Iterator[News]:
        """Take down interest first, look second, wait third: what happens in between is not missed."""
        news, key = News(), (channel, payload)
        self._waiting[key].add(news)
        try:
            yield news
        finally:
            self._waiting[key].discard(news)
            if not self._waiting[key]:
                del self._waiting[key]

    def start(self) -> None:
        """Begin to listen; called inside the running loop."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, args=(loop,), name="wake", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """The process is asked to end: whoever waits is told, and shall answer with what there is. Called inside the running loop."""
        self.draining = True
        for waiting in self._waiting.values():
            for news in waiting:
                news.tell()

    def stop(self) -> None:
        """End the thread and its connection."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.is_set():
            try:
                for channel, payload in self._listener.wait(TURN_S):
                    loop.call_soon_threadsafe(self._tell, channel, payload)
            except errors.BackendDown as e:
                log.warning("wake.lost", reason=str(e))
                self._stop.wait(TURN_S)
        self._listener.close()

    def _tell(self, channel: str, payload: str) -> None:
        """A listener that had to connect anew may have missed anything: then all are told."""
        everyone = channel not in CHANNELS
        for key, waiting in self._waiting.items():
            if everyone or key == (channel, payload):
                for news in waiting:
                    news.tell()
