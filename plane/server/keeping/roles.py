"""Roles of a tenant's own, as documents. Nobody writes one that holds what they do not; a role that is given stays."""

import msgspec

from plane.domain import access, errors
from plane.domain.granting import roles
from plane.server import authorise
from plane.server import documents as generic
from plane.server.keeping import people
from plane.store import documents as rows
from plane.store.layout import tables
from plane.store.people import bindings
from plane.wire import documents


def read(row: rows.Row, names: authorise.Names) -> documents.Role:
    """From a row."""
    return documents.Role(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=msgspec.convert(row.spec, roles.RoleSpec),
        status=documents.Status(**generic.common(row)),
    )


def known(place: authorise.Place, role: str, *, path: str) -> tuple[str, ...]:
    """The permissions of a role that is not built in, which stays until the transaction ends; Invalid when there is none of that name."""
    if role in roles.BUILT_IN:
        return ()
    found = bindings.role(place.tx, place.scope.tenant, role)
    if found is None:
        own = f"no Role {role!r} in tenant {place.names.tenant}" if place.names.tenant else f"no role {role!r} of the platform"
        raise errors.Invalid({path: f"there is {own}, and built in are {', '.join(roles.BUILT_IN)}"})
    return found


def _columns(change: generic.Change) -> generic.Columns:
    name, spec = change.wish.metadata.name, change.wish.spec
    if name in roles.BUILT_IN:
        raise errors.Invalid({"metadata.name": f"{name} is built in; choose another name"})
    if problems := roles.check(spec):
        raise errors.Invalid({f"spec.{path}": rule for path, rule in problems.items()})
    _check_above(change, spec.permissions)
    return {**generic.spec_only(change), "permissions": list(spec.permissions)}


def _check_above(change: generic.Change, permissions: tuple[str, ...]) -> None:
    """Whoever has the role, wherever in the tenant, has what is written now: all of it must be the writer's, and what was there before."""
    before = tuple(change.before.permissions) if change.before else ()
    grants = [access.Grant(change.place.names.name, people.tenant(change.place), permissions=each) for each in {permissions, before}]
    people.check_above(change.place.scope.actor, grants)


def _release(change: generic.Change) -> None:
    _check_above(change, ())
    if using := bindings.using(change.place.tx, change.place.scope.tenant, change.place.names.name):
        message = f"role {change.place.names.name!r} is given still, by {', '.join(using)}; take it there first"
        raise errors.Conflict(message)


KIND = generic.Kind(
    type=documents.Role,
    noun="role",
    plural="roles",
    resource="access",
    level=1,
    shelf=rows.plain(tables.roles),
    read=read,
    columns=_columns,
    release=_release,
)
