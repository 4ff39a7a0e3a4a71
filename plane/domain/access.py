"""Who may do what: roles, grants, and the one function that decides; users and role bindings as people write them."""

import fnmatch
from typing import Annotated, Literal

import msgspec

RoleName = Literal["admin", "editor", "viewer", "platform-admin"]

VIEW = frozenset({
    "tenant:get", "project:get", "cluster:get", "repository:get", "credential:get", "app:get", "release:get", "task:get", "policy:get",
    "healthcheck:get",
})  # fmt: skip
EDIT = VIEW | {
    "app:create", "app:update", "app:delete", "app:sync", "app:refresh", "app:rollback", "app:terminate", "app:hold",
    "app:logs", "action:*",
    "repository:create", "repository:update", "repository:delete", "repository:test",
}  # fmt: skip
ADMIN = EDIT | {
    "app:approve", "app:override", "project:hold", "object:patch", "object:delete",
    "project:create", "project:update", "project:delete", "credential:create", "credential:update", "credential:delete",
    "policy:create", "policy:update", "policy:delete",
    "healthcheck:create", "healthcheck:update", "healthcheck:delete", "access:get", "access:create", "access:update", "access:delete",
    "audit:read", "audit:export", "sink:get", "sink:create", "sink:update", "sink:delete",
}  # fmt: skip
PLATFORM = ADMIN | {
    "audit:govern",
    "tenant:create", "tenant:update", "tenant:delete",
    "cluster:create", "cluster:update", "cluster:delete",
    "resourcerule:get", "resourcerule:create", "resourcerule:update", "resourcerule:delete",
    "cluster:join", "cluster:revoke", "cluster:rotate",
}  # fmt: skip
ROLES: dict[RoleName, frozenset[str]] = {"viewer": VIEW, "editor": EDIT, "admin": ADMIN, "platform-admin": PLATFORM}


MAX_SUBJECTS = 500  # of one binding; more people than that share a role through several


class UserSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A person, or a service for machines. `disabled`: shut out, with all tokens, until enabled again."""

    type: Literal["user", "service"] = "user"
    disabled: bool = False
    description: str = ""


class Subject(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Who gets the role. `platform`: one of the platform's own people, who may hold roles in tenants."""

    name: str
    kind: Literal["User"] = "User"
    platform: bool = False


class RoleBindingSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A role over the tenant, or over one project by its name, for all subjects; without a tenant, over everything."""

    role: RoleName
    project: str = ""
    subjects: Annotated[tuple[Subject, ...], msgspec.Meta(max_length=MAX_SUBJECTS)] = ()


class Grant(msgspec.Struct, frozen=True):
    """A role over everything (tenant empty), one tenant (project empty) or one project; both are ids."""

    role: RoleName
    tenant: str = ""
    project: str = ""


class Actor(msgspec.Struct, frozen=True):
    """Who asks. `id` and `token` are ids; `kind`: user, service, agent or system."""

    id: str
    name: str
    kind: Literal["user", "service", "agent", "system"] = "user"
    token: str = ""
    grants: tuple[Grant, ...] = ()
    ip: str = ""
    user_agent: str = ""


class Target(msgspec.Struct, frozen=True):
    """What is asked about, by ids; a platform object has no tenant."""

    tenant: str = ""
    project: str = ""


class Scope(msgspec.Struct, frozen=True):
    """One tenant, one actor: the only key to a transaction. Minted where authorisation happens, and by workers for leased rows."""

    tenant: str
    actor: Actor
    request: str = ""


SYSTEM = Actor(id="00000000-0000-0000-0000-000000000000", name="plane", kind="system")
PLATFORM_TENANT = "00000000-0000-0000-0000-000000000000"  # owns what belongs to no tenant: platform policies, platform audit log


def covers(grant: Grant, target: Target) -> bool:
    """Whether a grant's place contains the target."""
    if not grant.tenant:
        return True
    return grant.tenant == target.tenant and (not grant.project or grant.project == target.project)


def allows(actor: Actor, permission: str, target: Target) -> bool:
    """The only place that decides: some grant covers the target and its role holds the permission."""
    return any(covers(grant, target) and _holds(ROLES[grant.role], permission) for grant in actor.grants)


def action(group: str, kind: str, name: str) -> str:
    """The permission to do an action to objects of a kind; a role may hold it with wildcards, such as `action:apps/*/restart`."""
    return f"action:{group}/{kind}/{name}"


def _holds(held: frozenset[str], permission: str) -> bool:
    return permission in held or any(fnmatch.fnmatchcase(permission, glob) for glob in held if "*" in glob)


def lacking(actor: Actor, grant: Grant) -> str:
    """The first permission of the grant that the actor does not hold where it holds, or the empty string: nobody gives more than that."""
    target = Target(grant.tenant, grant.project)
    return next((permission for permission in sorted(ROLES[grant.role]) if not allows(actor, permission, target)), "")


def sees(actor: Actor, target: Target) -> bool:
    """Whether the actor may know that the target exists: any grant there, or below it for a tenant's own row."""
    return any(covers(grant, target) or (grant.tenant == target.tenant and not target.project) for grant in actor.grants)
