"""Trust rules that documents declare, and what machines got by them."""

import datetime as dt

import sqlalchemy as sa

from plane.store import documents
from plane.store.engine import Row, Tx
from plane.store.layout import tables

TRUSTS, TOKENS = tables.TRUSTS, tables.tokens
SHELF = documents.plain(TRUSTS)


def load(tx: Tx, tenant: str, name: str) -> Row | None:
    """One by its name."""
    return documents.find(tx, SHELF, {"tenant_id": tenant}, name)


def version(tx: Tx, tenant: str, name: str) -> int:
    """The version of a document, which stays until the transaction ends; 0: it is not there."""
    mine = sa.select(TRUSTS.c.version).where(TRUSTS.c.tenant_id == tenant, TRUSTS.c.name == name)
    return tx.execute(mine.with_for_update(read=True)).scalar_one_or_none() or 0


def end(tx: Tx, tenant: str, kept_as: str, now: dt.datetime) -> int:
    """End what a rule gave; how many tokens that were."""
    given = (TOKENS.c.tenant_id == tenant, TOKENS.c.provider == kept_as, TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > now)
    return len(tx.execute(sa.update(TOKENS).where(*given).values(revoked_at=now).returning(TOKENS.c.id)).all())


def forget(tx: Tx, tenant: str) -> None:
    """Remove a tenant's rules with it."""
    tx.execute(sa.delete(TRUSTS).where(TRUSTS.c.tenant_id == tenant))
