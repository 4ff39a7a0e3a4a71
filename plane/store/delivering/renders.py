"""What a tenant's renders took, by the hour."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import tenancy
from plane.domain.permitting import quotas
from plane.domain.rendering import metering
from plane.store.engine import Tx
from plane.store.layout import render_tables, tables

HOURS, TENANTS = render_tables.render_hours, tables.tenants


class Hour(msgspec.Struct, frozen=True):
    """Of one that has begun: processor time, and the memory of the render that held most."""

    cpu_s: float = 0.0
    peak_bytes: int = 0


def used(tx: Tx, tenant: str, hour: dt.datetime) -> Hour:
    """By all renders that have come to their ends."""
    row = tx.execute(sa.select(HOURS.c.cpu_ms, HOURS.c.peak_bytes).where(HOURS.c.tenant_id == tenant, HOURS.c.hour == hour)).first()
    return Hour(row.cpu_ms / 1000, row.peak_bytes) if row else Hour()


class Standing(msgspec.Struct, frozen=True):
    """The tenant's time of this hour, the bytes that one of its renders may hold, and how much of the workers it gets."""

    time: quotas.RenderTime
    memory_bytes: int | None
    weight: int


def standing(tx: Tx, tenant: str, now: dt.datetime) -> Standing:
    """What holds for a tenant's renders; one statement."""
    hour = quotas.hour_of(now)
    row = tx.execute(_STANDING, {"tenant": tenant, "hour": hour}).one()
    spec = msgspec.convert(row.spec, tenancy.TenantSpec)
    time = quotas.RenderTime(row.name, hour, (row.cpu_ms or 0) / 1000, spec.quotas.render_seconds_per_hour)
    return Standing(time, spec.quotas.render_bytes(), spec.weight)


_STANDING = (
    sa.select(TENANTS.c.name, TENANTS.c.spec, HOURS.c.cpu_ms)
    .select_from(TENANTS.outerjoin(HOURS, sa.and_(HOURS.c.tenant_id == TENANTS.c.id, HOURS.c.hour == sa.bindparam("hour"))))
    .where(TENANTS.c.id == sa.bindparam("tenant"))
)


def add(tx: Tx, tenant: str, hour: dt.datetime, spent: Sequence[metering.Spent]) -> None:
    """Count what renders took; last in a transaction, as every one of the tenant's waits for the row."""
    if not spent:
        return
    cpu_ms, peak = round(sum(one.cpu_s for one in spent) * 1000), max(one.peak_bytes for one in spent)
    tx.execute(_ADD, {"tenant_id": tenant, "hour": hour, "cpu_ms": cpu_ms, "peak_bytes": peak, "renders": len(spent)})


_NEW = pg.insert(HOURS)
_ADD = _NEW.on_conflict_do_update(
    index_elements=[HOURS.c.tenant_id, HOURS.c.hour],
    set_={
        "cpu_ms": HOURS.c.cpu_ms + _NEW.excluded.cpu_ms,
        "renders": HOURS.c.renders + _NEW.excluded.renders,
        "peak_bytes": sa.func.greatest(HOURS.c.peak_bytes, _NEW.excluded.peak_bytes),
    },
)
