"""Where each app stands: what is wanted, what was decided, what the agent last said. One row an app, read by lists, written in batches."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import apps as domain
from plane.domain import resource_rules as rules
from plane.domain import tenancy
from plane.domain.deciding import decide
from plane.domain.judging import policy
from plane.domain.timing import rollbacks, schedules
from plane.store import batches, engine
from plane.store.delivering import facts, project_rules, resource_rules
from plane.store.engine import Tx
from plane.store.layout import columns, tables
from plane.wire import agent

APPS, STATES, RELEASES = tables.apps, tables.app_states, tables.releases


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the source found for an app: a release, or a problem that leaves the release before in place."""

    app_id: str
    project_id: str
    roots: tuple[str, ...] | None = None  # None: unchanged
    release_id: str | None = None
    digest: str = ""
    commit: str = ""
    seen: str = ""
    problem: decide.Problem | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A locked app, ready to be decided about."""

    id: str
    tenant_id: str
    name: str
    project_id: str
    project: str
    cluster_id: str
    generation: int
    failures: int
    cluster: facts.Cluster | None
    situation: decide.Situation
    orphan: bool  # deleted without its objects
    rules: tenancy.ProjectSpec = tenancy.ProjectSpec()  # the project's, with those it inherits
    above: tenancy.TenantSpec = tenancy.TenantSpec()


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What dispatch made of a row."""

    app_id: str
    decision: decide.Decision
    generation: int
    attempt: decide.Attempt | None
    failures: int
    consumed: bool  # the request was taken up
    mark: rollbacks.Mark | None = None  # an automatic rollback began


def lock(tx: Tx, tenant: str, ids: Sequence[str]) -> None:
    """Hold the apps until the transaction ends, in one order, so that two batches never wait for each other."""
    tx.execute(_LOCK, {"tenant": tenant, "ids": list(ids)})


_MINE = sa.and_(APPS.c.tenant_id == sa.bindparam("tenant"), columns.among(APPS.c.id, "ids"))
_LOCK = sa.select(APPS.c.id).where(_MINE).order_by(APPS.c.id).with_for_update()


def looked(tx: Tx, tenant: str, found: Sequence[Looked], now: dt.datetime) -> None:
    """Write what looks found; apps with unchanged roots are not touched."""
    if not found:
        return
    tx.execute(_LOOKED, {"rows": batches.packed([_looked_row(tenant, look, now) for look in found])})
    moved = [{"tenant": tenant, "app": look.app_id, "new_roots": list(look.roots)} for look in found if look.roots is not None]
    if moved:
        tx.execute(_MOVED, moved)


def _kept(insert: pg.Insert) -> dict[str, sa.ColumnElement[Any]]:
    """A look that found nothing new leaves the release before in place."""
    newer = {name: insert.excluded[name] for name in ("release_id", "digest", "commit", "seen", "problem", "updated_at")}
    words = {name: sa.case((newer[name] != "", newer[name]), else_=STATES.c[name]) for name in ("digest", "commit", "seen")}
    return {**newer, **words, "release_id": sa.func.coalesce(newer["release_id"], STATES.c.release_id)}


_ONE = sa.and_(APPS.c.tenant_id == sa.bindparam("tenant"), APPS.c.id == sa.bindparam("app"))
_INSERT = batches.insertion(
    STATES, ("tenant_id", "app_id", "project_id", "release_id", "digest", "commit", "seen", "problem", "updated_at")
)
_LOOKED = _INSERT.on_conflict_do_update(index_elements=["tenant_id", "app_id"], set_=_kept(_INSERT))
_MOVED = sa.update(APPS).where(_ONE).values(roots=sa.bindparam("new_roots", type_=APPS.c.roots.type))


def _looked_row(tenant: str, look: Looked, now: dt.datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant,
        "app_id": look.app_id,
        "project_id": look.project_id,
        "release_id": look.release_id,
        "digest": look.digest,
        "commit": look.commit,
        "seen": look.seen,
        "problem": look.problem and msgspec.to_builtins(look.problem),
        "updated_at": now,
    }


