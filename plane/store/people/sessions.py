"""Browsers' sessions: tokens that also end when they are not used."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from plane.store.engine import Tx
from plane.store.layout import tables

TOKENS = tables.tokens


class Session(msgspec.Struct, frozen=True):
    """One, without its secret."""

    id: str
    name: str
    made_at: str
    made_with: str
    created_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None


_SHOWN = tuple(TOKENS.c[name] for name in Session.__struct_fields__)


def _of(tenant: str, principal: str) -> tuple[sa.ColumnElement[bool], ...]:
    return TOKENS.c.tenant_id == tenant, TOKENS.c.principal_id == principal, TOKENS.c.idle_s > 0


def _open(now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    last = sa.func.coalesce(TOKENS.c.used_at, TOKENS.c.created_at)
    idle = sa.func.make_interval(0, 0, 0, 0, 0, 0, TOKENS.c.idle_s)
    return TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > now, last + idle > now


def page(tx: Tx, tenant: str, principal: str, now: dt.datetime, *, after: str, limit: int) -> tuple[Session, ...]:
    """A principal's open ones in order of log-in."""
    where = (*_of(tenant, principal), *_open(now), TOKENS.c.id > (after or tables.NIL))
    return tuple(Session(*row) for row in tx.execute(sa.select(*_SHOWN).where(*where).order_by(TOKENS.c.id).limit(limit)))


def one(tx: Tx, tenant: str, principal: str, session: str) -> Session | None:
    """One of a principal's."""
    row = tx.execute(sa.select(*_SHOWN).where(*_of(tenant, principal), TOKENS.c.id == session)).one_or_none()
    return Session(*row) if row else None


def end(tx: Tx, tenant: str, principal: str, session: str, now: dt.datetime) -> str:
    """The ended session's name; empty when there is none that is open."""
    where = (*_of(tenant, principal), TOKENS.c.id == session, TOKENS.c.revoked_at.is_(None))
    return tx.execute(sa.update(TOKENS).where(*where).values(revoked_at=now).returning(TOKENS.c.name)).scalar_one_or_none() or ""
