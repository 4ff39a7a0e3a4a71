"""The second person: what waits for one, and their yes."""

from plane.domain import access, errors
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.store import engine
from plane.store.delivering import facts
from plane.store.people import approvals, reached
from plane.wire import granting


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> tuple[granting.Approval, ...]:
    """All of the tenant for whoever may read its people, one's own for the others."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "tenant:get") as place:
        everything = access.allows(caller.actor, "access:get", access.Target(place.scope.tenant))
        found = approvals.page(place.tx, place.scope.tenant, principal="" if everything else caller.actor.id)
    return tuple(_shown(row) for row in found)


def give(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, identity: str) -> granting.Approval:
    """Say yes; who asked cannot, nor whoever had either token in their hands, nor a service, nor whoever may not do it themselves."""
    tenant, _ = authorise.locate(plane, caller.actor, authorise.Names(names.tenant))
    with engine.begin(plane.engine, access.Scope(tenant, caller.actor, caller.request)) as tx:
        row = approvals.find(tx, tenant, identity) if generic.is_id(identity) else None
    if row is None:
        raise errors.NotFound("approval", identity)
    project, _, app = row.place.partition("/")
    scope, project_id = authorise.scope(plane, caller, authorise.Names(names.tenant, project, app, app), row.permission)
    with engine.begin(plane.engine, scope) as tx:
        making = app and row.permission == authorise.UPDATE and reached.placed(tx, tenant, project_id, app) is None
    if making:
        authorise.scope(plane, caller, authorise.Names(names.tenant, project), "app:create")
    if row.principal_id == caller.actor.id or caller.actor.kind != "user":
        message = "a second person is needed: neither who asked nor a service can say yes"
        raise errors.Conflict(message)
    if caller.actor.hands & {row.principal_id, *row.makers}:
        message = "a second person is needed: the token that this was asked with and yours went through the same hands; log in yourself"
        raise errors.Conflict(message)
    now = plane.clock.now()
    with engine.begin(plane.engine, scope) as tx:
        if not approvals.give(tx, tenant, identity, caller.actor.id, now):
            message = "it was answered before, or its time is over; the order has to be asked again"
            raise errors.Conflict(message)
        message = f"{row.permission}: {row.order}, asked by {row.person}"
        record.append(plane, tx, scope, "access.approval.given", project_id=project_id, project=project, message=message)
        made = approvals.find(tx, tenant, identity)
    return _shown(made)  # type: ignore[arg-type]  # just found


def _shown(row: engine.Row) -> granting.Approval:
    times = {name: facts.stamp(getattr(row, name)) for name in ("asked_at", "expires_at", "approved_at", "used_at")}
    return granting.Approval(id=row.id, person=row.person, permission=row.permission, order=row.order, **times)
