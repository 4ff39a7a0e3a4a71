"""The rules of projects with those that they inherit from others of their tenant."""

from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from plane.domain import tenancy
from plane.store.engine import Tx
from plane.store.layout import columns, tables

PROJECTS = tables.projects


def of(tx: Tx, tenant: str, ids: Collection[str]) -> dict[str, tenancy.ProjectSpec]:
    """By project id."""
    rows = tx.execute(_RULES, {"tenant": tenant, "ids": list(ids)}).all()
    specs = {row.id: msgspec.convert(row.spec, tenancy.ProjectSpec) for row in rows}
    heirs = {row.id: spec for row, spec in zip(rows, specs.values(), strict=True) if spec.inherited_by}
    return {
        row.id: tenancy.effective(specs[row.id], row.labels, [spec for id_, spec in heirs.items() if id_ != row.id])
        for row in rows
        if row.id in ids
    }


_MINE = columns.among(PROJECTS.c.id, "ids")
_HANDED_DOWN = sa.func.coalesce(PROJECTS.c.spec["inheritedBy"].astext, "") != ""
_RULES = (
    sa.select(PROJECTS.c.id, PROJECTS.c.labels, PROJECTS.c.spec)
    .where(PROJECTS.c.tenant_id == sa.bindparam("tenant"), sa.or_(_MINE, _HANDED_DOWN))
    .order_by(PROJECTS.c.name)
)
