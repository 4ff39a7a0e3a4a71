"""Who may use a cluster, and the tokens that join one."""

import datetime as dt
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import fleet
from plane.domain.permitting import sharing
from plane.store import wake
from plane.store.engine import Tx
from plane.store.layout import tables

APPS, AGENTS, CLUSTERS, GRANTS = tables.apps, tables.agents, tables.clusters, tables.cluster_grants
JOINS, TENANTS = tables.join_tokens, tables.tenants


def tenants(tx: Tx) -> dict[str, sharing.Tenant]:
    """All of them by id; a platform transaction."""
    rows = tx.execute(sa.select(TENANTS.c.id, TENANTS.c.name, TENANTS.c.labels).order_by(TENANTS.c.id))
    return {row.id: sharing.Tenant(row.name, row.labels) for row in rows}


def granting(tx: Tx) -> None:
    """Until the transaction ends, nobody else works out who is granted what."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("cluster_grants", 0))))


class Shared(msgspec.Struct, frozen=True):
    """A cluster that is granted by label."""

    id: str
    name: str
    grants: tuple[fleet.Grant, ...]


def by_label(tx: Tx) -> tuple[Shared, ...]:
    """The platform's clusters that are; a platform transaction."""
    chosen = sa.func.jsonb_path_exists(CLUSTERS.c.spec, sa.cast('$.grants[*] ? (@.selector != "")', pg.JSONPATH))
    rows = tx.execute(sa.select(CLUSTERS.c.id, CLUSTERS.c.name, CLUSTERS.c.spec).where(chosen).order_by(CLUSTERS.c.id))
    return tuple(Shared(row.id, row.name, msgspec.convert(row.spec, fleet.ClusterSpec).grants) for row in rows)


def grant(tx: Tx, cluster_id: str, grants: Mapping[str, fleet.Grant]) -> None:
    """Let exactly these tenants (by id) use the cluster."""
    tx.execute(sa.delete(GRANTS).where(GRANTS.c.cluster_id == cluster_id))
    if grants:
        tx.execute(sa.insert(GRANTS), [_row(tenant, cluster_id, given) for tenant, given in grants.items()])


def grant_one(tx: Tx, cluster_id: str, tenant: str, given: fleet.Grant | None, *, owner: str = tables.NIL) -> None:
    """The same for one tenant, whatever the others may; `owner`: whose cluster it is."""
    tx.execute(sa.delete(GRANTS).where(GRANTS.c.cluster_id == cluster_id, GRANTS.c.tenant_id == tenant))
    if given:
        tx.execute(sa.insert(GRANTS).values(**_row(tenant, cluster_id, given), owner_id=owner))


def owners(tx: Tx, name: str) -> frozenset[str]:
    """Tenants (ids) that have a cluster of their own by that name; a platform transaction."""
    return frozenset(
        tx.execute(sa.select(CLUSTERS.c.tenant_id).where(CLUSTERS.c.name == name, CLUSTERS.c.tenant_id != tables.NIL)).scalars()
    )


def granted_name(tx: Tx, tenant: str, name: str) -> bool:
    """Whether a cluster of the platform by that name is granted to the tenant."""
    joined = CLUSTERS.join(GRANTS, GRANTS.c.cluster_id == CLUSTERS.c.id)
    named = (GRANTS.c.tenant_id == tenant, CLUSTERS.c.name == name, CLUSTERS.c.tenant_id == tables.NIL)
    return tx.execute(sa.select(CLUSTERS.c.id).select_from(joined).where(*named)).first() is not None


def forget(tx: Tx, tenant: str) -> None:
    """All of a tenant's own, with their agents; a platform transaction."""
    for cluster in tx.execute(sa.delete(CLUSTERS).where(CLUSTERS.c.tenant_id == tenant).returning(CLUSTERS.c.id)).scalars():
        wake.notify(tx, "plane_agent", cluster)


def _row(tenant: str, cluster_id: str, given: fleet.Grant) -> dict[str, object]:
    return {
        "tenant_id": tenant,
        "cluster_id": cluster_id,
        "namespaces": list(given.namespaces),
        "cluster_kinds": list(given.cluster_kinds),
        "limits": msgspec.to_builtins(fleet.Limits(given.projects, given.capacity)),
    }


def granted(tx: Tx, tenant: str, cluster_id: str) -> fleet.Grant:
    """What a tenant may use of it now; nothing when nothing is granted."""
    asked = (GRANTS.c.namespaces, GRANTS.c.cluster_kinds)
    row = tx.execute(sa.select(*asked).where(GRANTS.c.tenant_id == tenant, GRANTS.c.cluster_id == cluster_id)).one_or_none()
    return fleet.Grant(tenant, tuple(row.namespaces), tuple(row.cluster_kinds)) if row else fleet.Grant(tenant)


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
    return tx.execute(sa.select(CLUSTERS.c.capabilities).where(CLUSTERS.c.id == cluster)).scalar_one_or_none()
