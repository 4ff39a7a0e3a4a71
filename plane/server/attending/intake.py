"""Step 10 of the flow: what agents report moves tasks, states, history and audit in one transaction per tenant."""

from collections.abc import Iterable, Sequence

import msgspec

from plane.domain import access
from plane.domain.auditing import audit, details, sync_details
from plane.domain.timing import moments
from plane.server import claim, context, record
from plane.server.asking import actions
from plane.server.attending import orphan_watch, telling
from plane.server.delivering import dispatch
from plane.store import engine, wake
from plane.store.attending import agents, reports
from plane.store.auditing import audit as log
from plane.store.delivering import duties, facts, states, tasks
from plane.store.engine import Tx
from plane.wire import agent

MOST_OBJECTS, MOST_FAILED = 100, 50  # named in one event; the task's results have all
_JSON = msgspec.json.Encoder()


def events(plane: context.Plane, who: claim.AgentIdentity, body: agent.Events) -> agent.Accepted:
    """Progress and final words on tasks; news of tasks that are closed or not this cluster's are dropped and named as stale."""
    wanted = {one.task for one in body.progress} | {one.task for one in body.finals}
    with engine.dispatch(plane.engine) as tx:
        known = {task.id: task for task in tasks.reported(tx, who.cluster_id, sorted(wanted))}
    live = {id_: task for id_, task in known.items() if task.state == "leased" and task.leased_by == who.id}
    for tenant in {task.tenant for task in live.values()}:
        progress = [one for one in body.progress if one.task in live and live[one.task].tenant == tenant]
        finals = [one for one in body.finals if one.task in live and live[one.task].tenant == tenant]
        with engine.begin(plane.engine, who.scope(tenant)) as tx:
            tasks.progress(tx, tenant, [(one.task, f"{one.phase}/{one.wave}", one.message, _lines(one.results)) for one in progress])
            _finish(plane, tx, who.scope(tenant), finals)
            wake.notify(tx, "plane_app", *({live[one.task].app_id for one in progress} | {live[one.task].app_id for one in finals}))
    return agent.Accepted(stale=tuple(sorted(wanted - live.keys())))


def _finish(plane: context.Plane, tx: Tx, scope: access.Scope, finals: Sequence[agent.Final]) -> None:
    if not finals:
        return
    states.lock(tx, scope.tenant, sorted({one.app_id for one in finals}))
    closed = tasks.close(tx, scope.tenant, [_closing(one) for one in finals])
    by_task = {one.task: one for one in finals if one.task in closed}
    _note_orders(plane, tx, scope, [(closed[one.task], one) for one in by_task.values() if closed[one.task].trigger in actions.OUTCOMES])
    looks = [(closed[one.task], one) for one in by_task.values() if closed[one.task].trigger == orphan_watch.QUESTION]
    orphan_watch.keep(tx, scope, looks, now=plane.clock.now())
    changing = {one.app_id: one for one in by_task.values() if closed[one.task].kind in {"apply", "remove"}}
    if not changing:
        return
    states.attempt_ended(tx, scope.tenant, changing, facts.stamp(plane.clock.now()))
    names = reports.names(tx, scope.tenant, sorted(changing))
    done = [closed[one.task] for one in changing.values() if one.outcome == "succeeded" and _made_history(closed[one.task])]
    reports.add_history(tx, scope.tenant, done, {task.id: by_task[task.id] for task in done}, plane.clock.now())
    outcomes = [_outcome(plane, scope, closed[one.task], one, names[one.app_id]) for one in changing.values()]
    log.append(tx, outcomes, project_ids={event.id: closed[event.correlation].project_id for event in outcomes})
    made = dispatch.dispatch(plane, tx, scope, sorted(changing), tenant=next(iter(names.values())).tenant)
    duties.at(tx, scope.tenant, made.later)


def _note_orders(plane: context.Plane, tx: Tx, scope: access.Scope, ended: Sequence[tuple[tasks.Closed, agent.Final]]) -> None:
    """Changes of single objects by hand."""
    if not ended:
        return
    names = reports.names(tx, scope.tenant, sorted({task.app_id for task, _ in ended}))
    projects = {task.id: task.project_id for task, _ in ended}
    said = [actions.finished(plane, scope, task, final, names[task.app_id]) for task, final in ended if task.app_id in names]
    made = [event for event in said if event]
    log.append(tx, made, project_ids={event.id: projects[event.correlation] for event in made})


def _made_history(task: tasks.Closed) -> bool:
    """Whether the cluster has all of the release by this task."""
    if task.kind != "apply":
        return False
    told = msgspec.msgpack.decode(task.payload, type=agent.Task).options
    return not (told.dry_run or told.once.resources or told.once.labels)


def _closing(one: agent.Final) -> tasks.Closing:
    return tasks.Closing(
        id=one.task,
        outcome=one.outcome,
        message=one.message,
        results=_lines(one.results),
        live=one.live,
        started_at=moments.of_clock(one.started),
        finished_at=moments.of_clock(one.finished),
    )


