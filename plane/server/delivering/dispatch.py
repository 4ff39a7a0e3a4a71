"""From a decision to a task: locks a tenant's apps, decides about each, queues what the agents shall do, and writes the intent."""

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from plane.domain import access
from plane.domain.auditing import audit, details, sync_details
from plane.domain.deciding import approvals, decide, next_step
from plane.server import context, record, tasking
from plane.server.delivering import closings, holding
from plane.store import wake
from plane.store.auditing import audit as log
from plane.store.delivering import approvals as approved
from plane.store.delivering import facts, releases, states, tasks
from plane.store.engine import Tx
from plane.wire import agent


class Dispatched(msgspec.Struct, frozen=True):
    """Decisions by app id, and when time alone may change one: a window, a retry, a rollback."""

    decisions: dict[str, decide.Decision]
    later: dict[str, dt.datetime]


def dispatch(plane: context.Plane, tx: Tx, scope: access.Scope, ids: Sequence[str], *, tenant: str) -> Dispatched:
    """Decide about locked apps (`states.lock`) and queue their tasks; `tenant` is the tenant's name."""
    now = plane.clock.now()
    rows = closings.stop(plane, tx, scope, _forget_removed(plane, tx, scope, states.rows(tx, scope.tenant, ids)))
    made = holding.held(plane, tx, scope, [(row, next_step.of(_with_options(row), at=now)) for row in rows])
    queued = {row.id: _task(plane, row, decision, tenant) for row, decision in made if isinstance(decision, decide.Apply | decide.Remove)}
    tasks.add(tx, scope.tenant, list(queued.values()), now)
    rows = closings.tell(plane, tx, [row for row in rows if row.id not in queued], tenant=tenant)
    told = {row.id: row for row in rows}
    made = [(told.get(row.id, row), decision) for row, decision in made]
    states.decided(tx, scope.tenant, [_decided(row, decision, queued.get(row.id), now) for row, decision in made], now)
    known = _origins(tx, scope.tenant, list(queued.values()))
    agreed = _agreed(tx, scope.tenant, [row for row, _ in made if row.id in queued], queued)
    intents = [
        (row, _intent(plane, scope, _Begun(row, decision, queued[row.id], known.get(row.id, releases.Origin()), agreed[row.id])))
        for row, decision in made
        if row.id in queued
    ]
    intents += [
        (row, _overruled(plane, scope, row, queued[row.id])) for row, _ in intents if queued[row.id].generation > row.generation + 1
    ]
    intents += [(row, _refused(plane, scope, row, decision)) for row, decision in made if _is_refused(decision)]
    log.append(tx, [event for _, event in intents], project_ids={event.id: row.project_id for row, event in intents})
    if queued:
        wake.notify(tx, "plane_tasks", *{task.cluster_id for task in queued.values()})
    return Dispatched({row.id: decision for row, decision in made}, _later(made, now))


def _later(made: Sequence[tuple[states.Row, decide.Decision]], now: dt.datetime) -> dict[str, dt.datetime]:
    found = {row.id: closings.turns(row.situation, decision, now) for row, decision in made}
    return {app: min(moments) for app, moments in found.items() if moments}


def _forget_removed(plane: context.Plane, tx: Tx, scope: access.Scope, rows: tuple[states.Row, ...]) -> tuple[states.Row, ...]:
    gone = [row for row in rows if row.situation.deleting and _nothing_left(row)]
    states.forget(tx, scope.tenant, [row.id for row in gone])
    for row in gone:
        message = "deleted, its objects stay" if row.orphan else "deleted with its objects"
        record.append(
            plane, tx, scope, "app.removed", project_id=row.project_id, project=row.project, target=f"app/{row.name}", message=message
        )
    return tuple(row for row in rows if row not in gone)


def _nothing_left(row: states.Row) -> bool:
    """A deleted app whose objects are gone, were never there, or shall stay."""
    attempt = row.situation.attempt
    removed = attempt is not None and attempt.digest == decide.REMOVAL and attempt.outcome == "succeeded"
    return row.orphan or removed or attempt is None


def _with_options(row: states.Row) -> decide.Situation:
    return msgspec.structs.replace(row.situation, options_digest=tasking.options_digest(row))


def _task(plane: context.Plane, row: states.Row, decision: decide.Apply | decide.Remove, tenant: str) -> tasks.New:
    spec, wanted = row.situation.spec, row.situation.wanted
    applied = decision if isinstance(decision, decide.Apply) else None
    digest = applied.digest if applied else ""
    commit = wanted.commit if wanted and wanted.digest == digest else applied.commit if applied else ""
    told = tasking.kept(spec, applied, last=row.situation.attempt, digest=digest)
    told = tasking.bound(told, row, tenant=tenant)
    task = agent.Task(
        id=plane.clock.id(),
        kind="apply" if applied else "remove",
        cluster_id=row.cluster_id,
        app_id=row.id,
        tenant=tenant,
        project=row.project,
        app=row.name,
        generation=_generation(row),
        expires=0,  # set when it is claimed and signed
        release=digest,
        revision=commit,
        scope=tasking.reach(row.cluster, row.rules),
        options=msgspec.structs.replace(told, approved=decision.approved, pauses=tasking.pauses(row.situation, plane.clock.now())),
    )
    request = row.situation.request
    actor, trigger = request.actor if request else access.SYSTEM.name, applied.trigger if applied else "delete"
    return tasks.of(task, row.project_id, actor=actor, trigger=trigger)


