"""Finding work across tenants: keys and times only, in the dispatch role. Whoever holds a lease does the work in the tenant's own scope."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from plane.store.engine import Tx

LEASE_S = 120  # longer than one render plus one policy query at their own limits; a killed worker's apps come back after it


class Leased(msgspec.Struct, frozen=True):
    """A row to work on."""

    tenant: str
    id: str
    project: str


def repositories(tx: Tx, now: dt.datetime, *, limit: int) -> tuple[Leased, ...]:
    """Repositories due for a look, oldest first."""
    return _lease(tx, _REPOSITORIES, now, limit=limit)


def apps(tx: Tx, now: dt.datetime, *, limit: int) -> tuple[Leased, ...]:
    """Due apps, each tenant's oldest before any tenant's second-oldest, failing ones after the well."""
    return _lease(tx, _APPS, now, limit=limit)


def _lease(tx: Tx, query: sa.TextClause, now: dt.datetime, *, limit: int) -> tuple[Leased, ...]:
    until = now + dt.timedelta(seconds=LEASE_S)
    rows = tx.execute(query, {"now": now, "until": until, "limit": limit})
    return tuple(Leased(str(row[0]), str(row[1]), str(row[2])) for row in rows)


def next_repository(tx: Tx) -> dt.datetime | None:
    """When the next repository falls due; a worker sleeps until then or until it is notified."""
    found: dt.datetime | None = tx.execute(_NEXT_REPOSITORY).scalar_one()
    return found


def next_app(tx: Tx) -> dt.datetime | None:
    """When the next app falls due."""
    found: dt.datetime | None = tx.execute(_NEXT_APP).scalar_one()
    return found


_REPOSITORIES = sa.text("""
    WITH picked AS (
        SELECT tenant_id, id FROM repositories
        WHERE poll_at <= :now AND (leased_until IS NULL OR leased_until < :now)
        ORDER BY poll_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE repositories r SET leased_until = :until FROM picked p
    WHERE r.tenant_id = p.tenant_id AND r.id = p.id RETURNING r.tenant_id, r.id, r.project_id
""")

# The rank is taken over at most 1,000 of a tenant's rows, so that a tenant with 10,000 due apps costs no more than one with 1,000.
_APPS = sa.text("""
    WITH ranked AS (
        SELECT d.tenant_id, d.id, row_number() OVER (PARTITION BY d.tenant_id ORDER BY d.lane, d.due_at) AS turn
        FROM tenants t CROSS JOIN LATERAL (
            SELECT tenant_id, id, lane, due_at FROM apps
            WHERE apps.tenant_id = t.id AND due_at <= :now AND (leased_until IS NULL OR leased_until < :now)
            ORDER BY lane, due_at LIMIT 1000
        ) d
    ), picked AS (
        SELECT a.tenant_id, a.id FROM apps a JOIN ranked r USING (tenant_id, id)
        WHERE a.due_at <= :now AND (a.leased_until IS NULL OR a.leased_until < :now)
        ORDER BY r.turn LIMIT :limit FOR UPDATE OF a SKIP LOCKED
    )
    UPDATE apps a SET leased_until = :until FROM picked p
    WHERE a.tenant_id = p.tenant_id AND a.id = p.id RETURNING a.tenant_id, a.id, a.project_id
""")

_NEXT_REPOSITORY = sa.text("SELECT min(greatest(poll_at, coalesce(leased_until, poll_at))) FROM repositories WHERE poll_at IS NOT NULL")
_NEXT_APP = sa.text("SELECT min(greatest(due_at, coalesce(leased_until, due_at))) FROM apps WHERE due_at IS NOT NULL")
