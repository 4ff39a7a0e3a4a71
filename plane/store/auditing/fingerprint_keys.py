"""The key of each log that secret fields are fingerprinted with, wrapped under the master key, and secrets that have no fingerprint."""

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import audit_tables, tables

KEYS = audit_tables.fingerprint_keys
OLDER = {"Credential": tables.credentials, "Sink": tables.SINKS}  # kinds whose secrets may be older than fingerprints


class Without(msgspec.Struct, frozen=True):
    """A secret that has no fingerprint; `project_id` is empty above projects."""

    kind: str
    project_id: str
    name: str
    wrapped: bytes


def find(tx: Tx, tenant: str) -> bytes | None:
    """The log's key; None: nothing secret was written yet."""
    row = tx.execute(sa.select(KEYS.c.wrapped).where(KEYS.c.tenant_id == tenant)).one_or_none()
    return bytes(row.wrapped) if row else None


def keep(tx: Tx, tenant: str, wrapped: bytes) -> bytes:
    """Make this the log's key, unless another transaction was first; returns the one that holds."""
    tx.execute(pg.insert(KEYS).values(tenant_id=tenant, wrapped=wrapped).on_conflict_do_nothing())
    return find(tx, tenant) or wrapped


def without(tx: Tx, tenant: str) -> tuple[Without, ...]:
    """Secrets that were written before there were fingerprints, locked."""
    found = ((kind, tx.execute(_without(table, tenant))) for kind, table in OLDER.items())
    return tuple(Without(kind, str(row.project_id), row.name, bytes(row.wrapped)) for kind, rows in found for row in rows)


def _without(table: sa.Table, tenant: str) -> sa.Select[tuple[str, str, bytes]]:
    project = table.c.project_id if "project_id" in table.c else sa.literal("").label("project_id")
    where = (table.c.tenant_id == tenant, table.c.wrapped.is_not(None), table.c.fingerprints == {})
    return sa.select(project, table.c.name, table.c.wrapped).where(*where).order_by(project, table.c.name).with_for_update()


def put(tx: Tx, tenant: str, one: Without, fingerprints: Mapping[str, str]) -> None:
    """Keep the fingerprints of a secret."""
    table = OLDER[one.kind]
    of = [table.c.project_id == one.project_id] if one.project_id else []
    tx.execute(sa.update(table).where(table.c.tenant_id == tenant, table.c.name == one.name, *of).values(fingerprints=dict(fingerprints)))
