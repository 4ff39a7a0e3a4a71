"""Role bindings that are documents, and what people hold: by hand or by a document, read as one table."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql as pg

from plane.domain import errors
from plane.domain.granting import bindings
from plane.store import documents
from plane.store.engine import Tx
from plane.store.layout import tables

BINDINGS, SUBJECTS, GROUPS, BY_HAND = tables.bindings, tables.binding_subjects, tables.binding_groups, tables.role_bindings
PRINCIPALS, PROJECTS, GLASS = tables.principals, tables.projects, tables.glass
SHELF = documents.plain(BINDINGS)
ADMINS_LOCK = 0x61646D696E73  # "admins": two who take away a platform-admin wait for each other

_NOBODY = sa.cast(tables.NIL, pg.UUID(as_uuid=False))
_TERMS = ("app_id", "cluster_labels", "until", "networks", "fresh_s", "break_glass")


def _by_hand(project: sa.ColumnElement[str]) -> sa.Select[Any]:
    place = sa.and_(PROJECTS.c.tenant_id == BY_HAND.c.tenant_id, PROJECTS.c.id == BY_HAND.c.project_id)
    return sa.select(
        *(BY_HAND.c[name] for name in ("tenant_id", "principal_id", "role", "project_id")),
        project.label("project"),
        _NOBODY.label("binding_id"),
        sa.literal("").label("binding"),
        sa.literal("").label("group"),
        sa.null().cast(pg.UUID(as_uuid=False)).label("app_id"),
        sa.literal_column("'{}'::jsonb", pg.JSONB).label("cluster_labels"),
        sa.null().cast(pg.TIMESTAMP(timezone=True)).label("until"),
        sa.literal_column("'{}'::text[]", pg.ARRAY(sa.Text)).label("networks"),
        sa.literal_column("0::bigint", sa.BigInteger).label("fresh_s"),
        sa.false().label("break_glass"),
    ).select_from(BY_HAND.outerjoin(PROJECTS, place))


def _of_document(project: sa.ColumnElement[str], principal: sa.ColumnElement[str], group: sa.ColumnElement[str]) -> sa.Select[Any]:
    return sa.select(
        BINDINGS.c.tenant_id,
        principal.label("principal_id"),
        BINDINGS.c.role,
        BINDINGS.c.project_id,
        project.label("project"),
        BINDINGS.c.id.label("binding_id"),
        BINDINGS.c.name.label("binding"),
        group.label("group"),
        *(BINDINGS.c[name] for name in _TERMS),
    )


def _named(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(BINDINGS.c.tenant_id == table.c.tenant_id, BINDINGS.c.id == table.c.binding_id)


# A group is its own tenant's, or the platform's where the binding says so.
_MEMBER = sa.and_(
    GROUPS.c.name == sa.any_(PRINCIPALS.c.groups),
    PRINCIPALS.c.tenant_id == sa.case((GROUPS.c.platform, _NOBODY), else_=GROUPS.c.tenant_id),
)


def _all(name: str, *, project: sa.ColumnElement[str], of_document: sa.ColumnElement[str]) -> sa.Subquery:
    by_document = _of_document(of_document, SUBJECTS.c.principal_id, sa.literal("")).select_from(SUBJECTS.join(BINDINGS, _named(SUBJECTS)))
    members = PRINCIPALS.join(GROUPS, _MEMBER).join(BINDINGS, _named(GROUPS))
    by_group = _of_document(of_document, PRINCIPALS.c.id, GROUPS.c.name).select_from(members)
    return sa.union_all(_by_hand(project), by_document, by_group).subquery(name)


# What principals hold; `binding_id` NIL, `binding` empty: given by hand. GRANTED names no projects, so that dispatch may read it.
HELD = _all("held", project=sa.func.coalesce(PROJECTS.c.name, ""), of_document=sa.func.coalesce(BINDINGS.c.spec["project"].astext, ""))
GRANTED = _all("granted", project=sa.literal(""), of_document=sa.literal(""))


class Changed(msgspec.Struct, frozen=True):
    """A binding that lost a subject."""

    tenant: str
    id: str
    name: str
    project: str  # an id, or empty
    before: bindings.RoleBindingSpec
    after: bindings.RoleBindingSpec


def give(tx: Tx, tenant: str, binding: str, principals: Iterable[str]) -> None:
    """Make these principals, and no others, the subjects of the binding.

    Raises:
        Conflict: one of them went meanwhile.
    """
    here = (SUBJECTS.c.tenant_id == tenant, SUBJECTS.c.binding_id == binding)
    wanted = sorted(set(principals))
    tx.execute(sa.delete(SUBJECTS).where(*here, SUBJECTS.c.principal_id.not_in(wanted)))
    rows = [{"tenant_id": tenant, "binding_id": binding, "principal_id": principal} for principal in wanted]
    try:
        if rows:
            tx.execute(pg.insert(SUBJECTS).values(rows).on_conflict_do_nothing())
    except exc.IntegrityError as e:  # the platform's people are not this tenant's to hold still
        message = "a user that this binding names was deleted meanwhile; read its subjects again and repeat the change"
        raise errors.Conflict(message) from e


def give_groups(tx: Tx, tenant: str, binding: str, subjects: Iterable[bindings.Subject]) -> None:
    """Make these groups, and no others, subjects of the binding."""
    here = (GROUPS.c.tenant_id == tenant, GROUPS.c.binding_id == binding)
    tx.execute(sa.delete(GROUPS).where(*here))
    rows = [{"tenant_id": tenant, "binding_id": binding, "name": each.name, "platform": each.platform} for each in subjects]
    if rows:
        tx.execute(sa.insert(GROUPS).values(rows))


def project(tx: Tx, tenant: str, name: str) -> str | None:
    """The id of a project, which stays until the transaction ends."""
    query = sa.select(PROJECTS.c.id).where(PROJECTS.c.tenant_id == tenant, PROJECTS.c.name == name)
    return tx.execute(query.with_for_update(read=True, key_share=True)).scalar_one_or_none()


def app(tx: Tx, tenant: str, project: str, name: str) -> str | None:
    """The id of an app, which stays until the transaction ends."""
    table = tables.apps
    query = sa.select(table.c.id).where(table.c.tenant_id == tenant, table.c.project_id == project, table.c.name == name)
    return tx.execute(query.with_for_update(read=True, key_share=True)).scalar_one_or_none()


def role(tx: Tx, tenant: str, name: str) -> tuple[str, ...] | None:
    """The permissions of a tenant's own role, which stays until the transaction ends."""
    query = sa.select(tables.roles.c.permissions).where(tables.roles.c.tenant_id == tenant, tables.roles.c.name == name)
    found = tx.execute(query.with_for_update(read=True)).scalar_one_or_none()
    return None if found is None else tuple(found)


