"""Log-ins under way, and whom a provider's subject became."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import tables

LOGINS, IDENTITIES, PRINCIPALS, TOKENS = tables.LOGINS, tables.IDENTITIES, tables.principals, tables.tokens


class Login(msgspec.Struct, frozen=True):
    """One under way."""

    id: str
    provider: str
    nonce: str
    verifier: str
    return_to: str
    challenge: str
    wrapped: bytes | None
    principal_tenant: str | None
    principal_id: str | None
    sid: str
    version: int


class Known(msgspec.Struct, frozen=True):
    """Whom a subject became."""

    principal: str
    name: str
    kind: Any
    groups: frozenset[str]
    disabled: bool


class Devices(msgspec.Struct, frozen=True):
    """Log-ins of devices under way: of everybody, of one address, and when the first of them ends."""

    everybody: int
    address: int
    first_ends: dt.datetime | None


def begin(tx: Tx, row: Mapping[str, Any]) -> None:
    """Of the platform; those that nobody ended go on the way."""
    tx.execute(sa.delete(LOGINS).where(LOGINS.c.tenant_id == tables.NIL, LOGINS.c.expires_at < sa.func.now() - dt.timedelta(hours=1)))
    tx.execute(sa.insert(LOGINS).values({"tenant_id": tables.NIL, "nonce": "", "verifier": "", "return_to": "", **row}))


def devices(tx: Tx, provider: str, address: str, now: dt.datetime) -> Devices:
    """How many log-ins of devices are under way at a provider."""
    here = LOGINS.c.address == address
    counts = (sa.func.count(), sa.func.count().filter(here), sa.func.min(LOGINS.c.expires_at))
    of_devices = (LOGINS.c.tenant_id == tables.NIL, LOGINS.c.provider == provider, LOGINS.c.challenge == "", LOGINS.c.expires_at > now)
    return Devices(*tx.execute(sa.select(*counts).where(*of_devices)).one())


def promise(tx: Tx, hashed: bytes, wrapped: bytes, expires: dt.datetime) -> None:
    """A device's log-in has its code from the provider."""
    mine = sa.update(LOGINS).where(LOGINS.c.tenant_id == tables.NIL, LOGINS.c.hash == hashed)
    tx.execute(mine.values(wrapped=wrapped, expires_at=expires))


def take(tx: Tx, hashed: bytes, now: dt.datetime) -> Login | None:
    """The one with this hash, which is gone with this."""
    where = (LOGINS.c.tenant_id == tables.NIL, LOGINS.c.hash == hashed, LOGINS.c.expires_at > now)
    row = tx.execute(sa.delete(LOGINS).where(*where).returning(*(LOGINS.c[name] for name in Login.__struct_fields__))).one_or_none()
    return Login(*row) if row else None


def look(tx: Tx, hashed: bytes, now: dt.datetime) -> Login | None:
    """The one with this hash, which stays."""
    where = (LOGINS.c.tenant_id == tables.NIL, LOGINS.c.hash == hashed, LOGINS.c.expires_at > now)
    row = tx.execute(sa.select(*(LOGINS.c[name] for name in Login.__struct_fields__)).where(*where)).one_or_none()
    return Login(*row) if row else None


def known(tx: Tx, tenant: str, provider: str, subject: str) -> Known | None:
    """Whom the subject became, until the transaction ends."""
    same = sa.and_(PRINCIPALS.c.tenant_id == IDENTITIES.c.tenant_id, PRINCIPALS.c.id == IDENTITIES.c.principal_id)
    where = (IDENTITIES.c.tenant_id == tenant, IDENTITIES.c.provider == provider, IDENTITIES.c.subject == subject)
    return _known(tx, sa.select(*_KNOWN).select_from(IDENTITIES.join(PRINCIPALS, same)).where(*where))


def move(tx: Tx, tenant: str, subject: str, *, before: str, after: str) -> None:
    """Keep a subject under the issuer as well, whom earlier planes kept under the provider's name alone."""
    mine = (IDENTITIES.c.tenant_id == tenant, IDENTITIES.c.provider == before, IDENTITIES.c.subject == subject)
    tx.execute(sa.update(IDENTITIES).where(*mine).values(provider=after))


def named(tx: Tx, tenant: str, name: str, kind: str) -> Known | None:
    """A principal of that name and kind."""
    return _known(tx, sa.select(*_KNOWN).where(PRINCIPALS.c.tenant_id == tenant, PRINCIPALS.c.name == name, PRINCIPALS.c.kind == kind))


def by_id(tx: Tx, tenant: str, principal: str) -> Known | None:
    """A principal."""
    return _known(tx, sa.select(*_KNOWN).where(PRINCIPALS.c.tenant_id == tenant, PRINCIPALS.c.id == principal))


_KNOWN = (PRINCIPALS.c.id, PRINCIPALS.c.name, PRINCIPALS.c.kind, PRINCIPALS.c.groups, PRINCIPALS.c.disabled_at.is_not(None))


def _known(tx: Tx, query: sa.Select[Any]) -> Known | None:
    row = tx.execute(query.with_for_update(of=PRINCIPALS, key_share=True)).one_or_none()
    return Known(row[0], row[1], row[2], frozenset(row[3]), row[4]) if row else None


def join(tx: Tx, tenant: str, provider: str, subject: str, principal: str) -> bool:
    """False when the subject became somebody meanwhile."""
    row = {"tenant_id": tenant, "provider": provider, "subject": subject, "principal_id": principal}
    return tx.execute(pg.insert(IDENTITIES).values(row).on_conflict_do_nothing().returning(IDENTITIES.c.subject)).one_or_none() is not None


def set_groups(tx: Tx, tenant: str, principal: str, groups: frozenset[str], now: dt.datetime) -> None:
    """As the provider says them."""
    mine = sa.update(PRINCIPALS).where(PRINCIPALS.c.tenant_id == tenant, PRINCIPALS.c.id == principal)
    tx.execute(mine.values(groups=sorted(groups), updated_at=now, version=PRINCIPALS.c.version + 1))


def end(tx: Tx, tenant: str, provider: str, *, subject: str, sid: str, now: dt.datetime) -> tuple[tuple[str, str, str], ...]:
    """End what came of a provider's log-ins: of the session where one is named, else of the subject; (token, name, principal)."""
    who = sa.select(IDENTITIES.c.principal_id).where(
        IDENTITIES.c.tenant_id == tenant, sa.func.split_part(IDENTITIES.c.provider, "@", 1) == provider, IDENTITIES.c.subject == subject
    )
    where = [TOKENS.c.tenant_id == tenant, TOKENS.c.provider == provider, TOKENS.c.revoked_at.is_(None)]
    where += [TOKENS.c.principal_id.in_(who)] if subject else []
    where += [TOKENS.c.sid == sid] if sid else []
    ended = sa.update(TOKENS).where(*where).values(revoked_at=now).returning(TOKENS.c.id, TOKENS.c.name, TOKENS.c.principal_id)
    return tuple((row[0], row[1], row[2]) for row in tx.execute(ended))
