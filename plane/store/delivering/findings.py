"""Findings of apps: opened and closed by the batches that judge, read as lists and as sums."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from plane.domain import access
from plane.store import batches
from plane.store.engine import Row, Tx
from plane.store.layout import columns, decision_tables, tables
from plane.store.people import reached

FINDINGS = decision_tables.findings
APPS, PROJECTS = tables.apps, tables.projects
By = Literal["policy", "rule", "project", "app"]
TREND = dt.timedelta(days=7)

_SAID = ("mode", "severity", "message", "by", "waiver", "count", "last_seen")
_NAMES = ("tenant_id", "id", "project_id", "app_id", "key", "policy", "rule", "object", "first_seen", *_SAID)
_INSERT = batches.insertion(FINDINGS, _NAMES)
_AGAIN = FINDINGS.c.closed_at.is_not(None)
_OPEN = _INSERT.on_conflict_do_update(
    index_elements=[FINDINGS.c.tenant_id, FINDINGS.c.app_id, FINDINGS.c.key],
    set_={
        **{name: _INSERT.excluded[name] for name in _SAID},
        **{name: sa.case((_AGAIN, _INSERT.excluded[name]), else_=FINDINGS.c[name]) for name in ("id", "first_seen")},
        "closed_at": None,
    },
)
_CLOSE = (
    sa.update(FINDINGS)
    .where(
        FINDINGS.c.tenant_id == sa.bindparam("tenant"),
        columns.among(FINDINGS.c.app_id, "apps"),
        FINDINGS.c.closed_at.is_(None),
        FINDINGS.c.last_seen < sa.bindparam("now"),
    )
    .values(closed_at=sa.bindparam("now"))
)


def settle(tx: Tx, tenant: str, apps: Sequence[str], found: Sequence[Mapping[str, Any]], now: dt.datetime) -> None:
    """What apps break by what was judged now: two statements; the rest of theirs is over."""
    if found:
        tx.execute(_OPEN, {"rows": batches.packed([{"tenant_id": tenant, "first_seen": now, "last_seen": now, **one} for one in found])})
    tx.execute(_CLOSE, {"tenant": tenant, "apps": list(apps), "now": now})


class Wanted(msgspec.Struct, frozen=True):
    """Which findings: by names; `over`: those that were closed rather than those that are open; older than an id."""

    project: str = ""
    app: str = ""
    policy: str = ""
    rule: str = ""
    mode: str = ""
    over: bool = False
    before: str = ""
    limit: int = 50


def page(tx: Tx, tenant: str, wanted: Wanted, reach: access.Reach) -> list[Row]:
    """Newest first."""
    older = [FINDINGS.c.id < wanted.before] if wanted.before else []
    still = FINDINGS.c.closed_at.is_not(None) if wanted.over else FINDINGS.c.closed_at.is_(None)
    query = _SHOWN.where(*_where(tenant, wanted, reach), still, *older)
    return list(tx.execute(query.order_by(FINDINGS.c.id.desc()).limit(wanted.limit)))


def sums(tx: Tx, tenant: str, by: By, wanted: Wanted, reach: access.Reach, *, now: dt.datetime) -> list[Row]:
    """How many by policy, rule, project or app, most first: those open, waived ones, and what opened and closed of late."""
    group: dict[By, tuple[sa.ColumnElement[str], ...]] = {
        "policy": (FINDINGS.c.policy,),
        "rule": (FINDINGS.c.policy, FINDINGS.c.rule),
        "project": (PROJECTS.c.name,),
        "app": (PROJECTS.c.name, APPS.c.name),
    }
    still, since = FINDINGS.c.closed_at.is_(None), now - TREND
    count = sa.func.count
    counted = (
        count().filter(still).label("open"),
        count().filter(still, FINDINGS.c.waiver != "").label("waived"),
        count().filter(still, FINDINGS.c.mode.in_(["deny", "require-approval"]), FINDINGS.c.waiver == "").label("stopping"),
        count(sa.distinct(FINDINGS.c.app_id)).filter(still).label("apps"),
        count().filter(still, FINDINGS.c.first_seen >= since).label("opened"),
        count().filter(FINDINGS.c.closed_at >= since).label("closed"),
        sa.func.min(FINDINGS.c.first_seen).filter(still).label("oldest"),
    )
    name = sa.func.concat_ws("/", *group[by]).label("name")
    query = sa.select(name, *counted).select_from(_JOINED).where(*_where(tenant, wanted, reach)).group_by(name)
    return list(tx.execute(query.order_by(sa.desc("open"), "name").limit(wanted.limit)))


def _where(tenant: str, wanted: Wanted, reach: access.Reach) -> list[sa.ColumnElement[bool]]:
    named = (
        (PROJECTS.c.name, wanted.project),
        (APPS.c.name, wanted.app),
        (FINDINGS.c.policy, wanted.policy),
        (FINDINGS.c.rule, wanted.rule),
        (FINDINGS.c.mode, wanted.mode),
    )
    return [FINDINGS.c.tenant_id == tenant, *reached.within(reach), *(column == text for column, text in named if text)]


_JOINED = FINDINGS.join(APPS, sa.and_(APPS.c.tenant_id == FINDINGS.c.tenant_id, APPS.c.id == FINDINGS.c.app_id)).join(
    PROJECTS, sa.and_(PROJECTS.c.tenant_id == APPS.c.tenant_id, PROJECTS.c.id == APPS.c.project_id)
)
_SHOWN = sa.select(FINDINGS, APPS.c.name.label("app"), PROJECTS.c.name.label("project")).select_from(_JOINED)
