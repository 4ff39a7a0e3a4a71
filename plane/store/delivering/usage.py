"""What a tenant has of what its quotas bound."""

import datetime as dt
import math
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from plane.domain import tenancy
from plane.domain.permitting import quotas
from plane.store.delivering import renders, tasks
from plane.store.engine import Tx
from plane.store.layout import audit_tables, tables

APPS, STATES, RELEASES, EVENTS = tables.apps, tables.app_states, tables.releases, audit_tables.events


def above(tx: Tx, tenant: str) -> tenancy.TenantSpec:
    """What the platform says of the tenant."""
    found = tx.execute(sa.select(tables.tenants.c.spec).where(tables.tenants.c.id == tenant)).scalar_one()
    return msgspec.convert(found, tenancy.TenantSpec)


def projects(tx: Tx, tenant: str) -> int:
    """How many there are; who counts first makes the next one first."""
    return _count_first(tx, tables.projects, tenant)


def apps(tx: Tx, tenant: str) -> int:
    """The same of apps, those that are being deleted too."""
    return _count_first(tx, APPS, tenant)


def clusters(tx: Tx, tenant: str) -> int:
    """The same of clusters of its own."""
    return _count_first(tx, tables.clusters, tenant)


def on_cluster(tx: Tx, tenant: str, cluster: str, *, without: str) -> tuple[int, frozenset[str]]:
    """The tenant's other apps on a cluster, and the namespaces they go to."""
    namespace = APPS.c.spec["destination"]["namespace"].astext
    where = (APPS.c.tenant_id == tenant, APPS.c.cluster_id == cluster, APPS.c.id != without)
    rows = tx.execute(sa.select(namespace.label("namespace")).where(*where)).all()
    return len(rows), frozenset(row.namespace for row in rows if row.namespace)


def objects(tx: Tx, tenant: str) -> int:
    """Of the newest releases of all apps."""
    joined = STATES.join(RELEASES, sa.and_(RELEASES.c.tenant_id == STATES.c.tenant_id, RELEASES.c.id == STATES.c.release_id))
    query = sa.select(sa.func.coalesce(sa.func.sum(RELEASES.c.objects), 0)).select_from(joined).where(STATES.c.tenant_id == tenant)
    return int(tx.execute(query).scalar_one())


def objects_on(tx: Tx, tenant: str, clusters: Iterable[str]) -> dict[str, int]:
    """The same by cluster (ids)."""
    release = sa.and_(RELEASES.c.tenant_id == STATES.c.tenant_id, RELEASES.c.id == STATES.c.release_id)
    joined = APPS.join(STATES, sa.and_(STATES.c.tenant_id == APPS.c.tenant_id, STATES.c.app_id == APPS.c.id)).join(RELEASES, release)
    query = sa.select(APPS.c.cluster_id, sa.func.sum(RELEASES.c.objects).label("objects")).select_from(joined)
    where = (APPS.c.tenant_id == tenant, APPS.c.cluster_id.in_(list(clusters)))
    return {row.cluster_id: int(row.objects) for row in tx.execute(query.where(*where).group_by(APPS.c.cluster_id))}


def largest_mirror(tx: Tx, tenant: str) -> int:
    """Bytes of it."""
    query = sa.select(sa.func.coalesce(sa.func.max(tables.repositories.c.mirror_bytes), 0))
    return int(tx.execute(query.where(tables.repositories.c.tenant_id == tenant)).scalar_one())


def next_export(tx: Tx, tenant: str, *, since: dt.datetime) -> int:
    """How many there were before it; who counts first exports first."""
    _first(tx, EVENTS, tenant)
    return audit_exports(tx, tenant, since=since)


def audit_exports(tx: Tx, tenant: str, *, since: dt.datetime) -> int:
    """How many were begun."""
    where = (EVENTS.c.tenant_id == tenant, EVENTS.c.at > since, EVENTS.c.type == "audit.exported")
    return int(tx.execute(sa.select(sa.func.count()).select_from(EVENTS).where(*where)).scalar_one())


def everything(tx: Tx, tenant: str, *, now: dt.datetime) -> dict[str, int]:
    """Of each quota, by its field."""
    rendered = renders.used(tx, tenant, quotas.hour_of(now))
    return {
        **{table.name: _count(tx, table, tenant) for table in (tables.projects, APPS, tables.clusters)},
        "objects": objects(tx, tenant),
        "concurrent_syncs": tasks.open_syncs(tx, tenant),
        "repository_mib": -(-largest_mirror(tx, tenant) // quotas.MIB),
        "audit_exports": audit_exports(tx, tenant, since=now - quotas.EXPORTS_WITHIN),
        "render_seconds_per_hour": math.ceil(rendered.cpu_s),
        "render_memory_mib": -(-rendered.peak_bytes // quotas.MIB),
    }


def _first(tx: Tx, table: sa.Table, tenant: str) -> None:
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"{table.name} {tenant}", 0))))


def _count_first(tx: Tx, table: sa.Table, tenant: str) -> int:
    _first(tx, table, tenant)
    return _count(tx, table, tenant)


def _count(tx: Tx, table: sa.Table, tenant: str) -> int:
    return int(tx.execute(sa.select(sa.func.count()).select_from(table).where(table.c.tenant_id == tenant)).scalar_one())
