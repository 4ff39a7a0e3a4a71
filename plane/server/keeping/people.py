"""Who may ask: people and services, and their roles. Nobody grants a role above their own."""

from collections.abc import Iterable

from plane.domain import access, errors
from plane.domain.auditing import details
from plane.domain.granting import bindings as domain
from plane.domain.granting import roles
from plane.server import authorise, context, record
from plane.store import engine
from plane.store.delivering import facts
from plane.store.people import bindings, holding, people
from plane.wire import people as shapes
from plane.wire import rest


def me(plane: context.Plane, caller: authorise.Caller) -> shapes.Me:
    """The caller and what it holds."""
    with engine.dispatch(plane.engine) as tx:
        tenants, projects = people.named(tx, caller.actor.grants)
    held = {
        shapes.HeldRole(role=each.role, tenant=tenants.get(each.tenant, ""), project=projects.get(each.project, ""))
        for each in caller.actor.grants
    }
    return shapes.Me(
        id=caller.actor.id,
        name=caller.actor.name,
        kind=caller.actor.kind,
        roles=tuple(sorted(held, key=lambda each: (each.tenant, each.project, each.role))),
    )


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery) -> rest.Page[shapes.Person]:
    """A tenant's people (or the platform's) by name."""
    with authorise.enter(plane, caller, above(names), "access:get") as place:
        found = people.page(place.tx, place.scope.tenant, after=rest.after(query), limit=query.limit + 1)
    return rest.page([_person(each) for each in found], query.limit, key=lambda each: each.name)


def create(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: shapes.NewPerson) -> shapes.Person:
    """Somebody new, without any role; Conflict when the name is taken."""
    with authorise.enter(plane, caller, above(names), "access:create") as place:
        identity, now = plane.clock.id(), plane.clock.now()
        if not people.add(place.tx, place.scope.tenant, identity=identity, name=body.name, kind=body.kind):
            message = f"{body.kind} {body.name!r} exists already"
            raise errors.Conflict(message)
        told = details.Person(kind=body.kind)
        record.append(plane, place.tx, place.scope, "access.person.created", target=f"person/{body.name}", details=told)
        made = shapes.Person(id=identity, name=body.name, kind=body.kind, disabled=False, created_at=facts.stamp(now), roles=())
        return place.done(made, status=201)


def set_disabled(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, *, disabled: bool) -> rest.Deleted:
    """Shut somebody out at once, or let them in again; the log keeps their name either way."""
    with authorise.enter(plane, caller, above(names), "access:delete" if disabled else "access:create") as place:
        identity = known(place)
        check_above(caller.actor, holding.giving(place.tx, place.scope.tenant, identity))
        if disabled:
            check_admin_left(place, without=identity)
        people.set_disabled(place.tx, place.scope.tenant, identity, disabled=disabled, now=plane.clock.now())
        record.append(
            plane, place.tx, place.scope, "access.person.disabled" if disabled else "access.person.enabled", target=f"person/{names.name}"
        )
        return place.done(rest.Deleted(name=names.name))


def bind(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: shapes.NewRole) -> shapes.NewRole:
    """Give a role over the tenant or one project; platform-admin only to the platform's people.

    Raises:
        Forbidden: the role holds a permission that the caller does not hold there.
    """
    with authorise.enter(plane, caller, authorise.Names(names.tenant, body.project, names.name), "access:create") as place:
        _check_role(place, body)
        row = {"id": plane.clock.id(), "principal_id": known(place), "role": body.role, "project_id": place.project or None}
        if people.bind(place.tx, place.scope.tenant, row):
            record.append(
                plane,
                place.tx,
                place.scope,
                "access.role.granted",
                project_id=place.project,
                details=details.Role(role=body.role),
                **_about(names, body),
            )
        return place.done(body, status=201)


def unbind(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: shapes.NewRole) -> rest.Taken:
    """Take a role that was given by hand; it ends with this transaction. What a binding gives, the binding takes: Conflict."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant, body.project, names.name), "access:delete") as place:
        _check_role(place, body)
        left = _unbind(place, body)
        check_admin_left(place)
        record.append(
            plane,
            place.tx,
            place.scope,
            "access.role.taken",
            project_id=place.project,
            details=details.Role(role=body.role),
            **_about(names, body),
        )
        return place.done(rest.Taken(name=body.role, bindings=left))


def above(names: authorise.Names) -> authorise.Names:
    """People belong to tenants, never to projects."""
    return authorise.Names(names.tenant, "", names.name)


def tenant(place: authorise.Place) -> str:
    """The tenant as grants name it."""
    return "" if place.scope.tenant == access.PLATFORM_TENANT else place.scope.tenant


def known(place: authorise.Place) -> str:
    """The id of whom the path names; NotFound."""
    found = people.find(place.tx, place.scope.tenant, place.names.name)
    if not found:
        raise errors.NotFound("person", place.names.name)
    return found


def kind(place: authorise.Place) -> str:
    """Whether it is a user or a service."""
    return people.ids(place.tx, place.scope.tenant, [place.names.name], held=False)[place.names.name][1]


def _check_role(place: authorise.Place, body: shapes.NewRole) -> None:
    """Invalid for a role that is none here; Forbidden for one above the caller's own."""
    if rule := domain.misplaced(body.role, in_tenant=bool(place.names.tenant)):
        raise errors.Invalid({"role": rule})
    permissions = bindings.role(place.tx, place.scope.tenant, body.role)
    if body.role not in roles.BUILT_IN and permissions is None:
        raise errors.Invalid({"role": f"there is no role {body.role!r} here; built in are {', '.join(roles.BUILT_IN)}"})
    check_above(place.scope.actor, (access.Grant(body.role, tenant(place), place.project, permissions=permissions or ()),))


def check_above(who: access.Actor, grants: Iterable[access.Grant]) -> None:
    """Whoever gives, takes or wields a role must hold each of its permissions there; Forbidden."""
    for grant in grants:
        if permission := access.lacking(who, grant):
            raise errors.Forbidden(permission)


def check_admin_left(place: authorise.Place, *, without: str = access.PLATFORM_TENANT) -> None:
    """Conflict when the platform would have no admin any more, `without` a user or a binding that is about to go."""
    if place.scope.tenant == access.PLATFORM_TENANT and not bindings.an_admin_is_left(place.tx, without=without):
        message = "this would leave the platform without an admin who may log in; make somebody else platform-admin first"
        raise errors.Conflict(message)


def _unbind(place: authorise.Place, body: shapes.NewRole) -> tuple[str, ...]:
    """The bindings that give the role still."""
    principal, project = known(place), place.project or None
    given = bindings.giving(place.tx, place.scope.tenant, principal, role=body.role, project=project)
    if people.unbind(place.tx, place.scope.tenant, principal=principal, role=body.role, project=project):
        return given
    if not given:
        raise errors.NotFound("role", body.role)
    who, names = place.names.name, ", ".join(given)
    message = f"the role {body.role} of {who!r} comes from rolebinding {names}; take {who!r} out of its subjects"
    raise errors.Conflict(message)


def _about(names: authorise.Names, body: shapes.NewRole) -> record.Facts:
    return record.Facts(project=body.project, target=f"person/{names.name}")


def _person(row: people.Person) -> shapes.Person:
    roles = tuple(shapes.GivenRole(role=role, project=project, binding=binding) for role, project, binding in row.roles)
    return shapes.Person(
        id=row.id, name=row.name, kind=row.kind, disabled=row.disabled, created_at=facts.stamp(row.created_at), roles=roles
    )
