"""Principals and their roles; and names → ids for authorisation."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import access
from plane.store.engine import Tx
from plane.store.layout import tables
from plane.store.people import bindings

PRINCIPALS, BINDINGS, HELD = tables.principals, tables.role_bindings, bindings.HELD
TENANTS, PROJECTS = tables.tenants, tables.projects


class Person(msgspec.Struct, frozen=True):
    """A principal with its roles, for lists."""

    id: str
    name: str
    kind: str
    disabled: bool
    created_at: dt.datetime
    roles: tuple[tuple[str, str, str], ...]  # role, project name or empty, binding's name or empty


def place(tx: Tx, tenant: str, project: str) -> tuple[str, str] | None:
    """Ids of a tenant and a project by their names (an unknown project: empty); a dispatch transaction."""
    same = sa.and_(PROJECTS.c.tenant_id == TENANTS.c.id, PROJECTS.c.name == project)
    query = sa.select(TENANTS.c.id, PROJECTS.c.id.label("project")).select_from(TENANTS.outerjoin(PROJECTS, same))
    row = tx.execute(query.where(TENANTS.c.name == tenant)).one_or_none()
    return row and (row.id, row.project or "")


def named(tx: Tx, grants: Sequence[access.Grant]) -> tuple[dict[str, str], dict[str, str]]:
    """Names of the tenants and of the projects that grants speak of, by id; a dispatch transaction."""
    tenants = {grant.tenant for grant in grants if grant.tenant}
    projects = {grant.project for grant in grants if grant.project}
    found = tx.execute(sa.select(TENANTS.c.id, TENANTS.c.name).where(TENANTS.c.id.in_(tenants))).all()
    below = tx.execute(
        sa.select(PROJECTS.c.id, PROJECTS.c.name).where(PROJECTS.c.tenant_id.in_(tenants), PROJECTS.c.id.in_(projects))
    ).all()
    return {row.id: row.name for row in found}, {row.id: row.name for row in below}


def find(tx: Tx, tenant: str, name: str) -> str:
    """The id of a principal, or the empty string."""
    return (
        tx.execute(sa.select(PRINCIPALS.c.id).where(PRINCIPALS.c.tenant_id == tenant, PRINCIPALS.c.name == name)).scalar_one_or_none() or ""
    )


def ids(tx: Tx, tenant: str, names: Iterable[str], *, held: bool = True) -> dict[str, tuple[str, str]]:
    """Name → id and kind of those that are there.

    `held`: they stay until the transaction ends, which a dispatch transaction cannot ask for.
    """
    found = sa.select(PRINCIPALS.c.name, PRINCIPALS.c.id, PRINCIPALS.c.kind)
    query = found.where(PRINCIPALS.c.tenant_id == tenant, PRINCIPALS.c.name.in_(sorted(set(names))))
    rows = tx.execute(query.with_for_update(read=True, key_share=True) if held else query)
    return {row.name: (row.id, row.kind) for row in rows}


def add(tx: Tx, tenant: str, *, identity: str, name: str, kind: str) -> bool:
    """False when the name is taken."""
    row = {"tenant_id": tenant, "id": identity, "name": name, "kind": kind}
    return tx.execute(pg.insert(PRINCIPALS).values(row).on_conflict_do_nothing().returning(PRINCIPALS.c.id)).one_or_none() is not None


def page(tx: Tx, tenant: str, *, after: str, limit: int) -> tuple[Person, ...]:
    """Principals by name with their roles in the tenant."""
    here = (PRINCIPALS.c.tenant_id == tenant, PRINCIPALS.c.name > after)
    found = tx.execute(_PAGE.where(*here).order_by(PRINCIPALS.c.name).limit(limit))
    return tuple(Person(row.id, row.name, row.kind, row.disabled, row.created_at, tuple((*role,) for role in row.roles)) for row in found)


_ROLE = sa.func.json_build_array(HELD.c.role, HELD.c.project, HELD.c.binding)
_ROLES = (
    sa.select(sa.func.coalesce(sa.func.json_agg(_ROLE).aggregate_order_by(HELD.c.project, HELD.c.role, HELD.c.binding), sa.text("'[]'")))
    .where(HELD.c.tenant_id == PRINCIPALS.c.tenant_id, HELD.c.principal_id == PRINCIPALS.c.id)
    .scalar_subquery()
)
_PAGE = sa.select(
    *(PRINCIPALS.c[name] for name in ("id", "name", "kind")),
    PRINCIPALS.c.disabled_at.is_not(None).label("disabled"),
    PRINCIPALS.c.created_at,
    _ROLES.label("roles"),
)


def set_disabled(tx: Tx, tenant: str, identity: str, *, disabled: bool, now: dt.datetime) -> None:
    """Shut a principal out (its tokens with it), or let it in again."""
    mine = sa.update(PRINCIPALS).where(PRINCIPALS.c.tenant_id == tenant, PRINCIPALS.c.id == identity)
    tx.execute(mine.values(disabled_at=now if disabled else None, updated_at=now, version=PRINCIPALS.c.version + 1))


def bind(tx: Tx, tenant: str, row: Mapping[str, Any]) -> bool:
    """Give a role by hand; False when it was given before. `row`: id, principal_id, role, project_id."""
    made = pg.insert(BINDINGS).values({"tenant_id": tenant, **row}).on_conflict_do_nothing().returning(BINDINGS.c.id)
    return tx.execute(made).one_or_none() is not None


def unbind(tx: Tx, tenant: str, *, principal: str, role: str, project: str | None) -> bool:
    """Take a role that was given by hand; False when it was not."""
    where = (
        BINDINGS.c.tenant_id == tenant,
        BINDINGS.c.principal_id == principal,
        BINDINGS.c.role == role,
        BINDINGS.c.project_id.is_not_distinct_from(project),
    )
    return tx.execute(sa.delete(BINDINGS).where(*where).returning(BINDINGS.c.id)).one_or_none() is not None


def forget_tenant(tx: Tx, tenant: str) -> None:
    """Remove a tenant's people with the tenant; a platform transaction."""
    tx.execute(sa.delete(PRINCIPALS).where(PRINCIPALS.c.tenant_id == tenant))
    for table in (BINDINGS, tables.bindings, tables.roles, tables.approvals):
        tx.execute(sa.delete(table).where(table.c.tenant_id == tenant))
