"""Which tenants there are; a dispatch transaction."""

import sqlalchemy as sa

from plane.store.engine import Tx
from plane.store.layout import tables


def ids(tx: Tx) -> tuple[str, ...]:
    """All of them, oldest first."""
    return tuple(str(found) for found in tx.execute(sa.select(tables.tenants.c.id).order_by(tables.tenants.c.id)).scalars())
