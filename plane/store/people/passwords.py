"""Hashes of passwords, and how often one was tried in vain."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import login_tables, tables

PASSWORDS, ATTEMPTS, TOKENS = login_tables.passwords, login_tables.attempts, tables.tokens


def of(tx: Tx, tenant: str, principal: str) -> str:
    """The hash; empty: they have none."""
    where = (PASSWORDS.c.tenant_id == tenant, PASSWORDS.c.principal_id == principal)
    return tx.execute(sa.select(PASSWORDS.c.hash).where(*where)).scalar_one_or_none() or ""


def put(tx: Tx, tenant: str, principal: str, hashed: str, now: dt.datetime) -> None:
    """In place of the one before."""
    row = {"tenant_id": tenant, "principal_id": principal, "hash": hashed, "changed_at": now}
    made = pg.insert(PASSWORDS).values(row)
    tx.execute(made.on_conflict_do_update(index_elements=["tenant_id", "principal_id"], set_={"hash": hashed, "changed_at": now}))


def drop(tx: Tx, tenant: str, principal: str) -> bool:
    """False when there was none."""
    mine = sa.delete(PASSWORDS).where(PASSWORDS.c.tenant_id == tenant, PASSWORDS.c.principal_id == principal)
    return tx.execute(mine.returning(PASSWORDS.c.hash)).one_or_none() is not None


def end_others(tx: Tx, tenant: str, principal: str, provider: str, *, but: str, now: dt.datetime) -> int:
    """End what came of log-ins with the password before, all but the one that asks; returns how many."""
    where = (TOKENS.c.tenant_id == tenant, TOKENS.c.principal_id == principal, TOKENS.c.provider == provider)
    others = sa.update(TOKENS).where(*where, TOKENS.c.id != (but or tables.NIL), TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > now)
    return len(tx.execute(others.values(revoked_at=now).returning(TOKENS.c.id)).all())


def count(tx: Tx, key: bytes, now: dt.datetime, *, forget: dt.timedelta) -> int | None:
    """One more attempt; how many there were that are not forgotten, or None while the key is locked. The row stays ours until the end."""
    old = sa.select(ATTEMPTS.c.key).where(ATTEMPTS.c.tenant_id == tables.NIL, ATTEMPTS.c.tried_at < now - forget, ATTEMPTS.c.key != key)
    gone = old.limit(100).with_for_update(skip_locked=True)  # two that tidy up do not wait for each other
    tx.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.tenant_id == tables.NIL, ATTEMPTS.c.key.in_(gone)))
    row = {"tenant_id": tables.NIL, "key": key, "failures": 1, "tried_at": now, "locked_until": now}
    again = sa.case((ATTEMPTS.c.tried_at < now - forget, 1), else_=ATTEMPTS.c.failures + 1)
    counted = pg.insert(ATTEMPTS).values(row).on_conflict_do_update(
        index_elements=["tenant_id", "key"], set_={"failures": again, "tried_at": now}, where=ATTEMPTS.c.locked_until <= now
    )  # fmt: skip
    return tx.execute(counted.returning(ATTEMPTS.c.failures)).scalar_one_or_none()


def locked_until(tx: Tx, key: bytes) -> dt.datetime:
    """Of a key that is locked."""
    found: dt.datetime = tx.execute(sa.select(ATTEMPTS.c.locked_until).where(*_at(key))).scalar_one()
    return found


def lock(tx: Tx, key: bytes, until: dt.datetime) -> None:
    """Nothing is tried with it until then."""
    tx.execute(sa.update(ATTEMPTS).where(*_at(key)).values(locked_until=until))


def forgive(tx: Tx, key: bytes) -> None:
    """Forget what was tried."""
    tx.execute(sa.delete(ATTEMPTS).where(*_at(key)))


def uncount(tx: Tx, key: bytes) -> None:
    """The last attempt was none, those before it stay."""
    fewer = sa.func.greatest(ATTEMPTS.c.failures - 1, 0)
    tx.execute(sa.update(ATTEMPTS).where(*_at(key)).values(failures=fewer, locked_until=ATTEMPTS.c.tried_at))


def _at(key: bytes) -> tuple[sa.ColumnElement[bool], ...]:
    return ATTEMPTS.c.tenant_id == tables.NIL, ATTEMPTS.c.key == key
