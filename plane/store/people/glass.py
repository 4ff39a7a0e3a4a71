"""Break-glass roles that people took."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from plane.store.engine import Row, Tx
from plane.store.layout import tables

_GLASS, _BINDINGS, _PRINCIPALS = tables.glass, tables.bindings, tables.principals
MOST = 200  # that a list shows, newest first


def take(tx: Tx, row: Mapping[str, Any]) -> None:
    """`row`: tenant_id, id, binding_id, principal_id, reason, taken_at, until."""
    tx.execute(sa.insert(_GLASS).values(**row))


def give_back(tx: Tx, tenant: str, binding: str, principal: str, now: dt.datetime) -> bool:
    """End what somebody took; False when they hold nothing of it."""
    mine = (_GLASS.c.tenant_id == tenant, _GLASS.c.binding_id == binding, _GLASS.c.principal_id == principal)
    still = (_GLASS.c.ended_at.is_(None), _GLASS.c.until > now)
    return bool(tx.execute(sa.update(_GLASS).where(*mine, *still).values(ended_at=now).returning(_GLASS.c.id)).all())


def taken(tx: Tx, tenant: str) -> Sequence[Row]:
    """Newest first; `person` empty for one of the platform's people."""
    binding = sa.and_(_BINDINGS.c.tenant_id == _GLASS.c.tenant_id, _BINDINGS.c.id == _GLASS.c.binding_id)
    joined = _GLASS.join(_BINDINGS, binding).outerjoin(_PRINCIPALS, _PRINCIPALS.c.id == _GLASS.c.principal_id)
    shown = (_GLASS.c[name] for name in ("reason", "taken_at", "until", "ended_at"))
    query = sa.select(*shown, _BINDINGS.c.name.label("binding"), _BINDINGS.c.role, sa.func.coalesce(_PRINCIPALS.c.name, "").label("person"))
    return tx.execute(query.select_from(joined).where(_GLASS.c.tenant_id == tenant).order_by(_GLASS.c.id.desc()).limit(MOST)).all()