def using(tx: Tx, tenant: str, role_name: str) -> tuple[str, ...]:
    """What gives a role, as words: bindings by name, people who have it by hand."""
    found = tx.execute(
        sa.select(BINDINGS.c.name).where(BINDINGS.c.tenant_id == tenant, BINDINGS.c.role == role_name).order_by(BINDINGS.c.name)
    )
    same = sa.and_(PRINCIPALS.c.tenant_id == BY_HAND.c.tenant_id, PRINCIPALS.c.id == BY_HAND.c.principal_id)
    people = sa.select(sa.func.coalesce(PRINCIPALS.c.name, "one of the platform's people")).select_from(BY_HAND.outerjoin(PRINCIPALS, same))
    by_hand = tx.execute(people.where(BY_HAND.c.tenant_id == tenant, BY_HAND.c.role == role_name).distinct())
    return (*(f"rolebinding {name}" for name in found.scalars()), *(f"hand to {name}" for name in by_hand.scalars()))


def giving(tx: Tx, tenant: str, principal: str, *, role: str, project: str | None) -> tuple[str, ...]:
    """Names of the bindings that give somebody a role there."""
    mine = (HELD.c.tenant_id == tenant, HELD.c.principal_id == principal, HELD.c.binding != "", HELD.c.app_id.is_(None))
    there = (HELD.c.role == role, HELD.c.project_id.is_not_distinct_from(project))
    return tuple(tx.execute(sa.select(HELD.c.binding).where(*mine, *there).order_by(HELD.c.binding)).scalars())


def forget(tx: Tx, principal: str, subject: bindings.Subject, *, home: str, now: dt.datetime) -> tuple[Changed, ...]:
    """Take somebody out of every binding that this transaction sees; `subject` as bindings of the tenant `home` write it."""
    named = sa.exists().where(
        SUBJECTS.c.tenant_id == BINDINGS.c.tenant_id, SUBJECTS.c.binding_id == BINDINGS.c.id, SUBJECTS.c.principal_id == principal
    )
    found = tx.execute(sa.select(BINDINGS).where(named).order_by(BINDINGS.c.id).with_for_update()).all()
    changed = tuple(_without(row, subject, home) for row in found)
    for each in changed:
        here = (BINDINGS.c.tenant_id == each.tenant, BINDINGS.c.id == each.id)
        spec = msgspec.to_builtins(each.after)
        tx.execute(sa.update(BINDINGS).where(*here).values(spec=spec, version=BINDINGS.c.version + 1, updated_at=now))
    return changed


def _without(row: documents.Row, subject: bindings.Subject, home: str) -> Changed:
    before = msgspec.convert(row.spec, bindings.RoleBindingSpec)
    gone = subject if row.tenant_id == home else msgspec.structs.replace(subject, platform=True)
    kept = tuple(each for each in before.subjects if each != gone)
    after = msgspec.structs.replace(before, subjects=kept)
    return Changed(row.tenant_id, row.id, row.name, row.project_id or "", before, after)


def an_admin_is_left(tx: Tx, *, without: str = tables.NIL) -> bool:
    """Whether the platform would have an admin who is not disabled, `without` this user or this binding; a platform transaction.

    Whoever else asks waits until this transaction ends, so that two admins cannot remove each other.
    """
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:id)"), {"id": ADMINS_LOCK})
    holds = (HELD.c.tenant_id == tables.NIL, HELD.c.role == "platform-admin", HELD.c.principal_id == PRINCIPALS.c.id, *_ALWAYS)
    other = (PRINCIPALS.c.id != without, sa.or_(HELD.c.binding_id != without, HELD.c.binding == ""))
    active = (PRINCIPALS.c.tenant_id == tables.NIL, PRINCIPALS.c.disabled_at.is_(None))
    return bool(tx.execute(sa.select(sa.exists().where(*holds, *other, *active))).scalar_one())


_ALWAYS = (  # no term that a day may not meet
    HELD.c.until.is_(None),
    HELD.c.networks == [],
    HELD.c.fresh_s == 0,
    HELD.c.break_glass.is_(False),
)
