"""What the next sync would do. The agent is asked: it alone sees what is the app's, and what its annotations say of deletion."""

import msgspec

from plane.domain import annotations, decide, errors, terms
from plane.domain import apps as domain
from plane.server import apps, authorise, context, diffs, dispatch
from plane.server import documents as generic
from plane.store import apps as store
from plane.store import tasks, wake
from plane.wire import planned


class Told(msgspec.Struct, frozen=True):
    """The agent's answer; an agent that does not know the question answers another one, without phases."""

    phases: tuple[planned.PlanPhase, ...] | None = None
    needs_approval: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: planned.PlanQuery) -> diffs.Asked:
    """Queue the question for the app's agent, with the release and the options that the sync would have.

    Raises:
        Conflict: there is no release yet. BackendDown: no agent is there to answer. Invalid: a choice or option that cannot be read.
    """
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
        if not row.digest:
            message = f"app {names.name!r} has no release yet; see `plane app explain`"
            raise errors.Conflict(message)
        spec = msgspec.convert(row.spec, domain.AppSpec)
        cluster, wanted = diffs.present(place, row), dispatch.options(spec, _sync(spec, row.digest, query))
        base = diffs.question(plane, place, row, cluster)
        task = msgspec.structs.replace(base, query="plan", release=row.digest, revision=row.commit, options=wanted)
        tasks.add(place.tx, place.scope.tenant, [diffs.queued(caller, row, task, trigger="plan")], plane.clock.now())
        wake.notify(place.tx, "plane_tasks", cluster.id)
    return diffs.Asked(task.id, row.id, cluster.name)


def answer(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: diffs.Asked) -> planned.Plan | None:
    """The plan, or None while the agent has not answered."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        done, problem, live = store.answer(place.tx, place.scope.tenant, asked.task)
        if not done:
            return None
        if problem:
            raise errors.Conflict(problem)
        row = generic.existing(apps.KIND, place)
    told = msgspec.json.decode(live, type=Told)
    if told.phases is None:
        message = f"the agent of cluster {asked.cluster} is too old to plan; upgrade it"
        raise errors.Conflict(message)
    return planned.Plan(
        release=row.digest, commit=row.commit, phases=told.phases, needs_approval=told.needs_approval, warnings=told.warnings
    )


def _sync(spec: domain.AppSpec, digest: str, query: planned.PlanQuery) -> decide.Apply:
    """The sync that somebody may ask for, or automation would."""
    options, resources = annotations.words(query.sync_options), annotations.words(query.resources)
    wish = terms.Terms(tuple(resources), query.labels, query.strategy, tuple(options))
    terms.check(wish, spec.sync_policy.sync_options)
    automated = spec.automated()
    return decide.Apply(digest, prune=query.prune or bool(automated and automated.prune), trigger="plan", sentence="", terms=wish)