def _decided(row: states.Row, decision: decide.Decision, task: tasks.New | None, now: dt.datetime) -> states.Decided:
    attempt, dry = row.situation.attempt, isinstance(decision, decide.Apply) and decision.dry_run
    if task and not dry:
        attempt = decide.begun(attempt, _attempt(row, decision, task, now))
    code = decision.code if isinstance(decision, decide.Wait) else ""
    answered = code == "request-refused"
    return states.Decided(
        app_id=row.id,
        decision=decision,
        generation=task.generation if task else row.generation + answered,
        attempt=attempt,
        failures=row.failures + 1 if code in {"source-failed", "attempt-failed"} else 0,
        consumed=task is not None or answered,
        mark=decision.mark if isinstance(decision, decide.Apply) else None,
    )


def _attempt(row: states.Row, decision: decide.Decision, task: tasks.New, now: dt.datetime) -> decide.Attempt:
    last, request = row.situation.attempt, row.situation.request
    fresh = decide.Attempt(
        task.digest or decide.REMOVAL,
        task.generation,
        options_digest=tasking.options_digest(row),
        trigger=task.trigger,
        commit=task.commit,
        manual=request is not None,
        started=facts.stamp(now),
        pauses=tasking.pauses(row.situation, now),
    )
    if not isinstance(decision, decide.Apply):
        return fresh
    fresh = msgspec.structs.replace(fresh, terms=decision.terms, prune=decision.prune, force=decision.force)
    if last is None or decision.trigger not in {"retry", "approved"}:
        return fresh
    more = decision.trigger == "retry"
    again = msgspec.structs.replace(fresh, trigger=last.trigger, manual=last.manual)
    return msgspec.structs.replace(again, tries=last.tries + 1, since=last.since or last.finished) if more else again


def _is_refused(decision: decide.Decision) -> bool:
    return isinstance(decision, decide.Wait) and decision.code == "request-refused"


def _refused(plane: context.Plane, scope: access.Scope, row: states.Row, decision: decide.Decision) -> audit.Event:
    about = record.Facts(project=row.project, target=f"app/{row.name}", outcome="failure", message=decision.sentence)
    return record.event(plane, scope, "app.sync.refused", **about)


def _generation(row: states.Row) -> int:
    """The next one; what a person asks for goes above what the cluster has seen, as after the restore of an older database."""
    now = row.situation
    seen = now.attempt.fence if now.attempt and (now.request or now.deleting) else 0
    return max(row.generation, seen) + 1


def _overruled(plane: context.Plane, scope: access.Scope, row: states.Row, task: tasks.New) -> audit.Event:
    why = f"the cluster has seen generation {task.generation - 1} and the plane knows of {row.generation}, as after the restore of a backup"
    return record.event(
        plane,
        scope,
        "app.fence.overruled",
        project=row.project,
        target=f"app/{row.name}",
        cluster=row.cluster.name if row.cluster else "",
        release=task.digest,
        correlation=task.id,
        message=f"{why}; {task.actor} asked to go on above it",
        details=details.Overruled(seen=task.generation - 1, known=row.generation, asked_by=task.actor),
    )


class _Begun(msgspec.Struct, frozen=True):
    """A task and what led to it."""

    row: states.Row
    decision: decide.Decision
    task: tasks.New
    origin: releases.Origin
    agreed: tuple[approvals.Approval, ...]


def _origins(tx: Tx, tenant: str, queued: Sequence[tasks.New]) -> dict[str, releases.Origin]:
    """By app: where the releases of its task comes from."""
    wanted = {task.app_id: (task.app_id, task.digest, task.commit) for task in queued if task.digest}
    found = releases.origins(tx, tenant, list(wanted.values())) if wanted else {}
    return {app: found[place] for app, place in wanted.items() if place in found}


def _agreed(tx: Tx, tenant: str, rows: Sequence[states.Row], queued: Mapping[str, tasks.New]) -> dict[str, tuple[approvals.Approval, ...]]:
    """By app: who said yes to what was asked for, and to the release."""
    asked = {row.id: row.situation.request.agreed if row.situation.request else () for row in rows}
    wanted = {row.id: queued[row.id].digest or decide.REMOVAL for row in rows if row.situation.approved}
    given = approved.by_app(tx, tenant, wanted) if wanted else {}
    return {app: (*order, *given.get(app, ())) for app, order in asked.items()}


def _intent(plane: context.Plane, scope: access.Scope, begun: _Begun) -> audit.Event:
    row, decision, task = begun.row, begun.decision, begun.task
    applied = decision if isinstance(decision, decide.Apply) else None
    mark = applied.mark if applied else None
    told = sync_details.SyncStarted(
        trigger=task.trigger,
        generation=task.generation,
        why=decision.sentence,
        asked_by=task.actor,
        on_behalf_of=row.situation.request.on_behalf_of if row.situation.request else "",
        run_as=tasking.account(row.rules, row.situation.spec.destination),
        author=begun.origin.author,
        committer=begun.origin.committer,
        committed_at=begun.origin.committed_at,
        signature=begun.origin.signature,
        verification=begun.origin.verification,
        signed_by=begun.origin.signed_by,
        released_at=facts.stamp(begun.origin.created_at),
        approved=isinstance(decision, decide.Apply | decide.Remove) and decision.approved,
        approvals=begun.agreed,
        dry_run=bool(applied and applied.dry_run),
        rolled_back=mark.digest if mark else "",
        number=mark.to.number if mark else 0,
    )
    return record.event(
        plane,
        scope,
        "app.sync.started" if task.kind == "apply" else "app.removal.started",
        stage="intent",
        project=row.project,
        target=f"app/{row.name}",
        cluster=row.cluster.name if row.cluster else "",
        commit=task.commit,
        release=task.digest,
        decision=begun.origin.id,
        correlation=task.id,
        message=decision.sentence,
        details=told,
    )
