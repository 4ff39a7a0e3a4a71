"""Where a project's apps are, and how many orphans were found there last."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import tables

APPS, PROJECTS = tables.apps, tables.projects


class Place(msgspec.Struct, frozen=True):
    """A cluster with the namespaces of the project's apps there, and one of these apps, by name."""

    cluster: str  # id
    app: str
    namespaces: tuple[str, ...]


def places(tx: Tx, tenant: str, project: str) -> tuple[Place, ...]:
    """By cluster. Apps that name no namespace are in those of their objects, which are not looked through."""
    namespace = APPS.c.spec["destination"]["namespace"].astext
    named = sa.func.array_agg(sa.distinct(namespace)).filter(namespace != "")
    query = sa.select(APPS.c.cluster_id, sa.func.min(APPS.c.name), named).where(
        APPS.c.tenant_id == tenant, APPS.c.project_id == project, APPS.c.cluster_id.is_not(None), APPS.c.deleted_at.is_(None)
    )
    rows = tx.execute(query.group_by(APPS.c.cluster_id).order_by(APPS.c.cluster_id))
    return tuple(Place(row[0], row[1], tuple(sorted(row[2]))) for row in rows if row[2])


def keep(tx: Tx, tenant: str, project: str, counts: dict[str, Any]) -> None:
    """What the project's apps warn of: `at`, and `found`: number by `cluster/namespace`."""
    where = (PROJECTS.c.tenant_id == tenant, PROJECTS.c.id == project)
    tx.execute(sa.update(PROJECTS).where(*where).values(orphans=sa.cast(counts, pg.JSONB)))
