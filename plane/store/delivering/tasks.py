"""Tasks: queued by dispatch, leased by agents, closed by intake."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from plane.store import batches
from plane.store.engine import Tx
from plane.store.layout import columns, tables
from plane.wire import agent

TASKS = tables.tasks
LEASE_S = 90  # three claims (agent polls every 30 s): one lost poll is weather, three are an absence


class New(msgspec.Struct, frozen=True, kw_only=True):
    """A task to queue; `payload` is the msgpack of a wire.agent.Task."""

    id: str
    app_id: str
    project_id: str
    cluster_id: str
    kind: str
    generation: int
    payload: bytes
    actor: str
    trigger: str
    digest: str = ""
    commit: str = ""


def of(task: agent.Task, project_id: str, *, actor: str, trigger: str) -> New:
    """The row of a task."""
    return New(
        id=task.id,
        app_id=task.app_id,
        project_id=project_id,
        cluster_id=task.cluster_id,
        kind=task.kind,
        generation=task.generation,
        payload=agent.encode(task),
        actor=actor,
        trigger=trigger,
        digest=task.release,
        commit=task.revision,
    )


class Open(msgspec.Struct, frozen=True):
    """A claimed task's keys."""

    tenant: str
    id: str
    queued: dt.datetime


class Body(msgspec.Struct, frozen=True):
    """What the agent is to get."""

    id: str
    app_id: str
    digest: str
    payload: bytes


class Reported(msgspec.Struct, frozen=True):
    """A task that a report names: whose it is and whether it still counts."""

    tenant: str
    id: str
    app_id: str
    generation: int
    state: str
    leased_by: str


def add(tx: Tx, tenant: str, new: Sequence[New], now: dt.datetime) -> None:
    """Queue tasks; older open changes of the same apps are superseded by them."""
    if not new:
        return
    rows = [{"tenant_id": tenant, **msgspec.structs.asdict(task)} for task in new]
    tx.execute(_SUPERSEDE, {"tenant": tenant, "now": now, "rows": batches.packed([{name: row[name] for name in _LATEST} for row in rows])})
    batches.add(tx, TASKS, rows)


_LATEST = ("app_id", "generation")
_NEWER = batches.given(**{name: TASKS.c[name].type for name in _LATEST})
_SUPERSEDE = (
    sa.update(TASKS)
    .where(
        TASKS.c.tenant_id == sa.bindparam("tenant"),
        TASKS.c.app_id == _NEWER["app_id"],
        TASKS.c.generation < _NEWER["generation"],
        TASKS.c.state != "done",
        TASKS.c.kind != "query",
    )
    .values(state="done", outcome="superseded", finished_at=sa.bindparam("now"), message="a newer release took its place")
)


def open_syncs(tx: Tx, tenant: str) -> int:
    """How many changes of the tenant are queued or under way; until the transaction ends nobody else counts to begin one more."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"syncs {tenant}", 0))))
    where = (TASKS.c.tenant_id == tenant, TASKS.c.state != "done", TASKS.c.kind.in_(["apply", "remove"]))
    return int(tx.execute(sa.select(sa.func.count()).select_from(TASKS).where(*where)).scalar_one())


def halt(tx: Tx, tenant: str, ended: Sequence[tuple[str, int, str]], now: dt.datetime) -> None:
    """Close open syncs: (app, generation, why). Their agents hear of it when they ask next."""
    where = (TASKS.c.tenant_id == tenant, TASKS.c.app_id == sa.bindparam("app"), TASKS.c.generation == sa.bindparam("at"))
    closed = sa.update(TASKS).where(*where, TASKS.c.state != "done", TASKS.c.kind == "apply")
    values = closed.values(state="done", outcome="halted", finished_at=now, message=sa.bindparam("why"))
    tx.execute(values, [{"app": app, "at": generation, "why": why} for app, generation, why in ended])


def extend(tx: Tx, agent_id: str, running: Sequence[str], now: dt.datetime) -> frozenset[str]:
    """Renew the leases of an agent's running tasks; returns those that are still its own. A dispatch transaction."""
    until = now + dt.timedelta(seconds=LEASE_S)
    return frozenset(tx.execute(_EXTEND, {"agent": agent_id, "running": list(running), "until": until}).scalars())


