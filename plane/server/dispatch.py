"""From a decision to a task: locks a tenant's apps, decides about each, queues what the agents shall do, and writes the intent."""

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from plane.domain import access, annotations, audit, decide, objects, terms
from plane.domain import apps as domain
from plane.server import context, record
from plane.store import audit as log
from plane.store import states, tasks, wake
from plane.store.engine import Tx
from plane.wire import agent


def dispatch(plane: context.Plane, tx: Tx, scope: access.Scope, ids: Sequence[str], *, tenant: str) -> dict[str, decide.Decision]:
    """Decide about locked apps (`states.lock`) and queue their tasks; `tenant` is the tenant's name. Returns decisions by app id."""
    rows = _forget_removed(plane, tx, scope, states.rows(tx, scope.tenant, ids))
    now = plane.clock.now()
    made = [(row, decide.decide(_with_options(row), at=now)) for row in rows]
    queued = {row.id: _task(plane, row, decision, tenant) for row, decision in made if isinstance(decision, decide.Apply | decide.Remove)}
    tasks.add(tx, scope.tenant, list(queued.values()), now)
    states.decided(tx, scope.tenant, [_decided(row, decision, queued.get(row.id)) for row, decision in made], now)
    intents = [(row, _intent(plane, scope, row, decision, queued[row.id])) for row, decision in made if row.id in queued]
    intents += [
        (row, _overruled(plane, scope, row, queued[row.id])) for row, _ in intents if queued[row.id].generation > row.generation + 1
    ]
    intents += [(row, _refused(plane, scope, row, decision)) for row, decision in made if _is_refused(decision)]
    log.append(tx, [event for _, event in intents], project_ids={event.id: row.project_id for row, event in intents})
    if queued:
        wake.notify(tx, "plane_tasks", *{task.cluster_id for task in queued.values()})
    return {row.id: decision for row, decision in made}


def later(decisions: Mapping[str, decide.Decision]) -> dict[str, dt.datetime]:
    """When time alone may change a decision: the apps that wait for a window or a retry."""
    waits = {app: made.until for app, made in decisions.items() if isinstance(made, decide.Wait) and made.until}
    return {app: dt.datetime.fromisoformat(until) for app, until in waits.items()}


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
    return row.orphan or removed or attempt is None or row.cluster is None


def options(spec: domain.AppSpec, made: decide.Apply | None) -> agent.Options:
    """How the agent is to do a task and to keep the app afterwards."""
    automated = spec.automated()
    wish = made.terms if made else terms.Terms()
    words = terms.over(spec.sync_policy.sync_options, wish.sync_options)
    creates = any(pair == ("CreateNamespace", "true") for word in words for pair in annotations.pairs(word))
    wanted = spec.sync_policy.managed_namespace_metadata
    ignore = tuple(
        agent.Ignore(
            group=rule.group,
            kind=rule.kind,
            namespace=rule.namespace,
            name=rule.name,
            pointers=rule.json_pointers,
            expressions=rule.jq_path_expressions,
            managers=rule.managed_fields_managers,
        )
        for rule in spec.ignore_differences
    )
    return agent.Options(
        prune=bool(made and made.prune),
        self_heal=bool(automated and automated.self_heal),
        dry_run=bool(made and made.dry_run),
        force=bool(made and made.force),
        allow_empty=bool(automated and automated.allow_empty),
        create_namespace=spec.destination.namespace if creates else "",
        namespace_labels=wanted.labels if creates else {},
        namespace_annotations=wanted.annotations if creates else {},
        max_deletes=spec.blast_radius.max_deletes,
        max_percent=spec.blast_radius.max_percent,
        ignore=ignore,
        foreign=spec.drift.foreign,
        sync_options=spec.sync_policy.sync_options,
        once=agent.Once(**msgspec.structs.asdict(wish)),
    )


def kept(spec: domain.AppSpec, made: decide.Apply | None, *, last: decide.Attempt | None, digest: str) -> agent.Options:
    """The same after some objects of a release only: the agent must not heal the rest into a release that was never begun."""
    told, some = options(spec, made), made.terms.selective() if made else bool(last and last.terms.selective())
    return msgspec.structs.replace(told, self_heal=False) if some and not decide.deployed(last, digest) else told


def reach(row: states.Row) -> agent.Scope:
    """What a task of the app may touch: the tenant's grant on the cluster."""
    grant = row.cluster.grant if row.cluster else None
    return agent.Scope(namespaces=grant.namespaces, cluster_kinds=grant.cluster_kinds) if grant else agent.Scope()


def _with_options(row: states.Row) -> decide.Situation:
    return msgspec.structs.replace(row.situation, options_digest=_options_digest(row.situation.spec))


def _options_digest(spec: domain.AppSpec) -> str:
    automated = spec.automated()
    return objects.digest(msgspec.msgpack.encode((options(spec, None), bool(automated and automated.prune))))[:23]


def _task(plane: context.Plane, row: states.Row, decision: decide.Apply | decide.Remove, tenant: str) -> tasks.New:
    spec, wanted = row.situation.spec, row.situation.wanted
    applied = decision if isinstance(decision, decide.Apply) else None
    digest = applied.digest if applied else ""
    commit = wanted.commit if wanted and wanted.digest == digest else row.situation.request.commit if row.situation.request else ""
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
        scope=reach(row),
        options=msgspec.structs.replace(kept(spec, applied, last=row.situation.attempt, digest=digest), approved=decision.approved),
    )
    request = row.situation.request
    actor, trigger = request.actor if request else access.SYSTEM.name, applied.trigger if applied else "delete"
    return tasks.of(task, row.project_id, actor=actor, trigger=trigger)


def _decided(row: states.Row, decision: decide.Decision, task: tasks.New | None) -> states.Decided:
    attempt, dry = row.situation.attempt, isinstance(decision, decide.Apply) and decision.dry_run
    if task and not dry:
        wish = decision.terms if isinstance(decision, decide.Apply) else terms.Terms()
        fresh = decide.Attempt(
            task.digest or decide.REMOVAL, task.generation, options_digest=_options_digest(row.situation.spec), terms=wish
        )
        if isinstance(decision, decide.Apply):
            tries = attempt.tries + 1 if attempt and decision.trigger == "retry" else 0
            fresh = msgspec.structs.replace(fresh, prune=decision.prune, force=decision.force, tries=tries)
        attempt = decide.begun(attempt, fresh)
    code = decision.code if isinstance(decision, decide.Wait) else ""
    answered = code == "request-refused"
    return states.Decided(
        app_id=row.id,
        decision=decision,
        generation=task.generation if task else row.generation + answered,
        attempt=attempt,
        failures=row.failures + 1 if code in {"source-failed", "attempt-failed"} else 0,
        consumed=task is not None or answered,
    )


def _is_refused(decision: decide.Decision) -> bool:
    return isinstance(decision, decide.Wait) and decision.code == "request-refused"


def _refused(plane: context.Plane, scope: access.Scope, row: states.Row, decision: decide.Decision) -> audit.Event:
    about = {"project": row.project, "target": f"app/{row.name}", "outcome": "failure"}
    return record.event(plane, scope, "app.sync.refused", message=decision.sentence, **about)


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
        details={"seen": task.generation - 1, "known": row.generation, "asked_by": task.actor},
    )


def _intent(plane: context.Plane, scope: access.Scope, row: states.Row, decision: decide.Decision, task: tasks.New) -> audit.Event:
    details = {"trigger": task.trigger, "generation": task.generation, "why": decision.sentence, "asked_by": task.actor}
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
        correlation=task.id,
        message=decision.sentence,
        details=details,
    )
