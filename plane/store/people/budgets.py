"""Budgets of requests, over all replicas."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import login_tables, tables

BUDGETS = login_tables.budgets
OLD = dt.timedelta(hours=1)  # all have filled up long before


class Row(msgspec.Struct, frozen=True):
    """Requests of one caller since the last time. `rate`: how many of them a second makes good."""

    key: bytes
    requests: int
    rate: int


def add(tx: Tx, rows: Sequence[Row]) -> dict[bytes, float]:
    """Count them; what is used now, by key. Rows come in the order that every replica locks them in."""
    old = sa.select(BUDGETS.c.key).where(BUDGETS.c.tenant_id == tables.NIL, BUDGETS.c.at < sa.func.clock_timestamp() - OLD)
    tx.execute(
        sa.delete(BUDGETS).where(BUDGETS.c.tenant_id == tables.NIL, BUDGETS.c.key.in_(old.limit(100).with_for_update(skip_locked=True)))
    )
    now = sa.func.clock_timestamp()
    values = [{"tenant_id": tables.NIL, "key": row.key, "used": max(0, row.requests), "rate": row.rate, "at": now} for row in rows]
    made = pg.insert(BUDGETS).values(values)
    passed = sa.func.extract("epoch", now - BUDGETS.c.at)
    left = sa.func.greatest(0, BUDGETS.c.used - passed * made.excluded.rate)
    kept = {"used": left + made.excluded.used, "rate": made.excluded.rate, "at": now}
    told = made.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=kept).returning(BUDGETS.c.key, BUDGETS.c.used)
    return {bytes(key): float(used) for key, used in tx.execute(told)}
