"""What the next sync would do. The agent is asked: it alone sees what is the app's, and what its annotations say of deletion."""

import msgspec

from plane.domain import annotations, errors, resource_rules
from plane.domain import apps as domain
from plane.domain.deciding import decide
from plane.domain.planning import terms
from plane.server import authorise, context, tasking
from plane.server import documents as generic
from plane.server.asking import questions
from plane.server.keeping import apps
from plane.store.delivering import resource_rules as rules
from plane.wire import planned


class Told(msgspec.Struct, frozen=True):
    """The agent's answer; an agent that does not know the question answers another one, without phases."""

    phases: tuple[planned.PlanPhase, ...] | None = None
    needs_approval: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: planned.PlanQuery) -> questions.Asked:
    """Queue the question for the app's agent, with the release and the options that the sync would have.

    Raises:
        Conflict: there is no release yet. BackendDown: no agent is there to answer. Invalid: a choice or option that cannot be read.
    """
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = questions.released(place)
        spec = resource_rules.over(msgspec.convert(row.spec, domain.AppSpec), rules.load(place.tx))
        wanted = tasking.options(spec, _sync(spec, row.digest, query))
        return questions.put(plane, place, row, questions.Question("plan", release=row.digest, options=wanted))


def answer(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> planned.Plan | None:
    """The plan, or None while the agent has not answered."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        said = questions.said(place, asked)
        if said is None:
            return None
        row = generic.existing(apps.KIND, place)
    told = msgspec.json.decode(said, type=Told)
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
