"""Answers kept under the caller's Idempotency-Key, written in the transaction of the work itself."""

import datetime as dt

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import tables

KEYS = tables.idempotency
KEPT = dt.timedelta(hours=24)  # as long as a client may go on trying


class Answer(msgspec.Struct, frozen=True):
    """What the first request was and what it got."""

    request: str
    status: int
    body: bytes


def take(tx: Tx, tenant: str, principal: str, key: str, *, request: str, now: dt.datetime) -> Answer | None:
    """None: the key is ours until this transaction ends. A second request with it waits here for the first."""
    mine = {"tenant_id": tenant, "principal_id": principal, "key": key}
    where = [KEYS.c[name] == value for name, value in mine.items()]
    tx.execute(sa.delete(KEYS).where(*where, KEYS.c.created_at < now - KEPT))
    row = {**mine, "request": request, "status": 0, "body": b"", "created_at": now}
    if tx.execute(pg.insert(KEYS).values(row).on_conflict_do_nothing().returning(KEYS.c.key)).one_or_none():
        return None
    found = tx.execute(sa.select(KEYS.c.request, KEYS.c.status, KEYS.c.body).where(*where)).one()
    return Answer(found.request, found.status, bytes(found.body))


def kept(tx: Tx, tenant: str, principal: str, key: str, *, now: dt.datetime) -> bool:
    """Whether the key has an answer still, to whatever request."""
    where = (KEYS.c.tenant_id == tenant, KEYS.c.principal_id == principal, KEYS.c.key == key, KEYS.c.created_at >= now - KEPT)
    return bool(tx.execute(sa.select(sa.exists().where(*where))).scalar_one())


def keep(tx: Tx, tenant: str, principal: str, key: str, *, status: int, body: bytes) -> None:
    """The answer, beside the work it tells of."""
    where = (KEYS.c.tenant_id == tenant, KEYS.c.principal_id == principal, KEYS.c.key == key)
    tx.execute(sa.update(KEYS).where(*where).values(status=status, body=body))
