"""Break-glass roles: given beforehand by a binding, held only while somebody takes them, for hours, with a reason that the log keeps."""

import datetime as dt

import structlog

from plane.domain import access, errors
from plane.domain.auditing import people_details
from plane.server import authorise, context, record
from plane.store import engine
from plane.store.delivering import facts
from plane.store.people import glass, holding, people
from plane.wire import granting, rest

log = structlog.get_logger()


def take(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: granting.Break) -> granting.Glass:
    """Hold the role from the next request on; NotFound where no binding names the caller, Conflict for a service or a suspended tenant."""
    tenant, held = _mine(plane, caller, names)
    if caller.actor.kind != "user":
        message = (
            f"a break-glass role is taken by people, and {caller.actor.name!r} is a service; name a person in rolebinding {held.binding!r}"
        )
        raise errors.Conflict(message)
    now = plane.clock.now()
    until = now + dt.timedelta(minutes=body.minutes)
    row = {"tenant_id": tenant or access.PLATFORM_TENANT, "id": plane.clock.id(), "binding_id": held.binding_id}
    told = {"role": held.grant.role, "reason": body.reason, "until": facts.stamp(until)}
    with authorise.named(plane, caller, names, tenant) as place:
        authorise.check_active(place)
        glass.give_back(place.tx, place.scope.tenant, held.binding_id, caller.actor.id, now)  # a new taking replaces the one before
        glass.take(place.tx, {**row, "principal_id": caller.actor.id, "reason": body.reason, "taken_at": now, "until": until})
        record.append(
            plane,
            place.tx,
            place.scope,
            "access.glass.taken",
            project_id=held.grant.project,
            target=f"rolebinding/{held.binding}",
            message=body.reason,
            details=people_details.GlassTaken(**told),
        )
        taken = granting.Glass(binding=held.binding, person=caller.actor.name, taken_at=facts.stamp(now), **told)
        answer = place.done(taken, status=201)
    log.warning(
        "glass.taken", tenant=names.tenant, binding=held.binding, role=held.grant.role, actor=caller.actor.name, until=told["until"]
    )
    return answer


def give_back(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> rest.Deleted:
    """End it before its time; Conflict when the caller does not hold it."""
    tenant, held = _mine(plane, caller, names)
    with authorise.named(plane, caller, names, tenant) as place:
        if not glass.give_back(place.tx, place.scope.tenant, held.binding_id, caller.actor.id, plane.clock.now()):
            message = f"the role of rolebinding {held.binding!r} is not taken"
            raise errors.Conflict(message)
        record.append(plane, place.tx, place.scope, "access.glass.returned", target=f"rolebinding/{held.binding}")
        return place.done(rest.Deleted(name=held.binding))


def taken(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> tuple[granting.Glass, ...]:
    """Who took what, newest first."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "access:get") as place:
        found = glass.taken(place.tx, place.scope.tenant)
    return tuple(
        granting.Glass(
            binding=row.binding,
            role=row.role,
            person=row.person or "one of the platform's people",
            reason=row.reason,
            taken_at=facts.stamp(row.taken_at),
            until=facts.stamp(row.until),
            ended_at=facts.stamp(row.ended_at),
        )
        for row in found
    )


def _mine(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> tuple[str, holding.Held]:
    """The tenant's id and the break-glass binding there that names the caller; as absent as any other when there is none."""
    with engine.dispatch(plane.engine) as tx:
        found = people.place(tx, names.tenant, "") if names.tenant else ("", "")
        tenant = found[0] if found else None
        held = holding.everything(tx, caller.actor.id, home=holding.home(tx, caller.actor.id))
    for each in held:
        if tenant is not None and each.glass and each.binding == names.name and each.grant.tenant == tenant:
            return tenant, each
    authorise.locate(plane, caller.actor, authorise.Names(names.tenant))
    raise errors.NotFound("rolebinding", names.name)
