"""Role bindings that are documents, and what people hold: by hand or by a document, read as one table."""

import datetime as dt
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql as pg

from plane.domain import access, errors
from plane.store import documents
from plane.store.engine import Tx
from plane.store.layout import tables

BINDINGS, SUBJECTS, BY_HAND = tables.bindings, tables.binding_subjects, tables.role_bindings
PRINCIPALS, PROJECTS = tables.principals, tables.projects
SHELF = documents.plain(BINDINGS)
ADMINS_LOCK = 0x61646D696E73  # "admins": two who take away a platform-admin wait for each other

_by_hand = sa.select(
    BY_HAND.c.tenant_id,
    BY_HAND.c.principal_id,
    BY_HAND.c.role,
    BY_HAND.c.project_id,
    sa.func.coalesce(PROJECTS.c.name, "").label("project"),
    sa.cast(tables.NIL, pg.UUID(as_uuid=False)).label("binding_id"),
    sa.literal("").label("binding"),
).select_from(BY_HAND.outerjoin(PROJECTS, sa.and_(PROJECTS.c.tenant_id == BY_HAND.c.tenant_id, PROJECTS.c.id == BY_HAND.c.project_id)))
_by_document = sa.select(
    SUBJECTS.c.tenant_id,
    SUBJECTS.c.principal_id,
    BINDINGS.c.role,
    BINDINGS.c.project_id,
    sa.func.coalesce(BINDINGS.c.spec["project"].astext, "").label("project"),
    BINDINGS.c.id.label("binding_id"),
    BINDINGS.c.name.label("binding"),
).select_from(SUBJECTS.join(BINDINGS, sa.and_(BINDINGS.c.tenant_id == SUBJECTS.c.tenant_id, BINDINGS.c.id == SUBJECTS.c.binding_id)))
HELD = sa.union_all(_by_hand, _by_document).subquery("held")  # `binding_id` NIL, `binding` empty: given by hand


class Changed(msgspec.Struct, frozen=True):
    """A binding that lost a subject."""

    tenant: str
    id: str
    name: str
    project: str  # an id, or empty
    before: access.RoleBindingSpec
    after: access.RoleBindingSpec


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


def project(tx: Tx, tenant: str, name: str) -> str | None:
    """The id of a project, which stays until the transaction ends."""
    query = sa.select(PROJECTS.c.id).where(PROJECTS.c.tenant_id == tenant, PROJECTS.c.name == name)
    return tx.execute(query.with_for_update(read=True, key_share=True)).scalar_one_or_none()


def giving(tx: Tx, tenant: str, principal: str, *, role: str, project: str | None) -> tuple[str, ...]:
    """Names of the bindings that give somebody a role there."""
    mine = (HELD.c.tenant_id == tenant, HELD.c.principal_id == principal, HELD.c.binding != "")
    there = (HELD.c.role == role, HELD.c.project_id.is_not_distinct_from(project))
    return tuple(tx.execute(sa.select(HELD.c.binding).where(*mine, *there).order_by(HELD.c.binding)).scalars())


def forget(tx: Tx, principal: str, subject: access.Subject, *, home: str, now: dt.datetime) -> tuple[Changed, ...]:
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


def _without(row: documents.Row, subject: access.Subject, home: str) -> Changed:
    before = msgspec.convert(row.spec, access.RoleBindingSpec)
    gone = subject if row.tenant_id == home else msgspec.structs.replace(subject, platform=True)
    kept = tuple(each for each in before.subjects if each != gone)
    after = msgspec.structs.replace(before, subjects=kept)
    return Changed(row.tenant_id, row.id, row.name, row.project_id or "", before, after)


def an_admin_is_left(tx: Tx, *, without: str = tables.NIL) -> bool:
    """Whether the platform would have an admin who is not disabled, `without` this user or this binding; a platform transaction.

    Whoever else asks waits until this transaction ends, so that two admins cannot remove each other.
    """
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:id)"), {"id": ADMINS_LOCK})
    holds = (HELD.c.tenant_id == tables.NIL, HELD.c.role == "platform-admin", HELD.c.principal_id == PRINCIPALS.c.id)
    other = (PRINCIPALS.c.id != without, sa.or_(HELD.c.binding_id != without, HELD.c.binding == ""))
    active = (PRINCIPALS.c.tenant_id == tables.NIL, PRINCIPALS.c.disabled_at.is_(None))
    return bool(tx.execute(sa.select(sa.exists().where(*holds, *other, *active))).scalar_one())