def answer(tx: Tx, tenant: str, answers: Sequence[tuple[str, decide.Request, decide.Request]]) -> None:
    """Put what a look found into requests (app id, request, the same answered); one that was replaced or taken back meanwhile stays."""
    for app, before, after in answers:
        where = (APPS.c.tenant_id == tenant, APPS.c.id == app, APPS.c.request == msgspec.to_builtins(before))
        tx.execute(sa.update(APPS).where(*where).values(request=msgspec.to_builtins(after)))


def rows(tx: Tx, tenant: str, ids: Sequence[str]) -> tuple[Row, ...]:
    """The apps as dispatch sees them; call `lock` before."""
    found = tx.execute(_ROWS, {"tenant": tenant, "ids": list(ids)}).all()
    clusters = facts.clusters(tx, tenant, {row.cluster_id for row in found if row.cluster_id})
    above = tx.execute(_TENANT, {"tenant": tenant}).scalar_one()
    good = _good(tx, tenant, [row.id for row in found if row.attempt and (row.spec.get("syncPolicy") or {}).get("rollback")])
    everybodys = msgspec.convert(above, tenancy.TenantSpec)
    platform, projects = resource_rules.load(tx), project_rules.of(tx, tenant, {row.project_id for row in found})
    made = (_row(row, clusters.get(row.cluster_id or ""), everybodys, good.get(row.id)) for row in found)
    return tuple(msgspec.structs.replace(_ruled(row, platform), rules=projects[row.project_id], above=everybodys) for row in made)


def _ruled(row: Row, platform: rules.Rules) -> Row:
    """With what holds for every app."""
    spec = rules.over(row.situation.spec, platform)
    return msgspec.structs.replace(row, situation=msgspec.structs.replace(row.situation, spec=spec)) if platform.ignore_differences else row


def _good(tx: Tx, tenant: str, apps: Sequence[str]) -> dict[str, rollbacks.Entry]:
    """Of each app the newest line that was Synced and Healthy and of another release than the last sync's, or one that was rolled back."""
    if not apps:
        return {}
    history = tables.history
    joined = history.join(STATES, sa.and_(STATES.c.tenant_id == history.c.tenant_id, STATES.c.app_id == history.c.app_id))
    where = (history.c.tenant_id == tenant, history.c.app_id.in_(apps), history.c.healthy_at.is_not(None))
    bad = (STATES.c.attempt["digest"].astext, STATES.c.attempt["before"]["digest"].astext, STATES.c.rolled_back["digest"].astext)
    other = (history.c.digest.is_distinct_from(digest) for digest in bad)
    query = (
        sa.select(history.c.app_id, history.c.number, history.c.digest, history.c.commit)
        .select_from(joined)
        .where(*where, *other)
        .ext(pg.distinct_on(history.c.app_id))
    )
    rows = tx.execute(query.order_by(history.c.app_id, history.c.number.desc()))
    return {row.app_id: rollbacks.Entry(row.number, row.digest, row.commit) for row in rows}


IN_PROJECT = sa.and_(tables.projects.c.tenant_id == APPS.c.tenant_id, tables.projects.c.id == APPS.c.project_id)
ABOVE: list[sa.ColumnElement[Any]] = [tables.projects.c.spec[name].label(name) for name in ("syncWindows", "freezes")]
ABOVE += [tables.projects.c.hold.label("project_hold")]  # with the app's own columns what `calendar` is made from
_ROWS = sa.select(
    APPS.c.id, APPS.c.tenant_id, APPS.c.name, APPS.c.project_id, APPS.c.spec, APPS.c.cluster_id, APPS.c.generation, APPS.c.failures,
    APPS.c.request,
    APPS.c.approved, APPS.c.deleted_at, STATES.c.problem, STATES.c.attempt, STATES.c.sync, STATES.c.digest, STATES.c.commit,
    STATES.c.degraded_at, STATES.c.message, STATES.c.generation.label("told"), STATES.c.rolled_back,
    RELEASES.c.verdict, RELEASES.c.objects, tables.projects.c.name.label("project"), APPS.c.hold, *ABOVE,
).select_from(
    APPS.join(tables.projects, IN_PROJECT)
    .outerjoin(STATES, sa.and_(STATES.c.tenant_id == APPS.c.tenant_id, STATES.c.app_id == APPS.c.id))
    .outerjoin(RELEASES, sa.and_(RELEASES.c.tenant_id == STATES.c.tenant_id, RELEASES.c.id == STATES.c.release_id))
).where(_MINE).order_by(APPS.c.id)  # fmt: skip
_TENANT = sa.select(tables.tenants.c.spec).where(tables.tenants.c.id == sa.bindparam("tenant"))