_UNTIL = sa.bindparam("until", type_=TASKS.c.leased_until.type)
_EXTEND = (
    sa.update(TASKS)
    .where(columns.among(TASKS.c.id, "running"), TASKS.c.leased_by == sa.bindparam("agent"), TASKS.c.state == "leased")
    .values(leased_until=_UNTIL)
    .returning(TASKS.c.id)
)


def claim(tx: Tx, *, cluster_id: str, agent_id: str, running: Sequence[str], now: dt.datetime, limit: int) -> tuple[Open, ...]:
    """Lease open tasks of a cluster, oldest first: queued, with an ended lease, or this agent's own that it does not know any more.

    A dispatch transaction.
    """
    until = now + dt.timedelta(seconds=LEASE_S)
    asked = {"cluster": cluster_id, "agent": agent_id, "running": list(running), "now": now, "until": until, "most": limit}
    return tuple(Open(row.tenant_id, row.id, row.created_at) for row in tx.execute(_CLAIM, asked))


_NOW = sa.bindparam("now", type_=TASKS.c.started_at.type)
_AGENT = sa.bindparam("agent", type_=TASKS.c.leased_by.type)
_FREE = sa.or_(
    TASKS.c.state == "queued",
    TASKS.c.leased_until < _NOW,
    sa.and_(TASKS.c.leased_by == _AGENT, sa.not_(columns.among(TASKS.c.id, "running"))),
)
_PICKED = (
    sa.select(TASKS.c.tenant_id, TASKS.c.id)
    .where(TASKS.c.cluster_id == sa.bindparam("cluster"), TASKS.c.state != "done", _FREE)
    .order_by(TASKS.c.created_at, TASKS.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
    .cte("picked")
)
_CLAIM = (
    sa.update(TASKS)
    .where(TASKS.c.tenant_id == _PICKED.c.tenant_id, TASKS.c.id == _PICKED.c.id)
    .values(
        state="leased",
        leased_by=_AGENT,
        leased_until=_UNTIL,
        attempts=TASKS.c.attempts + 1,
        started_at=sa.func.coalesce(TASKS.c.started_at, _NOW),
    )
    .returning(TASKS.c.tenant_id, TASKS.c.id, TASKS.c.created_at)
)


def busy(tx: Tx, cluster_id: str, apps: Sequence[str]) -> frozenset[str]:
    """Which of these apps have a task on its way that is no question; a dispatch transaction."""
    open_ = (TASKS.c.cluster_id == cluster_id, TASKS.c.app_id.in_(apps), TASKS.c.state != "done", TASKS.c.kind != "query")
    return frozenset(tx.execute(sa.select(TASKS.c.app_id).where(*open_)).scalars())


def bodies(tx: Tx, tenant: str, ids: Sequence[str]) -> tuple[Body, ...]:
    """Payloads in order of creation."""
    rows = tx.execute(_BODIES, {"tenant": tenant, "ids": list(ids)})
    return tuple(Body(row.id, row.app_id, row.digest, bytes(row.payload)) for row in rows)


_BODIES = (
    sa.select(TASKS.c.id, TASKS.c.app_id, TASKS.c.digest, TASKS.c.payload)
    .where(TASKS.c.tenant_id == sa.bindparam("tenant"), columns.among(TASKS.c.id, "ids"))
    .order_by(TASKS.c.created_at, TASKS.c.id)
)


def reported(tx: Tx, cluster_id: str, ids: Sequence[str]) -> tuple[Reported, ...]:
    """Which of these tasks belong to the cluster; a dispatch transaction."""
    rows = tx.execute(_REPORTED, {"cluster": cluster_id, "ids": list(ids)})
    return tuple(Reported(row.tenant_id, row.id, row.app_id, row.generation, row.state, row.leased_by or "") for row in rows)


_REPORTED = sa.select(TASKS.c.tenant_id, TASKS.c.id, TASKS.c.app_id, TASKS.c.generation, TASKS.c.state, TASKS.c.leased_by).where(
    TASKS.c.cluster_id == sa.bindparam("cluster"), columns.among(TASKS.c.id, "ids")
)


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """A task's end, as columns."""

    id: str
    outcome: str
    message: str
    results: bytes
    live: bytes
    started_at: dt.datetime
    finished_at: dt.datetime


class Closed(msgspec.Struct, frozen=True):
    """What history and audit need of a task that was just closed."""

    id: str
    app_id: str
    project_id: str
    cluster_id: str
    kind: str
    generation: int
    digest: str
    commit: str
    actor: str
    trigger: str
    payload: bytes


def close(tx: Tx, tenant: str, ends: Sequence[Closing]) -> dict[str, Closed]:
    """Close open tasks; one that is closed already stays as it is and is not returned."""
    by_id = {end.id: end for end in ends}
    rows = tx.execute(_CLOSING, {"tenant": tenant, "ids": list(by_id)}).all()
    if rows:
        tx.execute(_CLOSE, {"tenant": tenant, "rows": batches.packed([msgspec.structs.asdict(by_id[row.id]) for row in rows])})
    return {row.id: Closed(*row) for row in rows}


_CLOSING = (
    sa.select(*(TASKS.c[name] for name in Closed.__struct_fields__))
    .where(TASKS.c.tenant_id == sa.bindparam("tenant"), columns.among(TASKS.c.id, "ids"), TASKS.c.state != "done")
    .with_for_update()
)
_ENDS = batches.given(**{name: TASKS.c[name].type for name in Closing.__struct_fields__})
_CLOSE = (
    sa.update(TASKS)
    .where(TASKS.c.tenant_id == sa.bindparam("tenant"), TASKS.c.id == _ENDS["id"])
    .values(state="done", **{name: _ENDS[name] for name in Closing.__struct_fields__ if name != "id"})
)


def progress(tx: Tx, tenant: str, steps: Sequence[tuple[str, str, str, bytes]]) -> None:
    """Show where running tasks are: (task, phase, what it waits for, new results as JSON lines)."""
    if steps:
        where = sa.and_(TASKS.c.tenant_id == tenant, TASKS.c.id == sa.bindparam("task"), TASKS.c.state != "done")
        grown = sa.func.coalesce(TASKS.c.results, b"").op("||")(sa.bindparam("more", type_=TASKS.c.results.type))
        moved = sa.update(TASKS).where(where).values(phase=sa.bindparam("at"), message=sa.bindparam("why"), results=grown)
        tx.execute(moved, [{"task": task, "at": phase, "why": why, "more": results} for task, phase, why, results in steps])


def apps_given(tx: Tx, tenant: str, cluster_id: str, digest: str) -> tuple[str, ...]:
    """Apps for which the cluster was given a task with this release."""
    query = sa.select(TASKS.c.app_id).where(TASKS.c.tenant_id == tenant, TASKS.c.cluster_id == cluster_id, TASKS.c.digest == digest)
    return tuple(tx.execute(query.distinct()).scalars())


def withdraw(tx: Tx, tenant: str, task: str, now: dt.datetime) -> None:
    """Close a question that nobody waits for any more."""
    where = (TASKS.c.tenant_id == tenant, TASKS.c.id == task, TASKS.c.state != "done")
    tx.execute(
        sa.update(TASKS)
        .where(*where)
        .values(state="done", outcome="terminated", message="nobody waits for the answer any more", finished_at=now)
    )
