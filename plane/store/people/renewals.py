"""Tokens and sessions whose identity provider is asked again, now and then."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from plane.store.engine import Tx
from plane.store.layout import tables

TOKENS = tables.tokens
LIMIT = 50  # of one look


class Renewed(msgspec.Struct, frozen=True):
    """One that is asked about. `renewal`: what to ask with, under the master key."""

    principal: str
    provider: str
    renewal: bytes


def due(tx: Tx, now: dt.datetime, pause: dt.timedelta) -> tuple[tuple[str, str], ...]:
    """(tenant, token) of those in use whose provider's last word is too old, oldest first; a dispatch transaction."""
    old = TOKENS.c.asked_at + sa.func.make_interval(0, 0, 0, 0, 0, 0, TOKENS.c.renew_s) <= now
    where = (*_open(now), old, TOKENS.c.used_at > TOKENS.c.asked_at, _free(now, pause))
    found = sa.select(TOKENS.c.tenant_id, TOKENS.c.id).where(*where).order_by(TOKENS.c.asked_at, TOKENS.c.id).limit(LIMIT)
    return tuple((str(row[0]), str(row[1])) for row in tx.execute(found))


def claim(tx: Tx, tenant: str, token: str, now: dt.datetime, pause: dt.timedelta) -> Renewed | None:
    """Begin to ask about one; None when somebody else did so within `pause`, or it ended."""
    where = (TOKENS.c.tenant_id == tenant, TOKENS.c.id == token, TOKENS.c.renewal.is_not(None), *_open(now), _free(now, pause))
    told = (TOKENS.c.principal_id, TOKENS.c.provider, TOKENS.c.renewal)
    row = tx.execute(sa.update(TOKENS).where(*where).values(tried_at=now).returning(*told)).one_or_none()
    return Renewed(row[0], row[1], bytes(row[2])) if row else None


def lock(tx: Tx, tenant: str, token: str) -> str:
    """The id of the principal whose token it is, which stays until the transaction ends; empty when it is gone."""
    mine = sa.select(TOKENS.c.principal_id).where(TOKENS.c.tenant_id == tenant, TOKENS.c.id == token)
    return tx.execute(mine.with_for_update()).scalar_one_or_none() or ""


def keep(tx: Tx, tenant: str, token: str, renewal: bytes | None, now: dt.datetime) -> bool:
    """The provider vouched for its owner: what to ask with next time, if it is asked. False: the token ended meanwhile, which holds."""
    mine = sa.update(TOKENS).where(TOKENS.c.tenant_id == tenant, TOKENS.c.id == token)
    values = {"renewal": renewal, "asked_at": now if renewal else None, "tried_at": None}
    return tx.execute(mine.values(values).returning(TOKENS.c.revoked_at)).scalar_one_or_none() is None


def end(tx: Tx, tenant: str, token: str, now: dt.datetime) -> str:
    """The principal's id whose token this ends; empty when it has ended."""
    mine = sa.update(TOKENS).where(TOKENS.c.tenant_id == tenant, TOKENS.c.id == token, TOKENS.c.revoked_at.is_(None))
    ended = mine.values(revoked_at=now, renewal=None, asked_at=None).returning(TOKENS.c.principal_id)
    return tx.execute(ended).scalar_one_or_none() or ""


def ended(tx: Tx, now: dt.datetime) -> tuple[tuple[str, str], ...]:
    """(tenant, token) of those that ended and still hold what to ask with; a dispatch transaction."""
    over = sa.or_(TOKENS.c.revoked_at.is_not(None), TOKENS.c.expires_at <= now)
    found = sa.select(TOKENS.c.tenant_id, TOKENS.c.id).where(TOKENS.c.asked_at.is_not(None), over)
    return tuple((str(row[0]), str(row[1])) for row in tx.execute(found.order_by(TOKENS.c.asked_at, TOKENS.c.id).limit(LIMIT)))


def forget(tx: Tx, tenant: str, token: str) -> Renewed | None:
    """Take what to ask with from one; None when somebody else did."""
    where = (TOKENS.c.tenant_id == tenant, TOKENS.c.id == token, TOKENS.c.asked_at.is_not(None))
    told = (TOKENS.c.principal_id, TOKENS.c.provider, TOKENS.c.renewal)
    row = tx.execute(sa.select(*told).where(*where).with_for_update()).one_or_none()
    tx.execute(sa.update(TOKENS).where(*where).values(renewal=None, asked_at=None))
    return Renewed(row[0], row[1], bytes(row[2])) if row else None


def _open(now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return TOKENS.c.asked_at.is_not(None), TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > now


def _free(now: dt.datetime, pause: dt.timedelta) -> sa.ColumnElement[bool]:
    return sa.or_(TOKENS.c.tried_at.is_(None), TOKENS.c.tried_at <= now - pause)