def _outcome(plane: context.Plane, scope: access.Scope, task: tasks.Closed, final: agent.Final, names: reports.Names) -> audit.Event:
    counts: dict[str, int] = {}
    for result in final.results:
        counts[result.result] = counts.get(result.result, 0) + 1
    failed = [one for one in final.results if one.result in {"SyncFailed", "HookFailed"}][:MOST_FAILED]
    changed = [one for one in final.results if one.result != "Unchanged"][:MOST_OBJECTS]
    return record.event(
        plane,
        scope,
        "app.sync.completed" if task.kind == "apply" else "app.removal.completed",
        stage="outcome",
        outcome="success" if final.outcome == "succeeded" else "failure",
        project=names.project,
        target=f"app/{names.app}",
        cluster=names.cluster,
        commit=task.commit,
        release=task.digest,
        correlation=task.id,
        message=final.message,
        details=sync_details.SyncCompleted(
            trigger=task.trigger,
            asked_by=task.actor,
            generation=task.generation,
            counts=counts,
            duration_s=round(final.finished - final.started, 3),
            objects=tuple(sync_details.ObjectOutcome(telling.named(one.key), one.result) for one in changed),
            failed=tuple(details.FailedObject(telling.named(one.key), one.message) for one in failed),
            needs_approval=final.needs_approval,
            partial=task.kind == "apply" and final.outcome == "succeeded" and not _made_history(task),
        ),
    )


def state(plane: context.Plane, who: claim.AgentIdentity, body: agent.State) -> agent.Accepted:
    """Health, drift and heals of apps, and what the cluster can do; older generations than the last one reported are dropped."""
    if body.capabilities:
        _capabilities(plane, who, body.capabilities)
    wanted = {one.app_id: one for one in body.apps}
    with engine.dispatch(plane.engine) as tx:
        owners = reports.owners(tx, who.cluster_id, sorted(wanted))
    for tenant in set(owners.values()):
        mine = [one for id_, one in wanted.items() if owners.get(id_) == tenant]
        with engine.begin(plane.engine, who.scope(tenant)) as tx:
            _take(plane, tx, who.scope(tenant), mine)
    return agent.Accepted(stale=tuple(sorted(wanted.keys() - owners.keys())))


def _take(plane: context.Plane, tx: Tx, scope: access.Scope, told: Sequence[agent.AppState]) -> None:
    ids = sorted(one.app_id for one in told)
    states.lock(tx, scope.tenant, ids)
    now = plane.clock.now()
    merged = reports.merge(tx, scope.tenant, told, now)
    names = reports.names(tx, scope.tenant, ids)
    heals = [(one, heal) for one in told for heal in one.healed if not heal.noted]
    drifted = [one for one in merged.crossed if one.sync == "OutOfSync"]
    events_ = [telling.healed(plane, scope, heal, names[one.app_id], telling.Heal(one.release)) for one, heal in heals]
    events_ += [_drifted(plane, scope, one, names[one.app_id]) for one in drifted]
    apps = [*(one.app_id for one, _ in heals), *(one.app_id for one in drifted)]
    log.append(tx, events_, project_ids={event.id: names[app].project_id for event, app in zip(events_, apps, strict=True)})
    turned = reports.rolled_back_by_themselves(tx, scope.tenant, [one.app_id for one in merged.turned]) if merged.turned else ()
    changed = {*turned, *(one.app_id for one in merged.crossed)}
    if changed:
        made = dispatch.dispatch(plane, tx, scope, sorted(changed), tenant=next(iter(names.values())).tenant)
        duties.at(tx, scope.tenant, made.later)
    wake.notify(tx, "plane_app", *ids)


def _drifted(plane: context.Plane, scope: access.Scope, app: agent.AppState, names: reports.Names) -> audit.Event:
    differing = [one for one in app.objects if one.sync == "OutOfSync"]
    return record.event(
        plane,
        scope,
        "app.drift.detected",
        project=names.project,
        target=f"app/{names.app}",
        cluster=names.cluster,
        release=app.release,
        message=f"{len(differing)} objects differ from Git",
        details=details.DriftDetected(
            objects=tuple(details.Drifted(telling.named(one.key), one.fields) for one in differing[:MOST_FAILED])
        ),
    )


def _capabilities(plane: context.Plane, who: claim.AgentIdentity, told: agent.Capabilities) -> None:
    scope = access.Scope(access.PLATFORM_TENANT, who.scope(access.PLATFORM_TENANT).actor)
    values = {"kube_version": told.kube_version, "nodes": told.nodes, "knows": list(told.knows), "capabilities": agent.encode(told)}
    with engine.begin(plane.engine, scope) as tx:
        agents.set_capabilities(tx, who.cluster_id, values)


def _lines(results: Iterable[agent.ObjectResult]) -> bytes:
    return _JSON.encode_lines(results) if results else b""
