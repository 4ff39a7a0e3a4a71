"""What agents tell, merged into states and history."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.domain.timing import moments
from plane.store import batches
from plane.store.attending import health_history
from plane.store.delivering import tasks
from plane.store.engine import Row, Tx
from plane.store.layout import columns, tables
from plane.wire import agent

APPS, STATES, HISTORY = tables.apps, tables.app_states, tables.history
PROJECTS, TENANTS, CLUSTERS = tables.projects, tables.tenants, tables.clusters
_OBJECTS = msgspec.msgpack.Decoder(tuple[agent.ObjectState, ...])


class Names(msgspec.Struct, frozen=True):
    """An app's names as events say them."""

    tenant: str
    project: str
    app: str
    cluster: str
    project_id: str


def owners(tx: Tx, cluster_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Tenant by app id, of apps that live on the cluster; a dispatch transaction."""
    return {row.id: row.tenant_id for row in tx.execute(_OWNERS, {"cluster": cluster_id, "ids": list(ids)})}


_OWNERS = sa.select(APPS.c.id, APPS.c.tenant_id).where(APPS.c.cluster_id == sa.bindparam("cluster"), columns.among(APPS.c.id, "ids"))


def names(tx: Tx, tenant: str, ids: Sequence[str]) -> dict[str, Names]:
    """Names by app id."""
    rows = tx.execute(_NAMES, {"tenant": tenant, "ids": list(ids)})
    return {row.id: Names(row.tenant, row.project, row.name, row.cluster or "", row.project_id) for row in rows}


_NAMES = (
    sa.select(
        APPS.c.id,
        APPS.c.name,
        APPS.c.project_id,
        PROJECTS.c.name.label("project"),
        TENANTS.c.name.label("tenant"),
        CLUSTERS.c.name.label("cluster"),
    )
    .select_from(
        APPS.join(PROJECTS, sa.and_(PROJECTS.c.tenant_id == APPS.c.tenant_id, PROJECTS.c.id == APPS.c.project_id))
        .join(TENANTS, TENANTS.c.id == APPS.c.tenant_id)
        .outerjoin(CLUSTERS, CLUSTERS.c.id == APPS.c.cluster_id)
    )
    .where(APPS.c.tenant_id == sa.bindparam("tenant"), columns.among(APPS.c.id, "ids"))
)


def add_history(tx: Tx, tenant: str, done: Sequence[tasks.Closed], finals: Mapping[str, agent.Final], now: dt.datetime) -> None:
    """One line per successful sync, numbered from 1 within the app; a sync of what is there already adds none.

    What is beyond the app's revisionHistoryLimit goes.
    """
    if not done:
        return
    last = {row.app_id: row.top for row in tx.execute(_TOP, {"tenant": tenant, "ids": [task.app_id for task in done]})}
    batches.add(tx, HISTORY, [_line(tenant, task, finals[task.id], last.get(task.app_id, 0) + 1) for task in done])
    prove(tx, tenant, [task.app_id for task in done], now)
    if last:
        tx.execute(_TRIM, {"tenant": tenant, "apps": list(last)})


_TOP = (
    sa.select(HISTORY.c.app_id, sa.func.max(HISTORY.c.number).label("top"))
    .where(HISTORY.c.tenant_id == sa.bindparam("tenant"), columns.among(HISTORY.c.app_id, "ids"))
    .group_by(HISTORY.c.app_id)
)
# spec.revisionHistoryLimit, which is left out when it is 10; the current line always stays, so that numbers never start over
_TRIM = sa.text("""
    DELETE FROM history h USING apps a
    WHERE h.tenant_id = :tenant AND h.app_id = ANY(CAST(:apps AS uuid[])) AND a.tenant_id = h.tenant_id AND a.id = h.app_id
    AND h.number <= (SELECT max(n.number) FROM history n WHERE n.tenant_id = h.tenant_id AND n.app_id = h.app_id)
        - greatest(1, coalesce((a.spec ->> 'revisionHistoryLimit')::int, 10))
""")


def prove(tx: Tx, tenant: str, apps: Sequence[str], now: dt.datetime) -> None:
    """Remember of the newest line of each app that its release was seen Synced and Healthy, if it is: a rollback goes back to such."""
    if apps:
        tx.execute(_PROVE, {"tenant": tenant, "apps": sorted(apps), "now": now})


_PROVE = sa.text("""
    UPDATE history h SET healthy_at = :now FROM app_states s
    WHERE h.tenant_id = :tenant AND h.app_id = ANY(CAST(:apps AS uuid[])) AND h.healthy_at IS NULL
    AND s.tenant_id = h.tenant_id AND s.app_id = h.app_id AND s.reported = h.digest AND s.sync = 'Synced' AND s.health = 'Healthy'
    AND h.number = (SELECT max(n.number) FROM history n WHERE n.tenant_id = h.tenant_id AND n.app_id = h.app_id)
""")


def _line(tenant: str, task: tasks.Closed, final: agent.Final, number: int) -> dict[str, Any]:
    started, finished = moments.of_clock(final.started), moments.of_clock(final.finished)
    slim = {"digest": task.digest, "commit": task.commit, "actor": task.actor, "trigger": task.trigger}
    return {
        "tenant_id": tenant,
        "app_id": task.app_id,
        "number": number,
        "task_id": task.id,
        "started_at": started,
        "finished_at": finished,
        **slim,
    }


class Merged(msgspec.Struct, frozen=True):
    """What news changed: `crossed` went from synced to drifted, or back; `turned` became Degraded, or got better."""

    crossed: tuple[agent.AppState, ...] = ()
    turned: tuple[agent.AppState, ...] = ()


def merge(tx: Tx, tenant: str, told: Sequence[agent.AppState], now: dt.datetime) -> Merged:
    """Write the news. Those older than the last are dropped."""
    before = {row.app_id: row for row in tx.execute(_BEFORE, {"tenant": tenant, "ids": [one.app_id for one in told]})}
    fresh = [one for one in told if one.app_id in before and one.generation >= before[one.app_id].generation]
    if fresh:
        news = [_news(one, before[one.app_id]) for one in fresh]
        tx.execute(_MERGE, {"tenant": tenant, "now": now, "rows": batches.packed(news)})
        _keep_health(tx, tenant, [(one, before[one.app_id]) for one in fresh], now)
    prove(tx, tenant, [one.app_id for one in fresh if _well(one) and not _known(one, before[one.app_id])], now)
    return Merged(
        crossed=tuple(
            one
            for one in fresh
            if {one.sync, before[one.app_id].sync} == {"OutOfSync", "Synced"} and before[one.app_id].generation == one.generation
        ),
        turned=tuple(one for one in fresh if (one.health == "Degraded") != (before[one.app_id].health == "Degraded")),
    )


def _keep_health(tx: Tx, tenant: str, fresh: Sequence[tuple[agent.AppState, Row]], now: dt.datetime) -> None:
    """How it changed, and what is said more fully than before."""
    turned, refined = [], []
    for one, before in fresh:
        own, known = health_history.Turn(None, "", before.health, before.message), _objects(before.objects)
        turned += [(one.app_id, turn) for turn in health_history.turns(own, known, one)]
        refined += [(one.app_id, turn) for turn in health_history.refinements(own, known, one)]
    health_history.add(tx, tenant, turned, now)
    health_history.refine(tx, tenant, refined)


def _well(one: agent.AppState) -> bool:
    return (one.sync, one.health) == ("Synced", "Healthy")


def _known(one: agent.AppState, before: Row) -> bool:
    """Whether the app was as well before, with the same release."""
    return (before.sync, before.health, before.reported, before.generation) == (one.sync, one.health, one.release, one.generation)


def rolled_back_by_themselves(tx: Tx, tenant: str, apps: Sequence[str]) -> tuple[str, ...]:
    """Those of the apps that say when they are rolled back."""
    says = APPS.c.spec["syncPolicy"]["rollback"].astext.is_not(None)
    return tuple(tx.execute(sa.select(APPS.c.id).where(APPS.c.tenant_id == tenant, APPS.c.id.in_(apps), says)).scalars())


_BEFORE = sa.select(*(STATES.c[name] for name in ("app_id", "generation", "sync", "health", "message", "reported", "objects"))).where(
    STATES.c.tenant_id == sa.bindparam("tenant"), columns.among(STATES.c.app_id, "ids")
)
_NOW = sa.bindparam("now", type_=STATES.c.reported_at.type)
_SAID = ("sync", "health", "message", "generation", "reported", "objects")
_TOLD = batches.given(app_id=STATES.c.app_id.type, **{name: STATES.c[name].type for name in _SAID})
_MERGE = (
    sa.update(STATES)
    .where(STATES.c.tenant_id == sa.bindparam("tenant"), STATES.c.app_id == _TOLD["app_id"])
    .values(
        **{name: _TOLD[name] for name in _SAID},
        healthy_at=sa.case((_TOLD["health"] == "Healthy", sa.func.coalesce(STATES.c.healthy_at, _NOW)), else_=sa.null()),
        degraded_at=sa.case((_TOLD["health"] == "Degraded", sa.func.coalesce(STATES.c.degraded_at, _NOW)), else_=sa.null()),
        reported_at=_NOW,
    )
)


def _news(one: agent.AppState, before: Row) -> dict[str, Any]:
    return {
        "app_id": one.app_id,
        "sync": one.sync,
        "health": one.health,
        "message": one.message,
        "generation": one.generation,
        "reported": one.release,
        "objects": msgspec.msgpack.encode(_merged(one, before.objects)),
    }


def _merged(one: agent.AppState, packed: bytes | None) -> list[agent.ObjectState]:
    """Objects by key: the new ones over the old, without those gone."""
    known = {} if one.full else _objects(packed)
    known |= {state.key: state for state in one.objects}
    return [known[key] for key in sorted(known.keys() - set(one.gone))]


def _objects(packed: bytes | None) -> dict[agent.Key, agent.ObjectState]:
    return {state.key: state for state in _OBJECTS.decode(packed)} if packed else {}
