"""What writing the log costs the hot paths: the same work with events and without, in turns on one database.

python benchmarks/audit_writes.py [--rounds 40] [--json]
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from benchmarks import audit_log
from plane.server import authorise, claim
from plane.server import documents as generic
from plane.server.attending import intake
from plane.server.keeping import clusters
from plane.store.auditing import audit
from plane.store.layout import tables
from plane.wire import agent, documents, reading

APPS = 200  # of one report, as an agent gathers them at a first sync
WARM = 4  # rounds that are not counted
WRITES = 20  # documents of one round
ACTOR = msgspec.structs.replace(audit_log.ADMIN.actor, name="ada", kind="user", ip="192.0.2.7", user_agent="plane/0.1.0")
CALLER = msgspec.structs.replace(audit_log.ADMIN, actor=ACTOR)


class Fleet(msgspec.Struct, frozen=True):
    """One cluster with an agent and the apps it has tasks of."""

    who: claim.AgentIdentity
    tasks: tuple[tuple[str, str], ...]  # task and app


def fleet(log: audit_log.Log) -> Fleet:
    """Rows as they stand when an agent is at work."""
    ids = {name: str(uuid.uuid4()) for name in ("cluster", "agent", "project")}
    pairs = tuple((str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(APPS))
    spec = {"source": {"repoURL": "https://git.example/a/b", "path": "x"}, "destination": {"cluster": "east", "namespace": "shop"}}
    of = {"tenant_id": audit_log.TENANT, "project_id": ids["project"]}
    with log.owner.begin() as tx:
        tx.execute(sa.insert(tables.projects).values(tenant_id=audit_log.TENANT, id=ids["project"], name="shop", fingerprint_key=b""))
        tx.execute(sa.insert(tables.clusters).values(id=ids["cluster"], name="east"))
        keys = {"signing_key": b"s", "sealing_key": b"k", "sealing_key_id": "k"}
        tx.execute(sa.insert(tables.agents).values(id=ids["agent"], cluster_id=ids["cluster"], **keys))
        apps = [{**of, "id": app, "name": f"app-{n}", "spec": spec, "cluster_id": ids["cluster"]} for n, (_, app) in enumerate(pairs)]
        tx.execute(sa.insert(tables.apps), apps)
        tx.execute(sa.insert(tables.app_states), [{**of, "app_id": app, "sync": "Synced", "health": "Healthy"} for _, app in pairs])
        tx.execute(sa.insert(tables.tasks), [_task(ids, task, app, number) for number, (task, app) in enumerate(pairs)])
    return Fleet(claim.AgentIdentity(ids["agent"], ids["cluster"], "k"), pairs)


def _task(ids: dict[str, str], task: str, app: str, number: int) -> dict[str, Any]:
    order = agent.Task(
        id=task, tenant="acme", project="shop", app=f"app-{number}", app_id=app, cluster_id=ids["cluster"], kind="apply", generation=1,
        release="sha256:00", revision="c1", expires=0,
    )  # fmt: skip
    told = {"kind": "apply", "generation": 1, "digest": "sha256:00", "commit": "c1", "actor": "plane", "trigger": "git", "state": "leased"}
    of = {"tenant_id": audit_log.TENANT, "project_id": ids["project"], "cluster_id": ids["cluster"], "leased_by": ids["agent"]}
    return {**of, **told, "id": task, "app_id": app, "payload": agent.encode(order)}


def report(log: audit_log.Log, work: Fleet) -> Callable[[], None]:
    """All tasks end in one report; `again` makes them open beforehand."""
    results = tuple(
        agent.ObjectResult(key=agent.Key("apps", "Deployment", "shop", f"web-{n}"), result="Synced", message="", phase="Sync", wave=0)
        for n in range(4)
    )
    finals = tuple(
        agent.Final(task=task, app_id=app, generation=1, outcome="succeeded", started=1.0, finished=2.0, results=results)
        for task, app in work.tasks
    )
    return lambda: _accepted(intake.events(log.plane, work.who, agent.Events(finals=finals)))


def _accepted(said: agent.Accepted) -> None:
    if said.stale:
        message = f"{len(said.stale)} reports were dropped"
        raise SystemExit(message)


def again(log: audit_log.Log) -> None:
    """Tasks are under way, and no app has a history."""
    with log.owner.begin() as tx:
        tx.execute(sa.text("DELETE FROM history"))
        tx.execute(sa.text("UPDATE tasks SET state = 'leased', outcome = '', results = NULL, finished_at = NULL"))


def write(log: audit_log.Log) -> Callable[[], None]:
    """A document is changed so many times."""
    names = authorise.Names("", "", "written")
    body = {"apiVersion": "gitops-plane.io/v1", "kind": "Cluster", "metadata": {"name": "written"}, "spec": {}}
    generic.create(log.plane, CALLER, clusters.KIND, authorise.Names(), reading.convert(body, documents.Cluster))
    numbers = iter(range(10**9))

    def work() -> None:
        for _ in range(WRITES):
            wish = body | {"metadata": {"name": "written", "labels": {"round": str(next(numbers))}}}
            generic.replace(log.plane, CALLER, clusters.KIND, names, reading.convert(wish, documents.Cluster))

    return work


def compared(work: Callable[[], None], before: Callable[[], None], rounds: int) -> dict[str, float]:
    """Milliseconds of one round with events and without, in turns; the ratio is the median of pairs."""
    real, taken = audit.append, {True: list[float](), False: list[float]()}
    for number in range(2 * rounds + WARM):
        audited = number % 2 == 0
        audit.append = real if audited else _nothing  # for this measurement alone
        before()
        began = time.perf_counter()
        work()
        if number >= WARM:
            taken[audited].append((time.perf_counter() - began) * 1000)
    audit.append = real
    ratios = [one / other for one, other in zip(taken[True], taken[False], strict=True)]
    found = {"audited_ms": statistics.median(taken[True]), "bare_ms": statistics.median(taken[False]), "ratio": statistics.median(ratios)}
    return {name: round(value, 2) for name, value in found.items()}


def _nothing(*_: object, **__: object) -> None:
    """In place of writing events."""


def run(folder: pathlib.Path, rounds: int) -> dict[str, dict[str, float]]:
    """Both paths on one fresh database."""
    with audit_log.made(folder, 0) as log:
        work = fleet(log)
        return {
            f"intake of {APPS} reports": compared(report(log, work), lambda: again(log), rounds),
            f"{WRITES} document writes": compared(write(log), lambda: None, rounds),
        }


def main() -> None:
    """Print a line for each, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(pathlib.Path(folder), asked.rounds)
    if asked.json:
        print(json.dumps(found))
        return
    for name, each in found.items():
        print(f"{name:24} {each['audited_ms']:8.2f} ms, without the log {each['bare_ms']:8.2f} ms, ratio {each['ratio']:.2f}")


if __name__ == "__main__":
    main()