def calendar(row: engine.Row, above: tenancy.TenantSpec) -> schedules.Calendar:
    """The project's windows and freezes, and the tenant's; what people hold."""
    windows = msgspec.convert(row.syncWindows or (), tuple[schedules.Window, ...])
    freezes = msgspec.convert(row.freezes or (), tuple[schedules.Freeze, ...])
    holds = tuple(msgspec.convert(hold, schedules.Hold) for hold in (row.hold, row.project_hold) if hold)
    return schedules.Calendar(windows, (*freezes, *above.freezes), holds, above.sync_windows)


def _row(row: engine.Row, cluster: facts.Cluster | None, above: tenancy.TenantSpec, good: rollbacks.Entry | None) -> Row:
    spec = msgspec.convert(row.spec, domain.AppSpec)
    request = row.request and msgspec.convert(row.request, decide.Request)
    situation = decide.Situation(
        spec=spec,
        destination=_destination(spec.destination.cluster, cluster),
        wanted=decide.Wanted(row.digest, row.commit, msgspec.convert(row.verdict, policy.Verdict), row.objects)
        if row.verdict is not None
        else None,
        problem=row.problem and msgspec.convert(row.problem, decide.Problem),
        attempt=row.attempt and msgspec.convert(row.attempt, decide.Attempt),
        request=request,
        approved=frozenset(row.approved),
        out_of_sync=row.sync == "OutOfSync",
        deleting=row.deleted_at is not None,
        calendar=calendar(row, above),
        target=schedules.Target(row.name, spec.destination.namespace, spec.destination.cluster),
        ill=_ill(row),
        good=good,
        rolled_back=row.rolled_back and msgspec.convert(row.rolled_back, rollbacks.Mark),
    )
    return Row(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        project_id=row.project_id,
        project=row.project,
        cluster_id=row.cluster_id or "",
        generation=row.generation,
        failures=row.failures,
        cluster=cluster,
        situation=situation,
        orphan=bool(row.request and row.request.get("trigger") == "orphan"),
    )


def _ill(row: engine.Row) -> rollbacks.Illness | None:
    """What the agent says of the last task's release; what it said before that is about another."""
    if row.degraded_at is None or not row.attempt or row.told < row.attempt["generation"]:
        return None
    return rollbacks.Illness(facts.stamp(row.degraded_at), row.message)


def _destination(name: str, cluster: facts.Cluster | None) -> decide.Destination:
    if cluster is None:
        return decide.Destination(name, known=False)
    return decide.Destination(name, joined=cluster.joined, revoked=cluster.revoked, last_seen=cluster.last_seen)


