"""Where a project's apps are, and how many orphans were found there last."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import orphans
from plane.store.engine import Tx
from plane.store.layout import tables

APPS, PROJECTS, TENANTS = tables.apps, tables.projects, tables.tenants
_WATCHED = PROJECTS.c.spec["orphanedResources"]


class Due(msgspec.Struct, frozen=True):
    """A project whose namespaces are to be looked through; names for the agent."""

    id: str
    name: str
    tenant: str


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


def watch(tx: Tx, tenant: str, project: str) -> orphans.Watch | None:
    """Whether the project warns of orphans, and of which not."""
    where = (PROJECTS.c.tenant_id == tenant, PROJECTS.c.id == project)
    found = tx.execute(sa.select(_WATCHED).where(*where)).scalar_one_or_none()
    return msgspec.convert(found, orphans.Watch) if found else None


def due(tx: Tx, tenant: str, *, before: str, now: str, limit: int) -> tuple[Due, ...]:
    """Projects that warn and were not looked at since `before`; from now on they were. Another worker's are passed over."""
    asked = sa.func.coalesce(PROJECTS.c.orphans["asked"].astext, "")
    wants = (_WATCHED.is_not(None), sa.func.coalesce(_WATCHED["warn"].astext, "true") == "true")
    query = sa.select(PROJECTS.c.id, PROJECTS.c.name).where(PROJECTS.c.tenant_id == tenant, *wants, asked < before)
    found = tx.execute(query.order_by(PROJECTS.c.id).limit(limit).with_for_update(skip_locked=True)).all()
    if not found:
        return ()
    name = tx.execute(sa.select(TENANTS.c.name).where(TENANTS.c.id == tenant)).scalar_one()
    _merge(tx, tenant, [row.id for row in found], {"asked": now})
    return tuple(Due(row.id, row.name, name) for row in found)


def keep(tx: Tx, tenant: str, project: str, cluster: str, counts: Mapping[str, int], *, at: str) -> None:
    """What a look at one cluster found: number by namespace."""
    before = _kept(tx, tenant, project)
    others = {place: count for place, count in before.items() if place.partition("/")[0] != cluster}
    _merge(tx, tenant, [project], {"at": at, "found": others | {f"{cluster}/{place}": count for place, count in counts.items()}})


def forget(tx: Tx, tenant: str, project: str, *, but: Sequence[str]) -> None:
    """What was found on clusters where the project has no app any more; `but`: those where it has, by id."""
    names = set(tx.execute(sa.select(tables.clusters.c.name).where(tables.clusters.c.id.in_(but))).scalars())
    before = _kept(tx, tenant, project)
    left = {place: count for place, count in before.items() if place.partition("/")[0] in names}
    if left != before:
        _merge(tx, tenant, [project], {"found": left})


def _kept(tx: Tx, tenant: str, project: str) -> dict[str, int]:
    where = (PROJECTS.c.tenant_id == tenant, PROJECTS.c.id == project)
    found = tx.execute(sa.select(PROJECTS.c.orphans).where(*where).with_for_update()).scalar_one_or_none() or {}
    return dict(found.get("found") or {})


def _merge(tx: Tx, tenant: str, projects: Sequence[str], values: dict[str, Any]) -> None:
    where = (PROJECTS.c.tenant_id == tenant, PROJECTS.c.id.in_(projects))
    merged = sa.func.coalesce(PROJECTS.c.orphans, sa.cast({}, pg.JSONB)).op("||")(sa.cast(values, pg.JSONB))
    tx.execute(sa.update(PROJECTS).where(*where).values(orphans=merged))
