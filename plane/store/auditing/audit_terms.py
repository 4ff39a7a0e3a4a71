"""How long events are kept, what holds them longer, and what is personal in them."""

import datetime as dt

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import audit_tables

TERMS, PERSONAL, LEAVES = audit_tables.terms, audit_tables.personal, audit_tables.leaves
EXPIRED_AT_ONCE = 5000  # rows of one statement


class Terms(msgspec.Struct, frozen=True):
    """`keep_days` 0: for ever; `hold`: why nothing may leave, empty for no hold."""

    keep_days: int = 0
    hold: str = ""


def read(tx: Tx, tenant: str) -> Terms:
    """As they are."""
    row = tx.execute(sa.select(TERMS).where(TERMS.c.tenant_id == tenant)).one_or_none()
    return Terms(row.keep_days, row.hold) if row else Terms()


def write(tx: Tx, tenant: str, terms: Terms) -> None:
    """As they shall be."""
    values = {"keep_days": terms.keep_days, "hold": terms.hold}
    made = pg.insert(TERMS).values(tenant_id=tenant, **values)
    tx.execute(made.on_conflict_do_update(index_elements=["tenant_id"], set_=values))


def erase(tx: Tx, tenant: str, actor: str) -> int:
    """Forget what is personal in the events of an actor; returns in how many."""
    return tx.execute(sa.delete(PERSONAL).where(PERSONAL.c.tenant_id == tenant, PERSONAL.c.actor == actor)).rowcount


def first_kept(tx: Tx, tenant: str, since: dt.datetime) -> int:
    """The place before which every event is older, and there is one left; -1: none is."""
    where = (LEAVES.c.tenant_id == tenant, LEAVES.c.at >= since)
    bound = tx.execute(sa.select(LEAVES.c.seq).where(*where).order_by(LEAVES.c.seq).limit(1)).scalar()
    if bound is None:
        return -1
    return bound if tx.execute(_LEFT, {"tenant": tenant, "bound": bound}).scalar() else -1


_LEFT = sa.text("""
    SELECT EXISTS (SELECT 1 FROM audit_leaves l JOIN audit_events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
    WHERE l.tenant_id = :tenant AND l.seq < :bound)
""")


def expire(tx: Tx, before: int) -> int:
    """Let events before a place leave; the database looks at age and hold itself. Returns how many left."""
    return int(tx.execute(sa.text("SELECT plane_expire(:before, :most)"), {"before": before, "most": EXPIRED_AT_ONCE}).scalar_one())
