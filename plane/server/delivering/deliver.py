"""Steps 2 to 8 of the flow for a batch of one tenant's due apps: prepare side by side, then decide and dispatch in one transaction."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import structlog

from plane.domain import access, errors
from plane.domain.deciding import decide
from plane.domain.permitting import quotas
from plane.domain.rendering import metering
from plane.server import context, keys, stinting
from plane.server.delivering import beside, dispatch, findings, prepare, stopped, surroundings
from plane.store import engine
from plane.store.delivering import (
    claims,
    facts,
    further_sources,
    keyring,
    leases,
    policies,
    polls,
    releases,
    renders,
    resource_rules,
    states,
)
from plane.wire import agent

log = structlog.get_logger()

UNJUDGED_S = 300  # when a release that no policy engine could judge is judged again: rarely, as its rules may loop
VOLATILE_S = 300  # how often Vault values without a version are read again
RETRY_S = (15, 60, 300, 900)  # a failing app's slower lane; a push, a refresh or a sync brings it back at once

Map = Callable[[Callable[[Any], "Outcome"], Iterable[Any]], Iterable["Outcome"]]


class Outcome(msgspec.Struct, frozen=True):
    """What preparing one app gave: a release (or None for the one there is), or a problem."""

    app: facts.App
    prepared: prepare.Prepared | None = None
    problem: decide.Problem | None = None
    asked: "Asked | None" = None
    waits: bool = False  # for the verdict on another app of the batch, which wants the same
    full: quotas.Reached | None = None  # what the problem is, where it is a quota


class Asked(msgspec.Struct, frozen=True):
    """What became of a request for another revision: the request with its release, not yet judged or judged, or with a problem."""

    request: decide.Request
    draft: prepare.Draft | None = None
    new: releases.New | None = None


def deliver(plane: context.Plane, leased: Sequence[leases.Leased], *, side_by_side: Map) -> int:
    """Work on apps of one tenant, leased in one taking; returns how many tasks were queued. `side_by_side`: `map` over a thread pool.

    An app whose lease is another's by now is left to that one.
    """
    tenant = leased[0].tenant
    scope = access.Scope(tenant, access.SYSTEM)
    known, shared = load(plane, scope, [one.id for one in leased])
    prepared = _judged(plane, scope, shared, tuple(side_by_side(lambda app: _prepare(plane, app, shared), known)), side_by_side)
    now = plane.clock.now()
    with engine.begin(plane.engine, scope) as tx:
        ids = leases.hold(tx, leases.APPS, leased)
        outcomes = [one for one in prepared if one.app.id in ids and not one.waits]
        moved = _claim(tx, tenant, outcomes)
        releases.add(tx, tenant, [new for one in outcomes for new in _made(one)])
        judged = [(one.app, one.prepared.new) for one in outcomes if one.prepared and one.prepared.new]
        for one in outcomes:
            if one.full:
                stinting.tell(plane, tx, scope, one.full)
        findings.settle(plane, tx, scope, judged)
        stopped.tell(plane, tx, scope, judged)
        policies.used(tx, tenant, {use for one in outcomes for use in _uses(one)}, now)
        states.answer(tx, tenant, [(one.app.id, one.app.request, one.asked.request) for one in outcomes if one.app.request and one.asked])
        states.looked(tx, tenant, [_looked(one) for one in outcomes], now)
        further_sources.looked(tx, tenant, [look for one in outcomes for look in _further(one)])
        polls.saw(tx, tenant, {place: found.commit.sha for place, found in shared.sources.items()}, now)
        here = sorted(one.app.id for one in outcomes)
        dispatched = dispatch.dispatch(plane, tx, scope, here, tenant=known[0].tenant) if here else dispatch.Dispatched({}, {})
        again = {one.app.id: later for one in outcomes if (later := _again(one, now))} | dispatched.later
        again |= {one.app.id: now for one in prepared if one.waits}
        leases.give_back(tx, [one for one in leased if one.id in ids], again=again)
        renders.add(tx, tenant, shared.render_time.hour, shared.renders.spent)
    _stir(plane, moved, now)
    queued = sum(isinstance(one, decide.Apply | decide.Remove) for one in dispatched.decisions.values())
    made = sum(bool(one.prepared and one.prepared.new) for one in outcomes)
    log.info("apps.delivered", tenant=known[0].tenant if known else tenant, apps=len(outcomes), releases=made, tasks=queued)
    if lost := sum(one.app.id not in ids for one in prepared):
        log.warning("lease.lost", tenant=known[0].tenant, apps=lost)
    return queued


def _claim(tx: engine.Tx, tenant: str, outcomes: Sequence[Outcome]) -> dict[str, frozenset[str]]:
    """Take what new releases want, as far as policy lets them; what apps took or let go, by app."""
    new = [one.prepared.new for one in outcomes if one.prepared and one.prepared.new]
    leaving = [one.app.id for one in outcomes if one.app.deleting]
    let_go = claims.wanted(tx, tenant, leaving) if leaving else {}
    return let_go | claims.add(tx, tenant, [claims.New(one.app_id, one.claims, one.verdict.allowed()) for one in new])


def _stir(plane: context.Plane, moved: dict[str, frozenset[str]], now: dt.datetime) -> None:
    """Have those look again who want what moved; when all is written, so that of two who took the same at once one sees the other."""
    if moved:
        with engine.dispatch(plane.engine) as tx:
            claims.stir(tx, moved, now)


def load(plane: context.Plane, scope: access.Scope, ids: Sequence[str]) -> tuple[tuple[facts.App, ...], prepare.Shared]:
    """Apps of one tenant with all that preparing them needs, and what they share."""
    with engine.begin(plane.engine, scope) as tx:
        known = facts.load(tx, scope.tenant, ids)
        named, projects = known[0].tenant if known else "", {app.project_id: app.project for app in known}
        standing = policies.load(tx, scope.tenant, named=named, projects=projects)
        platform = resource_rules.load(tx)
        inventories = beside.before(tx, scope.tenant, known, standing)
        wrapped = keyring.load(tx, scope.tenant, {app.project_id for app in known})
        rendering = renders.standing(tx, scope.tenant, plane.clock.now())
    by_project = {
        app.project_id: keys.unlock(plane, scope.tenant, [row for row in wrapped if row.project_id == app.project_id])
        for app in _one_each(known)
    }
    places = {app.cluster.id: app.cluster.capabilities for app in known if app.cluster and app.cluster.capabilities}
    served = {id_: msgspec.msgpack.decode(packed, type=agent.Capabilities) for id_, packed in places.items()}
    account = plane.shares.of(scope.tenant, weight=rendering.weight)
    shared = prepare.Shared(standing, by_project, served, plane.clock.now(), rendering.time, account)
    shared.platform, shared.inventories = platform, inventories
    shared.renders = metering.Meter(rendering.memory_bytes, told=account.took)
    return known, shared


def charge(plane: context.Plane, scope: access.Scope, shared: prepare.Shared) -> None:
    """Count what renders took that belong to no batch."""
    with engine.begin(plane.engine, scope) as tx:
        renders.add(tx, scope.tenant, shared.render_time.hour, shared.renders.spent)


def _one_each(known: Sequence[facts.App]) -> Iterable[facts.App]:
    return {app.project_id: app for app in known}.values()


def _prepare(plane: context.Plane, app: facts.App, shared: prepare.Shared) -> Outcome:
    if app.deleting:
        return Outcome(app)
    asked = _asked(plane, app, app.request, shared) if app.request and app.request.revision and not app.request.digest else None
    try:
        return Outcome(app, prepare.prepare(plane, app, shared), asked=asked)
    except errors.PlaneError as e:
        log.warning("app.failed", app=app.name, project=app.project, code=e.code, reason=str(e))
        full = e if isinstance(e, quotas.Reached) else None
        return Outcome(app, problem=prepare.problem(app, e, shared.now), asked=asked, full=full)


def _asked(plane: context.Plane, app: facts.App, request: decide.Request, shared: prepare.Shared) -> Asked:
    try:
        return Asked(request, prepare.at(plane, app, shared, revision=request.revision))
    except errors.PlaneError as e:
        return Asked(msgspec.structs.replace(request, problem=str(e)))


def _judged(
    plane: context.Plane, scope: access.Scope, shared: prepare.Shared, outcomes: tuple[Outcome, ...], side_by_side: Map
) -> tuple[Outcome, ...]:
    """With verdicts on what is new; what rules read of the database is looked up for all of them together."""
    drafts = [(one.app, draft) for one in outcomes for draft in _drafts(one)]
    if not drafts:
        return outcomes
    subjects = [beside.Subject(app, draft.manifests, draft.base.reads) for app, draft in drafts]
    waiting = beside.rivals(subjects)
    found = beside.of(plane, scope, subjects)
    told = {id(draft): known for (_, draft), known in zip(drafts, found, strict=True)}

    def judge(one: Outcome) -> Outcome:
        if one.app.id in waiting:
            return Outcome(one.app, waits=True)
        made = {id(draft): _verdict(plane, one.app, shared, draft, told[id(draft)]) for draft in _drafts(one)}
        return _with(one, made, shared.now)

    return tuple(side_by_side(judge, outcomes))


def _drafts(one: Outcome) -> Iterable[prepare.Draft]:
    found = (one.prepared and one.prepared.draft, one.asked and one.asked.draft)
    return [draft for draft in found if draft]


def _verdict(
    plane: context.Plane, app: facts.App, shared: prepare.Shared, draft: prepare.Draft, known: surroundings.Beside
) -> releases.New | errors.PlaneError:
    try:
        return prepare.judged(plane, app, shared, draft, known)
    except errors.PlaneError as e:
        log.warning("app.failed", app=app.name, project=app.project, code=e.code, reason=str(e))
        return e


def _with(one: Outcome, made: dict[int, releases.New | errors.PlaneError], now: dt.datetime) -> Outcome:
    """With what became of its drafts."""
    prepared, asked, problem = one.prepared, one.asked, one.problem
    if prepared and prepared.draft:
        new = made[id(prepared.draft)]
        if isinstance(new, errors.PlaneError):
            prepared, problem = None, prepare.problem(one.app, new, now)
        else:
            prepared = msgspec.structs.replace(prepared, draft=None, new=new)
    if asked and asked.draft:
        asked = _answered(one.app, asked.request, made[id(asked.draft)])
    return Outcome(one.app, prepared, problem, asked)


def _answered(app: facts.App, request: decide.Request, new: releases.New | errors.PlaneError) -> Asked:
    if isinstance(new, errors.PlaneError):
        return Asked(msgspec.structs.replace(request, problem=str(new)))
    refusal = decide.refused(app.spec, decide.Wanted(new.digest, new.commit, new.verdict, new.objects))
    if refusal:
        return Asked(msgspec.structs.replace(request, problem=refusal.sentence))
    return Asked(msgspec.structs.replace(request, digest=new.digest, commit=new.commit), new=new)


def _made(one: Outcome) -> Iterable[releases.New]:
    found = (one.prepared and one.prepared.new, one.asked and one.asked.new)
    return [new for new in found if new]


def _uses(one: Outcome) -> Iterable[tuple[str, str]]:
    """The waivers that changed a new release's verdict: id of the project, name."""
    judged = [entry for new in _made(one) for entry in new.verdict.judged]
    return [(one.app.project_id, entry.waiver.rpartition("/")[2]) for entry in judged if entry.waiver]


