"""Finding work across tenants: keys and times only, in the dispatch role. Whoever holds a lease does the work in the tenant's own scope.

A lease is short and renewed while its work goes on, so that what a dead worker held comes back soon. It runs on the database's clock, the
only one all workers share. Every taking has an id of its own: work is written only while the row still carries it (`hold`), so a worker
that was away for longer than its lease writes nothing over its successor.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from plane.store import batches
from plane.store.engine import Tx
from plane.store.layout import tables

LEASE_S = 8.0  # four beats: three that a busy machine or database swallows are weather
BEAT_S = 2.0
APPS, REPOSITORIES = tables.apps, tables.repositories


class Leased(msgspec.Struct, frozen=True):
    """A row to work on. `due`: what it was due for; `lease`: the id of this taking; `weight`: of its tenant."""

    tenant: str
    id: str
    project: str
    due: dt.datetime
    lease: str
    weight: int = 1


class Ask(msgspec.Struct, frozen=True):
    """What a worker has room for. `without`: tenants that have their share already; `each`: the most of one tenant."""

    lease: str  # a fresh id
    now: dt.datetime
    limit: int
    each: int
    without: Collection[str] = ()


def repositories(tx: Tx, ask: Ask) -> tuple[Leased, ...]:
    """Repositories due for a look, each tenant's oldest before any tenant's second-oldest; of a tenant of weight 2 the two oldest."""
    return _lease(tx, _REPOSITORIES, ask)


def apps(tx: Tx, ask: Ask) -> tuple[Leased, ...]:
    """Due apps, in the same order, a tenant's failing ones after its well."""
    return _lease(tx, _APPS, ask)


def _lease(tx: Tx, query: sa.TextClause, ask: Ask) -> tuple[Leased, ...]:
    asked = {"lease": ask.lease, "now": ask.now, "limit": ask.limit, "each": ask.each, "without": list(ask.without), "seconds": LEASE_S}
    return tuple(Leased(str(row[0]), str(row[1]), str(row[2]), row[3], ask.lease, row[4]) for row in tx.execute(query, asked))


def until_repository(tx: Tx, ask: Ask) -> dt.timedelta | None:
    """How long until a repository can be leased; a worker sleeps so long or until it is notified."""
    return _until(tx, _NEXT_REPOSITORY, ask)


def until_app(tx: Tx, ask: Ask) -> dt.timedelta | None:
    """How long until an app can be leased."""
    return _until(tx, _NEXT_APP, ask)


def _until(tx: Tx, query: sa.TextClause, ask: Ask) -> dt.timedelta | None:
    found: dt.timedelta | None = tx.execute(query, {"now": ask.now, "without": list(ask.without)}).scalar_one()
    return found


def renew(tx: Tx, table: sa.Table, held: Sequence[Leased]) -> None:
    """Lengthen leases whose work goes on. Rows that a transaction has locked are left to the next beat: they are being written."""
    keys = {
        "tenants": [one.tenant for one in held],
        "ids": [one.id for one in held],
        "leases": [one.lease for one in held],
        "seconds": LEASE_S,
    }
    tx.execute(_RENEW[table.name], keys)


def hold(tx: Tx, table: sa.Table, leased: Sequence[Leased]) -> frozenset[str]:
    """Lock rows of one taking until the transaction ends, in one order; returns the ids still leased to it. A transaction of the tenant."""
    tenant, lease = leased[0].tenant, leased[0].lease
    mine = (table.c.tenant_id == tenant, table.c.id.in_([one.id for one in leased]), table.c.lease == lease)
    return frozenset(tx.execute(sa.select(table.c.id).where(*mine).order_by(table.c.id).with_for_update()).scalars())


def give_back(tx: Tx, leased: Sequence[Leased], *, again: Mapping[str, dt.datetime]) -> None:
    """Give apps back: due no more unless something moved `due_at` since they were leased, or `again` says when to look once more."""
    back = [{"tenant": one.tenant, "app": one.id, "taking": one.lease, "was": one.due, "later": again.get(one.id)} for one in leased]
    if back:
        tx.execute(_GIVE_BACK, {"rows": batches.packed(back)})


_BACK = batches.given(
    tenant=APPS.c.tenant_id.type, app=APPS.c.id.type, taking=APPS.c.lease.type, was=APPS.c.due_at.type, later=APPS.c.due_at.type
)
_SAME = APPS.c.due_at == _BACK["was"]
_GIVE_BACK = (
    sa.update(APPS)
    .where(APPS.c.tenant_id == _BACK["tenant"], APPS.c.id == _BACK["app"], APPS.c.lease == _BACK["taking"])
    .values(
        leased_until=None,
        lease=None,
        due_at=sa.case((_SAME, _BACK["later"]), else_=APPS.c.due_at),
        **{flag: sa.case((_SAME, sa.false()), else_=APPS.c[flag]) for flag in ("refresh", "hard")},
    )
)


# The rank is taken over at most `each` of a tenant's rows, so that a tenant with 10,000 due apps costs no more than one with 100.
_TAKE = """
    WITH ranked AS (
        SELECT d.tenant_id, d.id, t.weight,
            ceil(row_number() OVER (PARTITION BY d.tenant_id ORDER BY {order})::numeric / t.weight) AS turn
        FROM tenants t CROSS JOIN LATERAL (
            SELECT tenant_id, id, {order} FROM {table} WHERE tenant_id = t.id AND {free} ORDER BY {order} LIMIT :each
        ) d
        WHERE t.id <> ALL(CAST(:without AS uuid[]))
    ), picked AS (
        SELECT x.tenant_id, x.id, r.weight FROM {table} x JOIN ranked r USING (tenant_id, id)
        WHERE {free} ORDER BY r.turn, x.{due}, x.id LIMIT :limit FOR UPDATE OF x SKIP LOCKED
    )
    UPDATE {table} x SET leased_until = now() + make_interval(secs => :seconds), lease = :lease FROM picked p
    WHERE x.tenant_id = p.tenant_id AND x.id = p.id RETURNING x.tenant_id, x.id, x.project_id, x.{due}, p.weight
"""
_FREE = "{due} <= :now AND (leased_until IS NULL OR leased_until < now())"
_NEXT = """
    SELECT min(greatest({due} - CAST(:now AS timestamptz), coalesce(leased_until - now(), '0')))
    FROM {table} WHERE {due} IS NOT NULL AND tenant_id <> ALL(CAST(:without AS uuid[]))
"""
_RENEWAL = """
    WITH mine AS (
        SELECT x.tenant_id, x.id FROM {table} x
        JOIN unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:leases AS uuid[])) AS m(tenant_id, id, lease)
        ON x.tenant_id = m.tenant_id AND x.id = m.id AND x.lease = m.lease FOR UPDATE OF x SKIP LOCKED
    )
    UPDATE {table} x SET leased_until = now() + make_interval(secs => :seconds) FROM mine m
    WHERE x.tenant_id = m.tenant_id AND x.id = m.id
"""
_REPOSITORIES = sa.text(_TAKE.format(table="repositories", due="poll_at", order="poll_at", free=_FREE.format(due="poll_at")))
_APPS = sa.text(_TAKE.format(table="apps", due="due_at", order="lane, due_at", free=_FREE.format(due="due_at")))
_NEXT_REPOSITORY = sa.text(_NEXT.format(table="repositories", due="poll_at"))
_NEXT_APP = sa.text(_NEXT.format(table="apps", due="due_at"))
_RENEW = {name: sa.text(_RENEWAL.format(table=name)) for name in ("apps", "repositories")}
