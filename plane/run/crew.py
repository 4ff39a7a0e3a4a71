"""Leased work of many tenants side by side: who is at work in this process, and which leases that work needs."""

import concurrent.futures
import threading
import time
from collections.abc import Callable, Sequence

from plane.store.delivering import leases


class Crew:
    """At most `size` jobs at once, `share` of one tenant. `ended` is called after each, when its place is free again."""

    def __init__(self, name: str, *, size: int, share: int, ended: Callable[[], None]) -> None:
        self._threads = concurrent.futures.ThreadPoolExecutor(size, name)
        self._size, self._share, self._ended = size, share, ended
        self._lock = threading.Lock()
        self._jobs: dict[str, tuple[leases.Leased, ...]] = {}  # by taking and first row
        self._begun: dict[str, float] = {}  # when, by the same

    def room(self) -> int:
        """How many more jobs would begin at once; below 0 when some wait for a thread."""
        with self._lock:
            return self._size - len(self._jobs)

    def sated(self) -> frozenset[str]:
        """Tenants that have their share."""
        with self._lock:
            at_work = [rows[0].tenant for rows in self._jobs.values()]
        return frozenset(tenant for tenant in at_work if at_work.count(tenant) >= self._share)

    def others(self, tenant: str, *, within_s: float) -> bool:
        """Whether anybody else has work that began so lately."""
        since = time.monotonic() - within_s
        with self._lock:
            return any(rows[0].tenant != tenant and self._begun[job] > since for job, rows in self._jobs.items())

    def held(self) -> tuple[leases.Leased, ...]:
        """Every lease that work under way or waiting here stands on."""
        with self._lock:
            return tuple(row for rows in self._jobs.values() for row in rows)

    def start(self, leased: Sequence[leases.Leased], work: Callable[[], object]) -> None:
        """Do the work, which handles its own errors, in a thread; `leased` are rows of one tenant."""
        job = f"{leased[0].lease}/{leased[0].id}"
        with self._lock:
            self._jobs[job], self._begun[job] = tuple(leased), time.monotonic()
        self._threads.submit(self._work, job, work)

    def finish(self) -> None:
        """Return when all jobs have ended."""
        self._threads.shutdown()

    def _work(self, job: str, work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            with self._lock:
                del self._jobs[job], self._begun[job]
            self._ended()
