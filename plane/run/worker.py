"""`plane worker`: looks at due repositories, delivers due apps, seals and sends the audit log, sweeps. Any number share one database."""

import concurrent.futures
import datetime as dt
import functools
import itertools
import signal
import threading
from collections.abc import Callable, Sequence

import click
import structlog

from plane import config
from plane.domain import errors
from plane.run import crew, heap, pace, wiring
from plane.server import context
from plane.server.attending import orphan_watch
from plane.server.auditing import gaps, retention, seal_log, send, visits
from plane.server.delivering import deliver, poll, sweep
from plane.store import engine, wake
from plane.store.delivering import leases

log = structlog.get_logger()

LOOK_S = 30.0  # the longest sleep: a lost notification costs this much, never more
NEWS_S = 0.02  # what is said to be due in this time after other news is looked for in one go
TURN_S = 2.0  # how long stopping may wait for the thread that listens
SEAL_S = 5.0  # the age an event may reach before it has its place in the log
SEND_S = 2.0  # between two looks for what sinks lack
GAPS_S = 300.0  # between two looks for what was begun and never ended
SWEEP_S = 3600.0  # between two rounds of housekeeping
PAUSE_S = 2.0  # after an error nobody expected, so that it cannot spin
TENANTS = 16  # batches side by side; most of a slow one's time is spent waiting, so they are bounded by connections rather than by cores
FREE = 2  # processors that are left alone, one core as clouds count them
FRESH_S = 1.0  # what takes longer waits for a network or is large itself, and nobody gives way to it any more
LOOKS = 16  # repositories looked at side by side; each is a child of git that waits for a network
LOOKS_EACH = LOOKS // 4  # of one tenant


