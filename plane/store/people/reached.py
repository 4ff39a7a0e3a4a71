"""Which apps a permission reaches, in SQL: the same answer as `access.allows`, for whole lists."""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import access
from plane.store.engine import Tx
from plane.store.layout import tables

Conditions = tuple[sa.ColumnElement[bool], ...]
_APPS, _CLUSTERS = tables.apps, tables.clusters
_OWN = sa.func.coalesce(_CLUSTERS.c.spec["labels"], sa.literal_column("'{}'::jsonb", pg.JSONB))
LABELS: sa.ColumnElement[Any] = sa.type_coerce(_CLUSTERS.c.labels.op("||")(_OWN), pg.JSONB)  # the document's own, over its metadata's


class Placed(msgspec.Struct, frozen=True):
    """An app and the labels of its cluster; None where it has none."""

    id: str
    labels: Mapping[str, str] | None


def placed(tx: Tx, tenant: str, project: str, name: str) -> Placed | None:
    """An app by its name."""
    joined = _APPS.outerjoin(_CLUSTERS, _CLUSTERS.c.id == _APPS.c.cluster_id)
    query = sa.select(_APPS.c.id, sa.case((_CLUSTERS.c.id.is_not(None), LABELS)).label("labels")).select_from(joined)
    row = tx.execute(query.where(_APPS.c.tenant_id == tenant, _APPS.c.project_id == project, _APPS.c.name == name)).one_or_none()
    return row and Placed(row.id, row.labels)


def labels(tx: Tx, cluster: str) -> Mapping[str, str] | None:
    """The labels of a cluster that the tenant may use."""
    found: Mapping[str, str] | None = tx.execute(sa.select(LABELS).where(_CLUSTERS.c.id == cluster)).scalar_one_or_none()
    return found


def within(reach: access.Reach) -> Conditions:
    """What narrows a query over apps to those reached; nothing where all are."""
    if reach == access.EVERYTHING:
        return ()
    plain = [part for part in reach if not part.clusters]
    apps, projects = [part.app for part in plain if part.app], [part.project for part in plain if not part.app]
    listed = [
        column == sa.any_(sa.literal(sorted(ids), pg.ARRAY(column.type)))
        for column, ids in ((_APPS.c.id, apps), (_APPS.c.project_id, projects))
        if ids
    ]
    return (sa.or_(sa.false(), *listed, *(_on_clusters(part) for part in sorted(reach) if part.clusters)),)


def _on_clusters(part: access.Part) -> sa.ColumnElement[bool]:
    carry = sa.select(_CLUSTERS.c.id).where(LABELS.contains(dict(part.clusters)))
    place = [_APPS.c.project_id == part.project] if part.project else []
    place += [_APPS.c.id == part.app] if part.app else []
    return sa.and_(*place, _APPS.c.cluster_id.in_(carry))
