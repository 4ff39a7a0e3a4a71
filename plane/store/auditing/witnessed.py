"""Other planes' logs, as this one holds them: the newest state of each."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import audit_tables

WITNESSED = audit_tables.witnessed


class Known(msgspec.Struct, frozen=True):
    """The last state; size 0 and no root before the first."""

    origin: str
    size: int
    root: str
    note: str


def locked(tx: Tx, tenant: str, origin: str) -> Known:
    """What is known of a log, locked until the transaction ends."""
    tx.execute(pg.insert(WITNESSED).values(tenant_id=tenant, origin=origin).on_conflict_do_nothing())
    return Known(*tx.execute(_KNOWN.where(WITNESSED.c.tenant_id == tenant, WITNESSED.c.origin == origin).with_for_update()).one())


def hold(tx: Tx, tenant: str, known: Known) -> None:
    """The newest state."""
    moved = sa.update(WITNESSED).where(WITNESSED.c.tenant_id == tenant, WITNESSED.c.origin == known.origin)
    tx.execute(moved.values(size=known.size, root=known.root, note=known.note, at=sa.func.now()))


def states(tx: Tx, tenant: str) -> tuple[Known, ...]:
    """All of them by origin."""
    return tuple(Known(*row) for row in tx.execute(_KNOWN.where(WITNESSED.c.tenant_id == tenant).order_by(WITNESSED.c.origin)))


_KNOWN = sa.select(WITNESSED.c.origin, WITNESSED.c.size, WITNESSED.c.root, WITNESSED.c.note)
