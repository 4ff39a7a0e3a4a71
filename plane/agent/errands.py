"""Tasks that nobody waits for: kept from being collected, and never ending in silence."""

import asyncio
from collections.abc import Callable, Coroutine

import structlog

log = structlog.get_logger()


class Errands:
    """Started here, an errand that breaks is logged with its traceback and `broken` decides how it begins again."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None], *, name: str, broken: Callable[[], None]) -> None:
        """Run it. `broken` is called after it raised, not after it was cancelled."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(lambda done: self._ended(done, broken))

    async def close(self) -> None:
        """Cancel all of them and wait until they have ended."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, done: asyncio.Task[None], broken: Callable[[], None]) -> None:
        self._running.discard(done)
        error = None if done.cancelled() else done.exception()
        if error:
            log.error("errand.broken", errand=done.get_name(), exc_info=error)
            broken()
