"""The key of each log that secret fields are fingerprinted with, wrapped under the master key."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import audit_tables

KEYS = audit_tables.fingerprint_keys


def find(tx: Tx, tenant: str) -> bytes | None:
    """The log's key; None: nothing secret was written yet."""
    row = tx.execute(sa.select(KEYS.c.wrapped).where(KEYS.c.tenant_id == tenant)).one_or_none()
    return bytes(row.wrapped) if row else None


def keep(tx: Tx, tenant: str, wrapped: bytes) -> bytes:
    """Make this the log's key, unless another transaction was first; returns the one that holds."""
    tx.execute(pg.insert(KEYS).values(tenant_id=tenant, wrapped=wrapped).on_conflict_do_nothing())
    return find(tx, tenant) or wrapped
