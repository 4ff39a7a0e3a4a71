"""What principals hold, as grants: by hand, by documents, through groups; with the permissions of a tenant's own roles."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import access
from plane.domain.granting import conditions
from plane.store.engine import Row, Tx
from plane.store.layout import tables
from plane.store.people import bindings

_HELD, _ROLES, _GLASS = bindings.GRANTED, tables.roles, tables.glass


class Held(msgspec.Struct, frozen=True):
    """A grant and what gives it. `binding` empty: given by hand; `group`: the one through which it came.

    `taken`: until when a break-glass role is held; `glass`: it is such a role.
    """

    grant: access.Grant
    binding: str = ""
    binding_id: str = ""
    group: str = ""
    glass: bool = False
    taken: dt.datetime | None = None


_OPEN = (
    sa.select(sa.func.max(_GLASS.c.until))
    .where(
        *(_GLASS.c[name] == _HELD.c[name] for name in ("tenant_id", "binding_id", "principal_id")),
        _GLASS.c.ended_at.is_(None),
        _GLASS.c.until > sa.func.now(),
    )
    .scalar_subquery()
)
_TOLD = tuple(_HELD.c[name] for name in ("role", "binding", "project_id", "app_id", "group"))  # in this order
_GRANTS = sa.select(
    *(_HELD.c[name] for name in ("tenant_id", "role", "project_id", "app_id", "cluster_labels", "until", "networks", "fresh_s")),
    *(_HELD.c[name] for name in ("break_glass", "binding", "binding_id", "group")),
    _ROLES.c.permissions,
    sa.case((_HELD.c.break_glass, _OPEN)).label("taken"),
).select_from(_HELD.outerjoin(_ROLES, sa.and_(_ROLES.c.tenant_id == _HELD.c.tenant_id, _ROLES.c.name == _HELD.c.role)))
_HOME = sa.bindparam("home", type_=pg.UUID(as_uuid=False))
# A role counts in the principal's own tenant; only the platform's people may hold roles in several.
_OF_ONE = _GRANTS.where(
    _HELD.c.principal_id == sa.bindparam("principal"),
    sa.or_(_HELD.c.tenant_id == _HOME, _HOME == tables.NIL),
).order_by(_HELD.c.tenant_id, *_TOLD)


def grants(tx: Tx, principal: str, *, home: str) -> tuple[access.Grant, ...]:
    """What a principal of the tenant `home` holds, each once, whether or not its terms hold now; a break-glass role when it is taken."""
    return tuple(dict.fromkeys(_now(each) for each in everything(tx, principal, home=home) if each.taken or not each.glass))


class Holder(msgspec.Struct, frozen=True):
    """Somebody who holds something. `kind`: user, service or group."""

    kind: str
    name: str
    held: Held


def home(tx: Tx, principal: str) -> str:
    """The tenant that somebody is of."""
    people = tables.principals
    return tx.execute(sa.select(people.c.tenant_id).where(people.c.id == principal)).scalar_one_or_none() or tables.NIL


def holders(tx: Tx, tenant: str) -> tuple[Holder, ...]:
    """Who holds what in a tenant: its own people, those whom its bindings name, and groups by name; a dispatch transaction."""
    people = tables.principals
    named = _GRANTS.add_columns(people.c.name.label("holder"), people.c.kind).join(people, people.c.id == _HELD.c.principal_id)
    own = (_HELD.c.tenant_id == tenant, _HELD.c.group == "", sa.or_(people.c.tenant_id == tenant, _HELD.c.binding != ""))
    found = tx.execute(named.where(*own).order_by(people.c.name, *_TOLD)).all()
    return (*(Holder(row.kind, row.holder, _held(row)) for row in found), *_groups(tx, tenant))


def _groups(tx: Tx, tenant: str) -> tuple[Holder, ...]:
    rows, groups = tables.bindings, tables.binding_groups
    same = sa.and_(rows.c.tenant_id == groups.c.tenant_id, rows.c.id == groups.c.binding_id)
    role = sa.and_(_ROLES.c.tenant_id == rows.c.tenant_id, _ROLES.c.name == rows.c.role)
    columns = ("tenant_id", "role", "project_id", "app_id", "cluster_labels", "until", "networks", "fresh_s", "break_glass")
    query = sa.select(
        *(rows.c[name] for name in columns),
        rows.c.name.label("binding"),
        rows.c.id.label("binding_id"),
        sa.literal("").label("group"),
        _ROLES.c.permissions,
        sa.null().label("taken"),
        groups.c.name.label("holder"),
    ).select_from(groups.join(rows, same).outerjoin(_ROLES, role))
    found = tx.execute(query.where(groups.c.tenant_id == tenant).order_by(groups.c.name, rows.c.role, rows.c.name, rows.c.id)).all()
    return tuple(Holder("group", row.holder, _held(row)) for row in found)


def of_groups(tx: Tx, tenant: str) -> tuple[access.Grant, ...]:
    """What groups hold in a tenant, or may take."""
    return tuple(each.held.grant for each in _groups(tx, tenant))


def everything(tx: Tx, principal: str, *, home: str) -> tuple[Held, ...]:
    """What a principal holds or may take, and through what; a dispatch transaction, or one of its home, sees all of it."""
    return tuple(_held(row) for row in tx.execute(_OF_ONE, {"principal": principal, "home": home}))


def giving(tx: Tx, tenant: str, principal: str) -> tuple[access.Grant, ...]:
    """What a principal of the tenant holds, or may take; of the platform's people also in tenants."""
    return tuple(dict.fromkeys(each.grant for each in everything(tx, principal, home=tenant)))


def _now(held: Held) -> access.Grant:
    """A break-glass role ends when its taking does."""
    if held.taken is None:
        return held.grant
    terms = held.grant.terms
    ends = min(terms.until, held.taken) if terms.until else held.taken
    return msgspec.structs.replace(held.grant, terms=msgspec.structs.replace(terms, until=ends))


def _held(row: Row) -> Held:
    grant = access.Grant(
        row.role,
        "" if row.tenant_id == tables.NIL else row.tenant_id,
        row.project_id or "",
        row.app_id or "",
        tuple(row.permissions or ()),
        terms(row._mapping),  # noqa: SLF001 - SQLAlchemy's public name for it
    )
    return Held(grant, row.binding, row.binding_id, row.group, row.break_glass, row.taken)


def terms(row: Mapping[str, Any] | sa.RowMapping) -> conditions.Terms:
    """From the columns of a binding."""
    if not (row["cluster_labels"] or row["until"] or row["networks"] or row["fresh_s"]):
        return conditions.ALWAYS
    return conditions.Terms(tuple(sorted(row["cluster_labels"].items())), row["until"], tuple(row["networks"]), row["fresh_s"])
