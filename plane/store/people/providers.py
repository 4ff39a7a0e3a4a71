"""Identity providers that documents declare, and what came of log-ins there."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from plane.store import documents
from plane.store.engine import Row, Tx
from plane.store.layout import tables

PROVIDERS, IDENTITIES, PRINCIPALS, TOKENS = tables.PROVIDERS, tables.IDENTITIES, tables.principals, tables.tokens
SHELF = documents.plain(PROVIDERS, without=["wrapped"])


class Ended(msgspec.Struct, frozen=True):
    """How many tokens and sessions ended, and how many people lost the groups that they had from there."""

    tokens: int
    people: int


def load(tx: Tx, tenant: str, name: str) -> Row | None:
    """One with its wrapped secret."""
    return tx.execute(sa.select(PROVIDERS).where(*_one(tenant, name))).one_or_none()


def every(tx: Tx, tenant: str) -> Sequence[Row]:
    """A tenant's, or the platform's, by name."""
    return tx.execute(SHELF.slim.where(PROVIDERS.c.tenant_id == tenant).order_by(PROVIDERS.c.name)).all()


def version(tx: Tx, tenant: str, name: str) -> int:
    """The version of a document, which stays until the transaction ends; 0: it is not there."""
    return tx.execute(sa.select(PROVIDERS.c.version).where(*_one(tenant, name)).with_for_update(read=True)).scalar_one_or_none() or 0


def end(tx: Tx, tenant: str, called: str, now: dt.datetime) -> Ended:
    """End what log-ins at a provider began, and take the groups that it named; whoever logs in again gets theirs anew."""
    begun = (TOKENS.c.tenant_id == tenant, TOKENS.c.provider == called, TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > now)
    ended = tx.execute(sa.update(TOKENS).where(*begun).values(revoked_at=now).returning(TOKENS.c.id)).all()
    there = sa.func.split_part(IDENTITIES.c.provider, "@", 1) == called
    known = sa.select(IDENTITIES.c.principal_id).where(IDENTITIES.c.tenant_id == tenant, there)
    held = (PRINCIPALS.c.tenant_id == tenant, PRINCIPALS.c.id.in_(known), sa.func.cardinality(PRINCIPALS.c.groups) > 0)
    bare = {"groups": [], "updated_at": now, "version": PRINCIPALS.c.version + 1}
    people = tx.execute(sa.update(PRINCIPALS).where(*held).values(bare).returning(PRINCIPALS.c.id)).all()
    return Ended(len(ended), len(people))


def forget(tx: Tx, tenant: str) -> None:
    """Remove a tenant's providers with it."""
    tx.execute(sa.delete(PROVIDERS).where(PROVIDERS.c.tenant_id == tenant))


def _one(tenant: str, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return PROVIDERS.c.tenant_id == tenant, PROVIDERS.c.name == name
