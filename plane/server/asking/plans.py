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
from plane.store import documents as rows
from plane.store.delivering import resource_rules as rules
from plane.wire import planned


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """The sync that is planned."""

    prune: bool = False
    wish: terms.Terms = terms.Terms()


class Told(msgspec.Struct, frozen=True):
    """The agent's answer; an agent that does not know the question answers another one, without phases. `digest`: names all of it."""

    phases: tuple[planned.PlanPhase, ...] | None = None
    needs_approval: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    digest: str = ""


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: planned.PlanQuery) -> questions.Asked:
    """Queue the question for the app's agent, with the release and the options that the sync would have.

    Raises:
        Conflict: there is no release yet. BackendDown: no agent is there to answer. Invalid: a choice or option that cannot be read.
    """
    options, resources = annotations.words(query.sync_options), annotations.words(query.resources)
    wish = terms.Terms(tuple(resources), query.labels, query.strategy, tuple(options))
    with authorise.enter(plane, caller, names, "app:get") as place:
        return put(plane, place, questions.released(place), Request(query.prune, wish))


def put(plane: context.Plane, place: authorise.Place, row: rows.Row, request: Request) -> questions.Asked:
    """The same in a transaction of somebody else's."""
    spec = resource_rules.over(msgspec.convert(row.spec, domain.AppSpec), rules.load(place.tx))
    wanted = tasking.options(spec, _sync(spec, row.digest, request))
    return questions.put(plane, place, row, questions.Question("plan", release=row.digest, options=wanted))


def answer(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> planned.Plan | None:
    """The plan, or None while the agent has not answered."""
    found = told(plane, caller, names, asked)
    if found is None:
        return None
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
    return shown(found, release=row.digest, commit=row.commit)


def told(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> Told | None:
    """What the agent said, or None while it has not."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        said = questions.said(place, asked)
    if said is None:
        return None
    found = msgspec.json.decode(said, type=Told)
    if found.phases is None:
        message = f"the agent of cluster {asked.cluster} is too old to plan; upgrade it"
        raise errors.Conflict(message)
    return found


def shown(told_: Told, *, release: str, commit: str) -> planned.Plan:
    """As people see it."""
    return planned.Plan(
        release=release, commit=commit, phases=told_.phases or (), needs_approval=told_.needs_approval, warnings=told_.warnings
    )


def _sync(spec: domain.AppSpec, digest: str, request: Request) -> decide.Apply:
    """The sync that somebody may ask for, or automation would."""
    terms.check(request.wish, spec.sync_policy.sync_options)
    automated = spec.automated()
    return decide.Apply(digest, prune=request.prune or bool(automated and automated.prune), trigger="plan", sentence="", terms=request.wish)