def decided(tx: Tx, tenant: str, made: Sequence[Decided], now: dt.datetime) -> None:
    """Write decisions, generations and the state of attempts; two statements for any number. `since` moves with the reason alone."""
    if not made:
        return
    moved = [{"app": one.app_id, "generation": one.generation, "failures": one.failures, "taken": one.consumed} for one in made]
    tx.execute(_MOVE, {"tenant": tenant, "rows": batches.packed(moved)})
    told = [
        {
            "app": one.app_id,
            "decision": msgspec.to_builtins(one.decision),
            "reason": decide.reason(one.decision),
            "attempt": one.attempt and msgspec.to_builtins(one.attempt),
        }
        for one in made
    ]
    tx.execute(_TELL, {"tenant": tenant, "now": now, "rows": batches.packed(told)})
    marked = [{"tenant": tenant, "app": one.app_id, "mark": msgspec.to_builtins(one.mark)} for one in made if one.mark]
    if marked:
        tx.execute(sa.update(STATES).where(_STATE).values(rolled_back=sa.bindparam("mark")), marked)


_MOVES = batches.given(app=APPS.c.id.type, generation=APPS.c.generation.type, failures=APPS.c.failures.type, taken=sa.Boolean())
_MOVE = (
    sa.update(APPS)
    .where(APPS.c.tenant_id == sa.bindparam("tenant"), APPS.c.id == _MOVES["app"])
    .values(
        generation=_MOVES["generation"],
        failures=_MOVES["failures"],
        lane=sa.case((_MOVES["failures"] > 0, 1), else_=0),
        request=sa.case((_MOVES["taken"], sa.null()), else_=APPS.c.request),
    )
)
_STATE = sa.and_(STATES.c.tenant_id == sa.bindparam("tenant"), STATES.c.app_id == sa.bindparam("app"))
_NOW = sa.bindparam("now", type_=STATES.c.updated_at.type)
_REASON = sa.func.concat_ws(" ", *(STATES.c.decision[name].astext for name in ("type", "code", "sentence")))  # as decide.reason
_JSON = STATES.c.decision.type
_TELLS = batches.given(app=STATES.c.app_id.type, decision=_JSON, reason=sa.Text(), attempt=_JSON)
_SAME = _REASON.is_not_distinct_from(_TELLS["reason"])
_SINCE = sa.case((_SAME, sa.func.coalesce(STATES.c.since, STATES.c.updated_at)), else_=_NOW)
_TELL = (
    sa.update(STATES)
    .where(STATES.c.tenant_id == sa.bindparam("tenant"), STATES.c.app_id == _TELLS["app"])
    .values(decision=_TELLS["decision"], attempt=_TELLS["attempt"], since=_SINCE, updated_at=_NOW)
)


def forget(tx: Tx, tenant: str, ids: Sequence[str]) -> None:
    """Delete apps with all their rows; the audit log keeps what happened."""
    if ids:
        tx.execute(sa.delete(APPS).where(APPS.c.tenant_id == tenant, APPS.c.id.in_(ids)))


def attempt_ended(tx: Tx, tenant: str, ends: dict[str, agent.Final], now: str) -> None:
    """Put the outcome into attempts that are still the app's last."""
    rows_ = tx.execute(_ATTEMPTS, {"tenant": tenant, "ids": list(ends)}).all()
    values = []
    for row in rows_:
        attempt, final = row.attempt and msgspec.convert(row.attempt, decide.Attempt), ends[row.app_id]
        if attempt and attempt.generation == final.generation:
            ended = msgspec.structs.replace(
                attempt,
                outcome=final.outcome,
                message=final.message,
                finished=now,
                needs_approval=final.needs_approval,
                fence=final.fence,
                unhealthy=final.unhealthy,
            )
            values.append({"app": row.app_id, "attempt": ended})
    if values:
        tx.execute(_ENDED, {"tenant": tenant, "rows": batches.packed(values)})


_ATTEMPTS = sa.select(STATES.c.app_id, STATES.c.attempt).where(
    STATES.c.tenant_id == sa.bindparam("tenant"), columns.among(STATES.c.app_id, "ids")
)
_TRIED = batches.given(app=STATES.c.app_id.type, attempt=STATES.c.attempt.type)
_ENDED = (
    sa.update(STATES)
    .where(STATES.c.tenant_id == sa.bindparam("tenant"), STATES.c.app_id == _TRIED["app"])
    .values(attempt=_TRIED["attempt"])
)
