"""Users as documents: people and services of a tenant, and the platform's. They log in with tokens; what they may do, role bindings say."""

import msgspec

from plane.domain.auditing import details
from plane.domain.granting import bindings
from plane.server import authorise, record
from plane.server import documents as generic
from plane.server.keeping import people, role_bindings
from plane.store import documents as rows
from plane.store.delivering import facts
from plane.store.people import holding, users
from plane.wire import documents


def read(row: rows.Row, names: authorise.Names) -> documents.User:
    """From a row."""
    held = msgspec.convert(row.roles, tuple[documents.HeldRole, ...])
    ends = facts.stamp(row.tokens_expire)
    return documents.User(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=bindings.UserSpec(row.kind, row.disabled_at is not None, row.description, tuple(row.groups)),
        status=documents.UserStatus(**generic.common(row), roles=held, tokens=row.tokens, tokens_expire=ends),
    )


def _columns(change: generic.Change) -> generic.Columns:
    spec, since = change.wish.spec, change.before.disabled_at if change.before else None
    if change.before:
        _check_above(change)
    if spec.disabled and not since:
        people.check_admin_left(change.place, without=change.id)
        since = change.plane.clock.now()
    return {
        "kind": spec.type,
        "description": spec.description,
        "groups": list(spec.groups),
        "disabled_at": since if spec.disabled else None,
    }


def _settle(change: generic.Change) -> None:
    """A group brings its roles: they too must be the writer's to give; Forbidden, and the transaction is undone."""
    _check_above(change)


def _release(change: generic.Change) -> None:
    """Tokens and roles go with the row; documents that name the user are written without it."""
    _check_above(change)
    people.check_admin_left(change.place, without=change.id)
    role_bindings.forget(change)
    _tell_taken(change)


def _tell_taken(change: generic.Change) -> None:
    """The log names every role given by hand that ends; `forget` does so for bindings."""
    name = change.place.names.name
    for held in change.before.roles:  # type: ignore[union-attr]  # what is released was there
        if not held["binding"]:
            about = record.Facts(target=f"user/{name}", message=f"user/{name} was deleted", project=held["project"])
            taken = details.Role(role=held["role"])
            record.append(change.plane, change.place.tx, change.place.scope, "access.role.taken", details=taken, **about)


def _check_above(change: generic.Change) -> None:
    people.check_above(change.place.scope.actor, holding.giving(change.place.tx, change.place.scope.tenant, change.id))


KIND = generic.Kind(
    type=documents.User,
    noun="user",
    plural="users",
    resource="access",
    level=1,
    shelf=users.SHELF,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0)
