"""Who approved which release of which app; what dispatch goes by is in the app's own row."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain.deciding import approvals
from plane.store.engine import Row, Tx
from plane.store.layout import columns, tables

_GIVEN = tables.release_approvals


def add(tx: Tx, tenant: str, app: str, given: approvals.Approval) -> None:
    """Keep who said yes last."""
    held = {name: getattr(given, name) for name in ("release", "to", "by", "by_id", "at", "event")}
    made = pg.insert(_GIVEN).values(tenant_id=tenant, app_id=app, **held)
    newer = {name: made.excluded[name] for name in ("by", "by_id", "at", "event")}
    tx.execute(made.on_conflict_do_update(index_elements=_GIVEN.primary_key.columns, set_=newer))


def by_app(tx: Tx, tenant: str, releases: Mapping[str, str]) -> dict[str, tuple[approvals.Approval, ...]]:
    """By app: who approved the release that `releases` names for it, in order of their saying so."""
    rows = tx.execute(_FOUND, {"tenant": tenant, "apps": list(releases), "releases": sorted(set(releases.values()))}).all()
    return {app: tuple(_read(row) for row in rows if (row.app_id, row.release) == (app, digest)) for app, digest in releases.items()}


def _read(row: Row) -> approvals.Approval:
    return approvals.Approval(to=row.to, by=row.by, by_id=row.by_id, at=row.at, release=row.release, event=row.event)


_FOUND = (
    sa.select(_GIVEN)
    .where(
        _GIVEN.c.tenant_id == sa.bindparam("tenant"), columns.among(_GIVEN.c.app_id, "apps"), columns.among(_GIVEN.c.release, "releases")
    )
    .order_by(_GIVEN.c.at, _GIVEN.c.app_id, _GIVEN.c.release, _GIVEN.c.to)
)
