"""What people ask of an app, as columns; the worker takes it from there."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.domain import tenancy
from plane.domain.deciding import decide
from plane.domain.judging import policy
from plane.store import wake
from plane.store.delivering import further_sources, project_rules, repositories
from plane.store.engine import Tx
from plane.store.layout import tables

APPS, STATES, TASKS, CLUSTERS, GRANTS = tables.apps, tables.app_states, tables.tasks, tables.clusters, tables.cluster_grants
RELEASES = tables.releases


def cluster(tx: Tx, tenant: str, name: str) -> str | None:
    """The id of a cluster that the tenant may use; its own before one of the platform's."""
    joined = CLUSTERS.join(GRANTS, GRANTS.c.cluster_id == CLUSTERS.c.id)
    query = sa.select(CLUSTERS.c.id).select_from(joined).where(GRANTS.c.tenant_id == tenant, CLUSTERS.c.name == name)
    return tx.execute(query.order_by((CLUSTERS.c.tenant_id == tenant).desc()).limit(1)).scalar_one_or_none()


def project_spec(tx: Tx, tenant: str, project: str) -> tenancy.ProjectSpec:
    """The rules of an app's project, with those it inherits."""
    return project_rules.of(tx, tenant, [project])[project]


def cluster_labels(tx: Tx, cluster_id: str) -> dict[str, str]:
    """What people wrote on a cluster."""
    found: dict[str, str] = tx.execute(sa.select(CLUSTERS.c.spec["labels"]).where(CLUSTERS.c.id == cluster_id)).scalar_one() or {}
    return found


def ask(tx: Tx, tenant: str, app: str, values: Mapping[str, Any], now: dt.datetime) -> None:
    """Write a wish into the app's row and make it due."""
    tx.execute(sa.update(APPS).where(APPS.c.tenant_id == tenant, APPS.c.id == app).values(**values, due_at=now))
    wake.notify(tx, "plane_due")


def refresh(tx: Tx, tenant: str, app: str, *, hard: bool, found: tuple[str | None, str | None], now: dt.datetime) -> None:
    """Look at the app's repository and at the app now. `found`: cluster and repository as its spec names them today."""
    cluster_id, repository_id = found
    values = {"refresh": True, "hard": APPS.c.hard | hard, "cluster_id": cluster_id, "repository_id": repository_id}
    ask(tx, tenant, app, values, now)
    further = further_sources.repositories(tx, tenant, [app]).get(app, {})
    for found_id in {*further.values(), *filter(None, [repository_id])}:
        repositories.look_now(tx, tenant, found_id, now)


def wanted(tx: Tx, tenant: str, app: str) -> decide.Wanted | None:
    """The newest release of an app, if there is one."""
    row = tx.execute(_WANTED, {"tenant": tenant, "app": app}).one_or_none()
    return decide.Wanted(row.digest, row.commit, msgspec.convert(row.verdict, policy.Verdict), row.objects) if row else None


_WANTED = (
    sa.select(RELEASES.c.digest, RELEASES.c.commit, RELEASES.c.verdict, RELEASES.c.objects)
    .select_from(RELEASES.join(STATES, sa.and_(STATES.c.tenant_id == RELEASES.c.tenant_id, STATES.c.release_id == RELEASES.c.id)))
    .where(STATES.c.tenant_id == sa.bindparam("tenant"), STATES.c.app_id == sa.bindparam("app"))
)


def approve(tx: Tx, tenant: str, app: str, digest: str, now: dt.datetime) -> None:
    """Remember that a person allowed the deletions of a release."""
    ask(tx, tenant, app, {"approved": sa.func.array_append(sa.func.array_remove(APPS.c.approved, digest), digest)}, now)


def stop(tx: Tx, tenant: str, app: str, *, attempt: decide.Attempt | None, message: str, now: dt.datetime) -> tuple[str, ...]:
    """Close open changes and drop a request that waits; returns the closed tasks. Their agent hears of it when it asks next."""
    opened = (TASKS.c.tenant_id == tenant, TASKS.c.app_id == app, TASKS.c.state != "done", TASKS.c.kind.in_(["apply", "remove"]))
    values = {"state": "done", "outcome": "terminated", "message": message, "finished_at": now}
    closed = tx.execute(sa.update(TASKS).where(*opened).values(values).returning(TASKS.c.id, TASKS.c.cluster_id)).all()
    if closed and attempt and not attempt.outcome:
        ended = msgspec.structs.replace(
            attempt, outcome="terminated", message=message, finished=now.isoformat(timespec="seconds").replace("+00:00", "Z")
        )
        tx.execute(sa.update(STATES).where(STATES.c.tenant_id == tenant, STATES.c.app_id == app).values(attempt=msgspec.to_builtins(ended)))
    ask(tx, tenant, app, {"request": None}, now)
    for place in {row.cluster_id for row in closed}:
        wake.notify(tx, "plane_tasks", place)
    return tuple(row.id for row in closed)


def resume(tx: Tx, tenant: str, app: str) -> None:
    """Let a removal that was stopped begin again."""
    stopped = (STATES.c.attempt["digest"].astext == "remove", STATES.c.attempt["outcome"].astext == "terminated")
    ended = STATES.c.attempt.op("||")(sa.cast({"outcome": "failed", "finished": ""}, STATES.c.attempt.type))  # long ago: it may go on
    tx.execute(sa.update(STATES).where(STATES.c.tenant_id == tenant, STATES.c.app_id == app, *stopped).values(attempt=ended))


class Said(msgspec.Struct, frozen=True):
    """What became of a question; an empty outcome: nothing yet."""

    outcome: str
    message: str
    live: bytes

    @property
    def problem(self) -> str:
        """Why there is no answer, or empty."""
        return self.message if self.outcome not in {"", "succeeded"} else ""


def answer(tx: Tx, tenant: str, task: str) -> Said:
    """The agent's last word on a query."""
    row = tx.execute(sa.select(TASKS.c.outcome, TASKS.c.message, TASKS.c.live).where(TASKS.c.tenant_id == tenant, TASKS.c.id == task)).one()
    return Said(row.outcome, row.message, bytes(row.live or b""))


def forget(tx: Tx, tenant: str, task: str) -> None:
    """Drop an answer that was read; that the question was asked stays."""
    tx.execute(sa.update(TASKS).where(TASKS.c.tenant_id == tenant, TASKS.c.id == task, TASKS.c.state == "done").values(live=None))
