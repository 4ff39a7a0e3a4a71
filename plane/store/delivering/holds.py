"""What people hold: a column of apps and of projects, beside the documents."""

import msgspec
import sqlalchemy as sa

from plane.domain.timing import schedules
from plane.store.engine import Tx


def put(tx: Tx, table: sa.Table, key: tuple[str, str], hold: schedules.Hold | None) -> None:
    """Write or take away the hold of an app or project; `key`: tenant and id."""
    tenant, identity = key
    stored = msgspec.to_builtins(hold) if hold else sa.null()
    tx.execute(sa.update(table).where(table.c.tenant_id == tenant, table.c.id == identity).values(hold=stored))
