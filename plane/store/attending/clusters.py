"""Who may use a cluster, and the tokens that join one."""

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from plane.domain import fleet
from plane.store import wake
from plane.store.engine import Tx
from plane.store.layout import tables

APPS, AGENTS, GRANTS, JOINS, TENANTS = tables.apps, tables.agents, tables.cluster_grants, tables.join_tokens, tables.tenants


def tenants(tx: Tx, names: Sequence[str]) -> dict[str, str]:
    """Ids by name; a platform transaction."""
    return {row.name: row.id for row in tx.execute(sa.select(TENANTS.c.name, TENANTS.c.id).where(TENANTS.c.name.in_(names)))}


def grant(tx: Tx, cluster_id: str, grants: Mapping[str, fleet.Grant]) -> frozenset[str]:
    """Let exactly these tenants (by id) use the cluster; returns all whose grant may have changed."""
    gone = tx.execute(sa.delete(GRANTS).where(GRANTS.c.cluster_id == cluster_id).returning(GRANTS.c.tenant_id)).scalars().all()
    rows = [
        {
            "tenant_id": tenant,
            "cluster_id": cluster_id,
            "namespaces": list(given.namespaces),
            "cluster_kinds": list(given.cluster_kinds),
            "limits": msgspec.to_builtins(fleet.Limits(given.projects, given.capacity)),
        }
        for tenant, given in grants.items()
    ]
    if rows:
        tx.execute(sa.insert(GRANTS), rows)
    return frozenset((*gone, *grants))


def link(tx: Tx, tenant: str, cluster: tuple[str, str], *, granted: bool, now: dt.datetime) -> None:
    """Tie the tenant's apps that name the cluster (id, name) to it, or untie them; a transaction of the tenant."""
    identity, name = cluster
    named = APPS.c.spec["destination"]["cluster"].astext == name
    where = (APPS.c.tenant_id == tenant, sa.or_(APPS.c.cluster_id == identity, named))
    tx.execute(sa.update(APPS).where(*where).values(cluster_id=identity if granted else None, due_at=now))
    wake.notify(tx, "plane_due")


def apps_on(tx: Tx, cluster_id: str) -> int:
    """How many apps of all tenants are tied to the cluster; a dispatch transaction."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(APPS).where(APPS.c.cluster_id == cluster_id)).scalar_one())


def add_join_token(tx: Tx, *, hashed: bytes, cluster_id: str, created_by: str, expires_at: dt.datetime) -> None:
    """A platform transaction."""
    tx.execute(sa.insert(JOINS).values(hash=hashed, cluster_id=cluster_id, created_by=created_by, expires_at=expires_at))


def revoke(tx: Tx, cluster_id: str, now: dt.datetime) -> bool:
    """Shut the cluster's agent out; False when none was active. Unused join tokens end with it."""
    tx.execute(sa.update(JOINS).where(JOINS.c.cluster_id == cluster_id, JOINS.c.used_at.is_(None)).values(used_at=now))
    active = sa.update(AGENTS).where(AGENTS.c.cluster_id == cluster_id, AGENTS.c.revoked_at.is_(None)).values(revoked_at=now)
    changed = tx.execute(active.returning(AGENTS.c.id)).all()
    wake.notify(tx, "plane_agent", cluster_id)
    return bool(changed)


def capabilities(tx: Tx, cluster: str) -> bytes | None:
    """What its agent told of it, msgpack; None before it has."""
    return tx.execute(sa.select(tables.clusters.c.capabilities).where(tables.clusters.c.id == cluster)).scalar_one_or_none()
