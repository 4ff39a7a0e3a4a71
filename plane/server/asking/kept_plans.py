"""Plans that people keep: to compare with what the same sync would do later, and to have done exactly or not at all."""

import zlib
from collections.abc import Callable

import msgspec

from plane.domain import apps as domain
from plane.domain import errors, objects
from plane.domain.auditing import details
from plane.domain.planning import comparison, terms
from plane.server import abilities, authorise, context
from plane.server import documents as generic
from plane.server.asking import plans, questions
from plane.server.keeping import apps
from plane.store import documents as rows
from plane.store.delivering import facts
from plane.store.showing import plans as store
from plane.wire import planned, rest


class Wanted(msgspec.Struct, frozen=True):
    """A question under way about a sync of this release."""

    asked: questions.Asked
    release: str
    commit: str


Answer = Callable[[context.Plane, authorise.Caller, authorise.Names, questions.Asked], rest.Answer | None]


def ask(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: planned.KeepPlan) -> Wanted:
    """Queue the question whose answer is to be kept; raises as `plans.ask`, and Forbidden to who may not sync."""
    authorise.scope(plane, caller, names, "app:sync")
    wish = terms.Terms(body.resources, body.labels, body.strategy, body.sync_options)
    return _put(plane, caller, names, plans.Request(body.prune, wish))


def keeping(body: planned.KeepPlan, wanted: Wanted) -> Answer:
    """What keeps the answer, once it is there."""
    wish = terms.Terms(body.resources, body.labels, body.strategy, body.sync_options)

    def keep(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked) -> planned.KeptPlan | None:
        told = plans.told(plane, caller, names, asked)
        if told is None:
            return None
        if not told.digest:
            message = f"the agent of cluster {asked.cluster} does not know {abilities.MEANT['plans']}; upgrade it"
            raise errors.Conflict(message)
        plan = plans.shown(told, release=wanted.release, commit=wanted.commit)
        with authorise.enter(plane, caller, names, "app:sync") as place:
            row = generic.existing(apps.KIND, place, lock=True)
            new = store.New(
                name=body.name, actor=caller.actor.name, release=wanted.release, commit=wanted.commit, digest=told.digest,
                request=msgspec.to_builtins(plans.Request(body.prune, wish)), body=zlib.compress(msgspec.json.encode(plan)),
            )  # fmt: skip
            number = store.add(place.tx, place.scope.tenant, row.id, new, now=plane.clock.now())
            kept = msgspec.convert({"number": number, **msgspec.to_builtins(body)}, details.PlanKept)
            apps.note(plane, place, "app.plan.kept", release=wanted.release, commit=wanted.commit, told=kept)
            return place.done(_whole(_find(place, row, str(number))), status=201)

    return keep


def listed(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> rest.Page[planned.KeptPlan]:
    """Newest first; one page holds them all."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
        found = store.entries(place.tx, place.scope.tenant, row.id)
    return rest.Page(items=tuple(_shown(one) for one in found))


def get(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, plan: str) -> planned.KeptPlan:
    """One with all it says, by its number or name."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        return _whole(_find(place, generic.existing(apps.KIND, place), plan))


def ask_again(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, plan: str) -> Wanted:
    """Queue the question what the same sync would do now."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        kept = _find(place, generic.existing(apps.KIND, place), plan)
    return _put(plane, caller, names, msgspec.convert(kept.request, plans.Request))


def comparing(plan: str, wanted: Wanted) -> Answer:
    """What puts the answer beside the plan."""

    def compare(
        plane: context.Plane, caller: authorise.Caller, names: authorise.Names, asked: questions.Asked
    ) -> planned.PlanComparison | None:
        told = plans.told(plane, caller, names, asked)
        if told is None:
            return None
        with authorise.enter(plane, caller, names, "app:get") as place:
            row = _find(place, generic.existing(apps.KIND, place), plan)
        kept, now = _whole(row), plans.shown(told, release=wanted.release, commit=wanted.commit)
        found = comparison.between(_turns(kept.plan), _turns(now))
        differences = tuple(
            planned.PlanDifference(change=one.change, phase=one.phase, **msgspec.structs.asdict(one.key), was=one.was, now=one.now)
            for one in found
        )
        return planned.PlanComparison(kept=_shown(row), now=now, same=told.digest == row.digest, differences=differences)

    return compare


def unfolded(place: authorise.Place, row: rows.Row, body: rest.Sync) -> tuple[rest.Sync, str]:
    """The sync of a kept plan with all that the plan brings, and the digest that its agent holds it to.

    Raises:
        Invalid: the request says more than the plan. NotFound: there is no such plan, or it was forgotten.
        Conflict: the app syncs by itself, Git moved on, or the agent is too old.
    """
    if body != rest.Sync(plan=body.plan):
        raise errors.Invalid({"plan": "brings all that the sync is told; leave the other fields out, or keep another plan with them"})
    kept = _find(place, row, body.plan)
    name = place.names.name
    if msgspec.convert(row.spec, domain.AppSpec).automated():
        message = f"app {name!r} syncs by itself, so a plan is done, or out of date, before anybody asks for it; switch automated off first"
        raise errors.Conflict(message)
    if kept.release != row.digest:
        moved = f"plan {kept.number} of app {name!r} is of commit {kept.commit[:12]}, and Git wants {(row.commit or '')[:12]} by now"
        message = (
            f"{moved}; look with `plane app plan {name} --compare {kept.number}`, and keep a new plan with `plane app plan {name} --save`"
        )
        raise errors.Conflict(message)
    for cluster in facts.clusters(place.tx, place.scope.tenant, {row.cluster_id}).values() if row.cluster_id else ():
        abilities.of(cluster, "plans")
    asked = msgspec.convert(kept.request, plans.Request)
    wish = asked.wish
    made = rest.Sync(
        plan=body.plan,
        prune=asked.prune,
        resources=wish.resources,
        labels=wish.labels,
        strategy=wish.strategy,
        sync_options=wish.sync_options,
    )
    return made, kept.digest


def _put(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, request: plans.Request) -> Wanted:
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = questions.released(place)
        return Wanted(plans.put(plane, place, row, request), row.digest, row.commit)


def _find(place: authorise.Place, row: rows.Row, plan: str) -> store.Row:
    found = store.find(place.tx, place.scope.tenant, row.id, plan)
    if found is None:
        raise errors.NotFound("plan", plan)
    return found


def _shown(row: store.Row, plan: planned.Plan | None = None) -> planned.KeptPlan:
    asked = msgspec.convert(row.request, plans.Request)
    return planned.KeptPlan(
        number=row.number,
        name=row.name,
        made_at=facts.stamp(row.made_at),
        made_by=row.actor,
        release=row.release,
        commit=row.commit,
        prune=asked.prune,
        resources=asked.wish.resources,
        labels=asked.wish.labels,
        strategy=asked.wish.strategy,
        sync_options=asked.wish.sync_options,
        plan=plan,
    )


def _whole(row: store.Row) -> planned.KeptPlan:
    return _shown(row, msgspec.json.decode(zlib.decompress(row.body), type=planned.Plan))


def _turns(plan: planned.Plan | None) -> tuple[comparison.Turn, ...]:
    return tuple(
        comparison.Turn(phase.phase, wave.wave, step.action, _key(step), step.reason)
        for phase in (plan.phases if plan else ())
        for wave in phase.waves
        for step in wave.steps
    )


def _key(step: planned.PlanStep) -> objects.ObjectKey:
    return objects.ObjectKey(step.group, step.kind, step.namespace, step.name)