def _looked(one: Outcome) -> states.Looked:
    app, prepared = one.app, one.prepared
    if prepared is None:
        return states.Looked(app_id=app.id, project_id=app.project_id, problem=one.problem)
    new = prepared.new
    return states.Looked(
        app_id=app.id,
        project_id=app.project_id,
        roots=prepared.roots[0] if prepared.roots[0] != app.roots else None,
        release_id=new.id() if new else None,
        digest=new.digest if new else "",
        commit=new.commit if new else "",
        seen=prepared.seen[0],
    )


def _further(one: Outcome) -> Iterable[further_sources.Looked]:
    if one.prepared is None:
        return ()
    seen = list(enumerate(zip(one.prepared.roots, one.prepared.seen, strict=True)))
    return [further_sources.Looked(one.app.id, number, roots, commit) for number, (roots, commit) in seen[1:]]


def _again(one: Outcome, now: dt.datetime) -> dt.datetime | None:
    """When to look once more although nothing moves: after a failure, without a verdict, for Vault values and at a turn of the policies."""
    wait, turn = _wait(one), one.prepared.until if one.prepared else None
    return min((moment for moment in (now + wait if wait else None, turn) if moment), default=None)


def _wait(one: Outcome) -> dt.timedelta | None:
    if one.problem and one.problem.until:
        return None  # the decision says when
    if one.problem:
        return dt.timedelta(seconds=RETRY_S[min(one.app.failures, len(RETRY_S) - 1)])
    new = one.prepared.new if one.prepared else None
    if new and new.verdict.error:
        return dt.timedelta(seconds=UNJUDGED_S)
    volatile = new.volatile if new else bool(one.app.current and one.app.current.volatile)
    return dt.timedelta(seconds=VOLATILE_S) if volatile else None
