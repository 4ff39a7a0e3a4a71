"""What apps take for themselves by keeping it: written with their releases, looked up for a batch at once."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from plane.domain.judging import claims
from plane.store import batches, wake
from plane.store.engine import Tx
from plane.store.layout import claim_tables, columns, tables

CLAIMS, APPS, PROJECTS = claim_tables.claims, tables.apps, tables.projects


class New(msgspec.Struct, frozen=True):
    """What an app's new release claims; it is held once policy allows it."""

    app_id: str
    names: frozenset[str]
    held: bool


def wanted(tx: Tx, tenant: str, apps: Sequence[str]) -> dict[str, frozenset[str]]:
    """What the newest releases of apps claim, by app."""
    found: dict[str, set[str]] = {}
    for row in tx.execute(_WANTED, {"tenant": tenant, "ids": list(apps)}):
        found.setdefault(row.app_id, set()).add(row.name)
    return {app: frozenset(names) for app, names in found.items()}


_WANTED = sa.select(CLAIMS.c.app_id, CLAIMS.c.name).where(
    CLAIMS.c.tenant_id == sa.bindparam("tenant"), columns.among(CLAIMS.c.app_id, "ids"), CLAIMS.c.wanted
)


def neighbours(tx: Tx, tenant: str, asked: Mapping[str, frozenset[str]]) -> dict[str, tuple[claims.Neighbour, ...]]:
    """Who held before each of these apps what it names, by app; one statement for any number."""
    found: dict[str, list[claims.Neighbour]] = {}
    for row in tx.execute(_NEIGHBOURS, {"tenant": tenant, "asked": _asked(asked)}):
        one = claims.Neighbour(row.name, row.claim or "", f"{row.project}/{row.owner}" if row.owner else "")
        found.setdefault(row.app, []).append(one)
    return {app: tuple(several) for app, several in found.items()}


_FOUND = sa.func.plane_neighbours(sa.cast(sa.bindparam("asked", type_=sa.Text), sa.JSON)).table_valued(
    sa.column("app", APPS.c.id.type), sa.column("name", sa.Text()), sa.column("claim", sa.Text()), sa.column("other", APPS.c.id.type)
)
_OWNER = sa.and_(APPS.c.tenant_id == sa.bindparam("tenant"), APPS.c.id == _FOUND.c.other)
_PROJECT = sa.and_(PROJECTS.c.tenant_id == APPS.c.tenant_id, PROJECTS.c.id == APPS.c.project_id)
_NEIGHBOURS = sa.select(
    _FOUND.c.app, _FOUND.c.name, _FOUND.c.claim, APPS.c.name.label("owner"), PROJECTS.c.name.label("project")
).select_from(_FOUND.outerjoin(APPS, _OWNER).outerjoin(PROJECTS, _PROJECT))


def add(tx: Tx, tenant: str, made: Sequence[New]) -> dict[str, frozenset[str]]:
    """Write what new releases claim; two statements for any number. What each app took or let go, by app.

    A release that is refused takes nothing, and the one before it holds what it held.
    """
    if not made:
        return {}
    rows = [{"app_id": one.app_id, "name": name, "held": one.held} for one in made for name in sorted(one.names)]
    values = {"tenant": tenant, "rows": batches.packed(rows), "apps": [one.app_id for one in made]}
    values |= {"allowed": [one.app_id for one in made if one.held]}
    moved: dict[str, set[str]] = {}
    for statement in (_GONE, _TAKEN):
        for row in tx.execute(statement, values):
            moved.setdefault(row.app_id, set()).add(row.name)
    tx.execute(_UNWANTED, values)
    return {app: frozenset(names) for app, names in moved.items()}


_GIVEN = "json_to_recordset(CAST(:rows AS json)) AS g(app_id uuid, name text, held boolean)"
_OTHERS = f"""
    c.tenant_id = CAST(:tenant AS uuid) AND c.app_id = ANY(CAST(:apps AS uuid[]))
    AND NOT EXISTS (SELECT 1 FROM {_GIVEN} WHERE g.app_id = c.app_id AND g.name = c.name)
"""  # noqa: S608 - our own words
_UNWANTED = sa.text(f"UPDATE claims c SET wanted = false WHERE {_OTHERS} AND c.wanted")  # noqa: S608 - our own words
_GONE = sa.text(
    f"""
    DELETE FROM claims c WHERE {_OTHERS} AND (NOT c.held OR c.app_id = ANY(CAST(:allowed AS uuid[]))) RETURNING c.app_id, c.name
    """  # noqa: S608 - our own words
)
_TAKEN = sa.text(
    f"""
    INSERT INTO claims AS c (tenant_id, app_id, name, wanted, held)
    SELECT CAST(:tenant AS uuid), g.app_id, g.name, true, g.held FROM {_GIVEN} ORDER BY g.app_id, g.name
    ON CONFLICT (tenant_id, app_id, name) DO UPDATE SET wanted = true, held = c.held OR excluded.held,
        since = CASE WHEN c.held THEN c.since ELSE now() END
    WHERE NOT c.wanted OR (excluded.held AND NOT c.held) RETURNING c.app_id, c.name
    """  # noqa: S608 - our own words
)


def stir(tx: Tx, moved: Mapping[str, frozenset[str]], now: dt.datetime) -> None:
    """Make due who wants what others took or let go; a dispatch transaction. Who is at work at this moment looks again by itself."""
    asked = {app: kept for app, names in moved.items() if (kept := frozenset(name for name in names if name.startswith(claims.ALONE)))}
    if asked and tx.execute(_STIR, {"asked": _asked(asked), "now": now}).rowcount:
        wake.notify(tx, "plane_due")


_CONTENDERS = sa.func.plane_contenders(sa.cast(sa.bindparam("asked", type_=sa.Text), sa.JSON)).table_valued(
    sa.column("tenant", APPS.c.tenant_id.type), sa.column("app", APPS.c.id.type)
)
_STIR = (
    sa.update(APPS)
    .where(APPS.c.tenant_id == _CONTENDERS.c.tenant, APPS.c.id == _CONTENDERS.c.app)
    .values(due_at=sa.bindparam("now", type_=APPS.c.due_at.type))
)


def _asked(names: Mapping[str, Iterable[str]]) -> str:
    meant = ((app, one) for app, several in names.items() for one in claims.spans(several))
    return batches.packed([{"app": app, "name": one.name, "low": one.low, "high": one.high} for app, one in meant])