class Worker:
    """The loops of one process. `stop` lets each finish what it is at. `threads`: renders side by side, a part of them for one tenant."""

    def __init__(self, plane: context.Plane, settings: config.Settings, *, threads: int) -> None:
        self._plane, self._settings = plane, settings
        self._each = max(1, threads // wiring.TENANTS_RENDERING)
        self._most = max(self._each, threads - self._each)  # whatever a tenant's weight, another finds room
        self._stopping, self._ended, self._due, self._look = (threading.Event() for _ in range(4))
        self._tenants = crew.Crew("tenant", size=TENANTS, share=1, ended=functools.partial(self._ended_one, self._due))
        self._looks = crew.Crew("look", size=LOOKS, share=LOOKS_EACH, ended=functools.partial(self._ended_one, self._look))
        self._pace = pace.Pace(max(0, self._each - FREE), self._others)
        self._listener = wake.Listener(settings.database_url, ("plane_due",))

    def run(self) -> None:
        """Work until stopped."""
        steps = (self._listen, self._poll, self._deliver, self._seal, self._send, self._reconcile, self._sweep)
        loops = [threading.Thread(target=self._loop, args=(one, self._stopping), name=one.__name__, daemon=True) for one in steps]
        beat = threading.Thread(target=self._loop, args=(self._renew, self._ended), name="renew", daemon=True)
        for one in (*loops, beat):
            one.start()
        log.info("worker.started", batch=self._settings.batch)
        visits.life(self._plane, "plane.started", "worker")
        self._stopping.wait()
        for one in loops:
            one.join()
        self._listener.close()
        self._tenants.finish()
        self._looks.finish()
        self._ended.set()  # what is being finished needs its leases to the end
        beat.join()
        visits.life(self._plane, "plane.stopped", "worker")
        log.info("worker.stopped")

    def stop(self) -> None:
        """Finish what is at hand and return from `run`."""
        self._stopping.set()
        self._wake()

    def _loop(self, step: Callable[[], None], end: threading.Event) -> None:
        while not end.is_set():
            if not self._done(step.__name__, step):
                end.wait(PAUSE_S)

    def _done(self, name: str, step: Callable[[], object]) -> bool:
        """Whether it came to its end; what it had leased comes back when the lease ends."""
        try:
            step()
        except errors.BackendDown as e:
            log.warning("worker.delayed", step=name, backend=e.backend, reason=str(e))
            return False
        except Exception:  # the loops outlive any one batch
            log.exception("worker.failed", step=name)
            return False
        return True

    def _listen(self) -> None:
        if self._listener.wait(TURN_S):
            self._wake()
            self._stopping.wait(NEWS_S)

    def _wake(self) -> None:
        self._due.set()
        self._look.set()

    def _renew(self) -> None:
        for table, at_work in ((leases.APPS, self._tenants), (leases.REPOSITORIES, self._looks)):
            held = at_work.held()
            if held:
                with engine.dispatch(self._plane.engine) as tx:
                    leases.renew(tx, table, held)
        self._ended.wait(leases.BEAT_S)

    def _wait(self, said: threading.Event, until: Callable[[engine.Tx, leases.Ask], dt.timedelta | None], ask: leases.Ask) -> None:
        """Until something is said to be due, or by the clock."""
        with engine.dispatch(self._plane.engine) as tx:
            left = until(tx, ask)
        self._pause(said, LOOK_S if left is None else min(LOOK_S, max(0.0, left.total_seconds())))

    def _pause(self, said: threading.Event, seconds: float) -> None:
        """`stop` says it after it is set, so that a step which has just cleared `said` does not sleep over it."""
        if not self._stopping.is_set():
            said.wait(seconds)

    def _poll(self) -> None:
        """Every look is a job of its own, so that one that hangs costs one place."""
        self._look.clear()
        ask = self._ask(self._looks, most=self._looks.room(), each=LOOKS_EACH)
        if ask.limit <= 0:
            self._pause(self._look, LOOK_S)
            return
        with engine.dispatch(self._plane.engine) as tx:
            found = leases.repositories(tx, ask)
        for one in found:
            self._looks.start([one], functools.partial(self._done, "poll", functools.partial(poll.poll, self._plane, one)))
        if not found:
            self._wait(self._look, leases.until_repository, ask)

    def _deliver(self) -> None:
        """One batch of a tenant at a time, tenants side by side: nobody waits for another's slow render, policy or Vault."""
        self._due.clear()
        if self._tenants.room() <= 0:
            self._pause(self._due, LOOK_S)
            return
        ask = self._ask(self._tenants, most=self._settings.batch, each=self._settings.batch)
        with engine.dispatch(self._plane.engine) as tx:
            found = leases.apps(tx, ask)
        for _, batch in itertools.groupby(sorted(found, key=lambda one: one.tenant), key=lambda one: one.tenant):
            mine = tuple(batch)
            self._tenants.start(mine, functools.partial(self._done, "deliver", functools.partial(self._batch, mine)))
        if not found:
            self._wait(self._due, leases.until_app, ask)

    def _batch(self, leased: Sequence[leases.Leased]) -> None:
        tenant, weight = leased[0].tenant, leased[0].weight
        account = self._plane.shares.of(tenant, weight=weight)
        account.others = functools.partial(self._others, tenant)
        with concurrent.futures.ThreadPoolExecutor(min(self._each * weight, self._most), "app") as threads:
            paced = functools.partial(self._pace.paced, tenant, account)
            deliver.deliver(self._plane, leased, side_by_side=lambda work, apps: threads.map(paced(work), apps))

    def _others(self, tenant: str) -> bool:
        return self._tenants.others(tenant, within_s=FRESH_S) or self._looks.others(tenant, within_s=FRESH_S)

    def _ended_one(self, said: threading.Event) -> None:
        said.set()
        self._pace.look()

    def _ask(self, at_work: crew.Crew, *, most: int, each: int) -> leases.Ask:
        return leases.Ask(self._plane.clock.id(), self._plane.clock.now(), limit=most, each=each, without=at_work.sated())

    def _seal(self) -> None:
        while seal_log.seal_all(self._plane):
            pass
        self._stopping.wait(SEAL_S)

    def _send(self) -> None:
        send.judge(self._plane)
        while not self._stopping.is_set() and send.send(self._plane, stopping=self._stopping.is_set):
            pass
        self._stopping.wait(SEND_S)

    def _reconcile(self) -> None:
        gaps.look(self._plane)
        orphan_watch.look(self._plane)
        retention.expire(self._plane)
        self._stopping.wait(GAPS_S)

    def _sweep(self) -> None:
        retention.make_months(self._plane)
        sweep.sweep(self._plane)
        self._stopping.wait(SWEEP_S)


@click.command("worker")
def command() -> None:
    """Resolve, render, judge and dispatch releases. Run as many as you like, with the same keys and database."""
    settings = config.load()
    with wiring.plane(settings) as plane:
        worker = Worker(plane, settings, threads=wiring.threads(settings))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        heap.settle()
        worker.run()
