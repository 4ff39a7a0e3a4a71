"""`plane worker`: looks at due repositories, delivers due apps, seals the audit log. Any number of workers share one database."""

import concurrent.futures
import datetime as dt
import itertools
import signal
import threading
from collections.abc import Callable

import click
import structlog

from plane import config
from plane.domain import errors
from plane.run import wiring
from plane.server import context, deliver, poll, seal_log
from plane.store import engine, leases, wake

log = structlog.get_logger()

LOOK_S = 30.0  # the longest sleep: a lost notification costs this much, never more
SEAL_S = 5.0  # the age an event may reach before it has its place in the log
PAUSE_S = 2.0  # after an error nobody expected, so that it cannot spin


class Worker:
    """The loops of one process. `stop` lets each finish the batch it is at."""

    def __init__(self, plane: context.Plane, settings: config.Settings, *, threads: int) -> None:
        self._plane, self._settings = plane, settings
        self._stopping, self._due, self._look = threading.Event(), threading.Event(), threading.Event()
        self._polls = concurrent.futures.ThreadPoolExecutor(threads, "poll")
        self._renders = concurrent.futures.ThreadPoolExecutor(threads, "render")
        self._listener = wake.Listener(settings.database_url, ("plane_due",))

    def run(self) -> None:
        """Work until stopped."""
        loops = [
            threading.Thread(target=self._loop, args=(one,), name=one.__name__, daemon=True)
            for one in (self._listen, self._poll, self._deliver, self._seal)
        ]
        for one in loops:
            one.start()
        log.info("worker.started", batch=self._settings.batch)
        self._stopping.wait()
        for one in loops[1:]:  # the listener holds nothing and may be inside a long wait
            one.join()
        self._renders.shutdown()
        self._polls.shutdown()
        log.info("worker.stopped")

    def stop(self) -> None:
        """Finish what is at hand and return from `run`."""
        self._stopping.set()
        self._wake()

    def _loop(self, step: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                step()
            except errors.BackendDown as e:
                log.warning("worker.delayed", step=step.__name__, backend=e.backend, reason=str(e))
                self._stopping.wait(PAUSE_S)
            except Exception:  # the loop outlives any one batch; its rows come back when their lease ends
                log.exception("worker.failed", step=step.__name__)
                self._stopping.wait(PAUSE_S)

    def _listen(self) -> None:
        if self._listener.wait(LOOK_S):
            self._wake()

    def _wake(self) -> None:
        self._due.set()
        self._look.set()

    def _wait(self, said: threading.Event, due: Callable[[engine.Tx], dt.datetime | None]) -> None:
        """Until something is said to be due, or by the clock."""
        with engine.dispatch(self._plane.engine) as tx:
            next_at = due(tx)
        pause_s = LOOK_S if next_at is None else min(LOOK_S, max(0.0, (next_at - self._plane.clock.now()).total_seconds()))
        said.wait(pause_s)

    def _poll(self) -> None:
        self._look.clear()
        with engine.dispatch(self._plane.engine) as tx:
            found = leases.repositories(tx, self._plane.clock.now(), limit=self._settings.batch)
        if found:
            list(self._polls.map(lambda one: poll.poll(self._plane, one), found))
        else:
            self._wait(self._look, leases.next_repository)

    def _deliver(self) -> None:
        self._due.clear()
        leased_at = self._plane.clock.now()
        with engine.dispatch(self._plane.engine) as tx:
            found = leases.apps(tx, leased_at, limit=self._settings.batch)
        for _, batch in itertools.groupby(sorted(found, key=lambda one: one.tenant), key=lambda one: one.tenant):
            deliver.deliver(self._plane, list(batch), side_by_side=self._renders.map, leased_at=leased_at)
        if not found:
            self._wait(self._due, leases.next_app)

    def _seal(self) -> None:
        while seal_log.seal_all(self._plane):
            pass
        self._stopping.wait(SEAL_S)


@click.command("worker")
def command() -> None:
    """Resolve, render, judge and dispatch. Run as many as you like; each needs the same keys and database."""
    settings = config.load()
    with wiring.plane(settings) as plane:
        worker = Worker(plane, settings, threads=wiring.threads(settings))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        worker.run()
