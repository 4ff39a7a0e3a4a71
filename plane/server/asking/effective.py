"""Which policies hold for an app at this moment, each with the binding that says so, and the waivers that make exceptions."""

from plane.domain import errors
from plane.domain.judging import policy
from plane.server import authorise, context
from plane.server import documents as generic
from plane.server.delivering import judge, surroundings
from plane.server.keeping import apps
from plane.store.delivering import facts, policies, policy_sources
from plane.wire import policies as wire

OTHERS = "*"  # every rule of a set that has no mode of its own


def effective(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> wire.Effective:
    """Merged as at the next judgement; Conflict while the app's cluster is unknown."""
    with authorise.enter(plane, caller, names, "app:get") as place:
        row = generic.existing(apps.KIND, place)
        [app] = facts.load(place.tx, place.scope.tenant, [row.id])
        stale = policy_sources.stale(place.tx, place.scope.tenant)
        standing = policies.load(place.tx, place.scope.tenant, named=names.tenant, projects={place.project: names.project})
    if app.cluster is None:
        raise errors.Conflict(f"cluster {app.spec.destination.cluster} does not exist or is not granted to this tenant")
    held = judge.rules(surroundings.Known(app, app.cluster, None), standing, at=plane.clock.now())
    return wire.Effective(
        rules=tuple(_merged(held.bound)),
        waivers=tuple(one.name for one in held.given),
        problems=held.dangling,
        warnings=stale,
        until=facts.stamp(held.until),
    )


def _merged(bindings: tuple[policy.Binding, ...]) -> list[wire.EffectiveRule]:
    """The strictest word on each rule; what is about some namespaces alone is told apart."""
    said: dict[tuple[str, str, tuple[str, ...]], wire.EffectiveRule] = {}
    for binding in bindings:
        known = {rule for other in bindings if other.policy.name == binding.policy.name for rule in other.rules} | {OTHERS}
        for rule in sorted(known):
            place = (binding.policy.name, rule, binding.namespaces)
            mode = binding.rules.get(rule, binding.mode)
            if place not in said or policy.MODES.index(mode) > policy.MODES.index(said[place].mode):
                said[place] = wire.EffectiveRule(
                    set=binding.policy.name, rule=rule, mode=mode, by=binding.name, namespaces=binding.namespaces
                )
    return [said[place] for place in sorted(said)]
