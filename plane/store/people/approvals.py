"""What one person asked for, and a second one allows."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from plane.store.engine import Row, Tx
from plane.store.layout import tables

_APPROVALS, _PEOPLE, _TENANTS = tables.approvals, tables.principals, tables.tenants
_PLATFORMS = "one of the platform's people"  # whom a tenant's transaction does not see
MOST = 200  # that a list shows, newest first


def marks(tx: Tx, tenant: str) -> tuple[str, ...]:
    """The permissions for which the tenant wants two people."""
    return tuple(tx.execute(sa.select(_TENANTS.c.spec["twoPerson"]).where(_TENANTS.c.id == tenant)).scalar_one_or_none() or ())


def use(tx: Tx, order: Mapping[str, Any], now: dt.datetime) -> Row | None:
    """Take an approval of an order (tenant_id, principal_id, digest, permission), which is then used up; None when there is none."""
    same = [_APPROVALS.c[name] == value for name, value in order.items()]
    given = (_APPROVALS.c.approved_at.is_not(None), _APPROVALS.c.used_at.is_(None), _APPROVALS.c.expires_at > now)
    one = sa.select(_APPROVALS.c.id).where(*same, *given).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    changed = sa.update(_APPROVALS).where(_APPROVALS.c.tenant_id == order["tenant_id"], _APPROVALS.c.id == one).values(used_at=now)
    name = sa.select(_PEOPLE.c.name).where(_PEOPLE.c.id == _APPROVALS.c.approved_by).scalar_subquery()
    told = (_APPROVALS.c.id, _APPROVALS.c.approved_by, _APPROVALS.c.approved_at, sa.func.coalesce(name, _PLATFORMS).label("person"))
    return tx.execute(changed.returning(*told)).one_or_none()


def given(tx: Tx, order: Mapping[str, Any], now: dt.datetime) -> bool:
    """Whether somebody said yes to this very order, and it was not done yet."""
    same = [_APPROVALS.c[name] == value for name, value in order.items()]
    still = (_APPROVALS.c.approved_at.is_not(None), _APPROVALS.c.used_at.is_(None), _APPROVALS.c.expires_at > now)
    return bool(tx.execute(sa.select(sa.exists().where(*same, *still))).scalar_one())


def ask(tx: Tx, row: Mapping[str, Any], now: dt.datetime) -> str:
    """The id of the question: one that waits already, or a new one. `row`: all columns but those of the answer."""
    same = [_APPROVALS.c[name] == row[name] for name in ("tenant_id", "principal_id", "digest", "permission", "makers")]
    waits = (_APPROVALS.c.approved_at.is_(None), _APPROVALS.c.expires_at > now)
    found: str | None = tx.execute(sa.select(_APPROVALS.c.id).where(*same, *waits).limit(1)).scalar_one_or_none()
    if found is None:
        tx.execute(sa.insert(_APPROVALS).values(**row))
    return found or str(row["id"])


def find(tx: Tx, tenant: str, identity: str) -> Row | None:
    """One question."""
    return tx.execute(_SHOWN.where(_APPROVALS.c.tenant_id == tenant, _APPROVALS.c.id == identity)).one_or_none()


def page(tx: Tx, tenant: str, *, principal: str) -> Sequence[Row]:
    """Newest first; of one person, or of all when `principal` is empty."""
    mine = [_APPROVALS.c.principal_id == principal] if principal else []
    return tx.execute(_SHOWN.where(_APPROVALS.c.tenant_id == tenant, *mine).order_by(_APPROVALS.c.id.desc()).limit(MOST)).all()


def give(tx: Tx, tenant: str, identity: str, by: str, now: dt.datetime) -> bool:
    """Answer with yes; False when it is too late, or answered."""
    open_ = (_APPROVALS.c.approved_at.is_(None), _APPROVALS.c.expires_at > now)
    changed = sa.update(_APPROVALS).where(_APPROVALS.c.tenant_id == tenant, _APPROVALS.c.id == identity, *open_)
    return tx.execute(changed.values(approved_by=by, approved_at=now).returning(_APPROVALS.c.id)).one_or_none() is not None


_SHOWN = sa.select(*_APPROVALS.c, sa.func.coalesce(_PEOPLE.c.name, _PLATFORMS).label("person")).select_from(
    _APPROVALS.outerjoin(_PEOPLE, _PEOPLE.c.id == _APPROVALS.c.principal_id)
)
