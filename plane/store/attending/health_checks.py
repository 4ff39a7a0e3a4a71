"""Which health checks a cluster's agent needs, and what they say."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from plane.domain.health import health_scripts
from plane.store import documents, wake
from plane.store.engine import Tx
from plane.store.layout import health_tables, tables

CHECKS, CLUSTERS, GRANTS = health_tables.health_checks, tables.clusters, tables.cluster_grants
TENANTS, PROJECTS = tables.tenants, tables.projects
SHELF = documents.plain(CHECKS)


class Mark(msgspec.Struct, frozen=True, order=True):
    """One check without its content."""

    tenant: str
    id: str
    digest: str


class Check(msgspec.Struct, frozen=True):
    """One check as an agent needs it. `tenant`: a name, empty for the platform's; `project`: a name, empty for the tenant's."""

    mark: Mark
    tenant: str
    project: str
    name: str
    spec: health_scripts.CheckSpec


def marks(tx: Tx, cluster_id: str, *, projects: bool) -> tuple[Mark, ...]:
    """Those that concern a cluster, sorted; `projects`: with those of projects. A dispatch transaction."""
    return tuple(sorted(Mark(*row) for row in tx.execute(_MARKS, {"cluster": cluster_id, "nil": tables.NIL, "projects": projects})))


def load(tx: Tx, tenant: str, ids: Sequence[str]) -> tuple[Check, ...]:
    """A tenant's, or the platform's, of these ids, by name."""
    name = sa.select(TENANTS.c.name).where(TENANTS.c.id == CHECKS.c.tenant_id).scalar_subquery().label("tenant")
    here = sa.and_(PROJECTS.c.tenant_id == CHECKS.c.tenant_id, PROJECTS.c.id == CHECKS.c.project_id)
    project = sa.select(PROJECTS.c.name).where(here).scalar_subquery().label("project")
    rows = tx.execute(
        sa.select(CHECKS, name, project).where(CHECKS.c.tenant_id == tenant, CHECKS.c.id.in_(ids)).order_by(CHECKS.c.name, CHECKS.c.id)
    )
    return tuple(
        Check(
            Mark(row.tenant_id, row.id, row.digest),
            row.tenant or "",
            row.project or "",
            row.name,
            msgspec.convert(row.spec, health_scripts.CheckSpec),
        )
        for row in rows
    )


def clusters(tx: Tx, names: Sequence[str]) -> frozenset[str]:
    """Those of the names that the asking tenant may use; of the platform, those that are there."""
    return frozenset(tx.execute(sa.select(CLUSTERS.c.name).where(CLUSTERS.c.name.in_(names))).scalars())


def wake_agents(tx: Tx, tenant: str) -> None:
    """Let the agents that the tenant's checks concern ask again; of the platform, all."""
    own = sa.select(GRANTS.c.cluster_id).where(GRANTS.c.tenant_id == tenant)
    found = tx.execute(sa.select(CLUSTERS.c.id) if tenant == tables.NIL else own).scalars().all()
    if found:
        wake.notify(tx, "plane_tasks", *found)


def forget(tx: Tx, tenant: str) -> None:
    """All of a tenant's; a platform transaction."""
    tx.execute(sa.delete(CHECKS).where(CHECKS.c.tenant_id == tenant))


_MARKS = sa.text("""
    SELECT h.tenant_id::text, h.id::text, h.digest FROM health_checks h
    WHERE (h.tenant_id = CAST(:nil AS uuid)
        OR EXISTS (SELECT 1 FROM cluster_grants g WHERE g.tenant_id = h.tenant_id AND g.cluster_id = CAST(:cluster AS uuid)))
    AND (h.project_id IS NULL OR :projects)
    AND (h.cluster = '' OR h.cluster = (SELECT c.name FROM clusters c WHERE c.id = CAST(:cluster AS uuid)))
""")
