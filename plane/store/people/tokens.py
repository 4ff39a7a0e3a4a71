"""What principals log in with: hashes of tokens, what each is narrowed to, when it was last used."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.domain import access
from plane.store.engine import Tx
from plane.store.layout import tables
from plane.store.people import holding

PRINCIPALS, TOKENS = tables.principals, tables.tokens
USED_S = 60  # a token in constant use costs one write in this time


class Bearer(msgspec.Struct, frozen=True):
    """Who a token stands for, and whether it still does."""

    token: str
    tenant: str
    principal: str
    name: str
    kind: Any
    expires_at: dt.datetime
    issued_at: dt.datetime
    used_at: dt.datetime | None
    grants: tuple[access.Grant, ...]  # as the token wields them; also those whose terms do not hold now
    groups: frozenset[str]
    networks: tuple[str, ...]
    idle: dt.timedelta  # how long a session may not be used; zero: a token, which may
    revoked: bool
    disabled: bool
    on_behalf_of: str
    makers: frozenset[str]
    provider: str  # what it came of, where it came of a log-in
    asked_at: dt.datetime | None  # when the provider last vouched for its owner, if it is asked again


class Token(msgspec.Struct, frozen=True):
    """A token without its secret."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...]
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None
    used_at: dt.datetime | None


_SHOWN = tuple(TOKENS.c[name] for name in Token.__struct_fields__)


def bearer(tx: Tx, hashed: bytes) -> Bearer | None:
    """Who holds the token with this hash; a dispatch transaction."""
    row = tx.execute(_BEARER, {"hash": hashed}).one_or_none()
    if row is None:
        return None
    held = holding.grants(tx, row.principal, home=row.tenant_id)
    return Bearer(
        token=row.token,
        tenant=row.tenant_id,
        principal=row.principal,
        name=row.name,
        kind=row.kind,
        expires_at=row.expires_at,
        issued_at=row.created_at,
        used_at=row.used_at,
        grants=access.narrowed(held, frozenset(row.scopes)),
        groups=frozenset(row.groups),
        networks=tuple(row.networks),
        idle=dt.timedelta(seconds=row.idle_s),
        revoked=row.revoked_at is not None,
        disabled=row.disabled_at is not None,
        on_behalf_of=row.on_behalf_of,
        makers=frozenset(row.makers),
        provider=row.provider,
        asked_at=row.asked_at,
    )


_BEARER = (
    sa.select(
        TOKENS.c.id.label("token"),
        PRINCIPALS.c.id.label("principal"),
        *(PRINCIPALS.c[name] for name in ("tenant_id", "name", "kind", "groups", "disabled_at")),
        *(TOKENS.c[name] for name in ("expires_at", "created_at", "revoked_at", "used_at", "scopes", "networks", "idle_s")),
        *(TOKENS.c[name] for name in ("on_behalf_of", "makers", "provider", "asked_at")),
    )
    .select_from(TOKENS.join(PRINCIPALS, sa.and_(PRINCIPALS.c.tenant_id == TOKENS.c.tenant_id, PRINCIPALS.c.id == TOKENS.c.principal_id)))
    .where(TOKENS.c.hash == sa.bindparam("hash"))
)


def used(tx: Tx, tenant: str, token: str, now: dt.datetime) -> None:
    """Note that it was; nothing when somebody noted it within the last minute, or is about to."""
    mine = sa.select(TOKENS.c.id).where(TOKENS.c.tenant_id == tenant, TOKENS.c.id == token)
    free = mine.where(sa.or_(TOKENS.c.used_at.is_(None), TOKENS.c.used_at < now - dt.timedelta(seconds=USED_S)))
    found = free.with_for_update(skip_locked=True).scalar_subquery()
    tx.execute(sa.update(TOKENS).where(TOKENS.c.tenant_id == tenant, TOKENS.c.id == found).values(used_at=now))


def add(tx: Tx, tenant: str, row: Mapping[str, Any]) -> None:
    """`row`: id, principal_id, name, prefix, hash, expires_at; scopes and networks where it is narrowed."""
    tx.execute(sa.insert(TOKENS).values({"tenant_id": tenant, **row}))


def _of(tenant: str, principal: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Browsers' sessions, which are tokens too, are `sessions`'."""
    return TOKENS.c.tenant_id == tenant, TOKENS.c.principal_id == principal, TOKENS.c.idle_s == 0


def page(tx: Tx, tenant: str, principal: str, *, after: str, limit: int) -> tuple[Token, ...]:
    """A principal's tokens in order of making."""
    where = (*_of(tenant, principal), TOKENS.c.id > (after or tables.NIL))
    mine = sa.select(*_SHOWN).where(*where)
    return tuple(Token(*row) for row in tx.execute(mine.order_by(TOKENS.c.id).limit(limit)))


def lock(tx: Tx, tenant: str, principal: str, token: str) -> Token | None:
    """One of a principal's, until the transaction ends."""
    where = (*_of(tenant, principal), TOKENS.c.id == token)
    row = tx.execute(sa.select(*_SHOWN).where(*where).with_for_update()).one_or_none()
    return Token(*row) if row else None


def end_by(tx: Tx, tenant: str, token: str, when: dt.datetime) -> None:
    """It holds until then at the longest."""
    mine = sa.update(TOKENS).where(TOKENS.c.tenant_id == tenant, TOKENS.c.id == token)
    tx.execute(mine.values(expires_at=sa.func.least(TOKENS.c.expires_at, when)))


def revoke(tx: Tx, tenant: str, principal: str, token: str, now: dt.datetime) -> str:
    """The revoked token's name; empty when there is no such token."""
    where = (*_of(tenant, principal), TOKENS.c.id == token)
    changed = sa.update(TOKENS).where(*where).values(revoked_at=sa.func.coalesce(TOKENS.c.revoked_at, now)).returning(TOKENS.c.name)
    return tx.execute(changed).scalar_one_or_none() or ""
