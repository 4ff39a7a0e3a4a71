"""Permissions there are, the roles that every plane has, and what it means that a role holds a permission.

A permission is `resource:verb`. A role may hold some with `*` in them; what opens secrets it must spell out.
"""

import functools
import re
from collections.abc import Iterable, Mapping

import msgspec

from plane.domain.permitting import globs

MAX_PERMISSIONS = 200  # of one role; there are about a hundred
BY_NAME_ONLY = frozenset({"secrets:reveal"})  # no wildcard ever gives these
ACTION = "action:*"  # stands for all actions: action:GROUP/KIND/NAME
ON_KINDS = ("object:patch", "object:delete")  # may be narrowed to a kind: object:patch/GROUP/KIND

_DOCUMENT = ("get", "create", "update", "delete")
_VERBS: Mapping[str, tuple[str, ...]] = {
    "tenant": _DOCUMENT,
    "project": (*_DOCUMENT, "hold"),
    "cluster": (*_DOCUMENT, "join", "revoke", "rotate"),
    "repository": (*_DOCUMENT, "test"),
    "credential": _DOCUMENT,
    "app": (
        *_DOCUMENT, "sync", "rollback", "override", "approve", "refresh", "terminate", "hold", "logs", "exec",
    ),
    "release": ("get",),
    "task": ("get",),
    "object": ("patch", "delete"),
    "policy": _DOCUMENT,
    "waiver": (*_DOCUMENT, "approve", "revoke", "breakglass"),
    "healthcheck": _DOCUMENT,
    "resourcerule": _DOCUMENT,
    "access": _DOCUMENT,
    "audit": ("read", "export", "govern", "witness"),
    "sink": _DOCUMENT,
    "identityprovider": (*_DOCUMENT, "test"),
    "workloadtrust": _DOCUMENT,
    "secrets": ("reveal",),
}  # fmt: skip
PERMISSIONS = frozenset(f"{resource}:{verb}" for resource, verbs in _VERBS.items() for verb in verbs) | {ACTION}
OF_APPS = frozenset({"app", "release", "task", "action", "object"})  # resources that are asked about one app

VIEWER = frozenset({
    "tenant:get", "project:get", "cluster:get", "repository:get", "credential:get", "app:get", "release:get", "task:get", "policy:get",
    "waiver:get", "healthcheck:get",
})  # fmt: skip
DEPLOYER = VIEWER | {"app:sync", "app:refresh", "app:rollback", "app:terminate", "app:hold", "app:logs", ACTION}
MAINTAINER = DEPLOYER | {
    "app:create", "app:update", "app:delete",
    "repository:create", "repository:update", "repository:delete", "repository:test", "waiver:create", "waiver:update", "waiver:delete",
}  # fmt: skip
AUDITOR = VIEWER | {"access:get", "audit:read", "audit:export", "sink:get", "identityprovider:get", "workloadtrust:get"}
TENANT_OWNER = MAINTAINER | AUDITOR | {
    "app:approve", "app:override", "app:exec", "audit:witness", "project:hold", "object:patch", "object:delete",
    "cluster:create", "cluster:update", "cluster:delete", "cluster:join", "cluster:revoke", "cluster:rotate",
    "project:create", "project:update", "project:delete", "credential:create", "credential:update", "credential:delete",
    "policy:create", "policy:update", "policy:delete", "waiver:approve", "waiver:revoke", "waiver:breakglass",
    "healthcheck:create", "healthcheck:update", "healthcheck:delete", "access:create", "access:update", "access:delete",
    "sink:create", "sink:update", "sink:delete",
    "identityprovider:create", "identityprovider:update", "identityprovider:delete", "identityprovider:test",
    "workloadtrust:create", "workloadtrust:update", "workloadtrust:delete",
}  # fmt: skip
PLATFORM_AUDITOR = AUDITOR | {"resourcerule:get"}
PLATFORM_ADMIN = PERMISSIONS

BUILT_IN: Mapping[str, frozenset[str]] = {
    "platform-admin": PLATFORM_ADMIN,
    "platform-auditor": PLATFORM_AUDITOR,
    "tenant-owner": TENANT_OWNER,
    "maintainer": MAINTAINER,
    "deployer": DEPLOYER,
    "viewer": VIEWER,
    "auditor": AUDITOR,
    "admin": TENANT_OWNER,  # the short names of tenant-owner and maintainer
    "editor": MAINTAINER,
}
OF_PLATFORM = frozenset({"platform-admin", "platform-auditor"})

_SPELLING = re.compile(r"[a-z]+:[a-z]+|[a-z*]+:[a-z*]+|\*|action:[^/\s]*/[^/\s]+/[^/\s]+|object:(patch|delete)/[^/\s]*/[^/\s]+")


class RoleSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A role of a tenant's own: permissions, some with `*` in them, such as `app:*` or `action:apps/*/restart`."""

    permissions: tuple[str, ...] = ()
    description: str = ""


def held(role: str, permissions: Iterable[str]) -> frozenset[str]:
    """What a role holds: a built-in one by its name, whatever else goes by that name, another one what its document says."""
    return BUILT_IN[role] if role in BUILT_IN else frozenset(permissions)


def holds(role: frozenset[str], permission: str) -> bool:
    """Whether a set of permissions, some with `*`, contains one that has none."""
    return permission in role or any(_contains(one, permission) for one in _patterns(role))


def check(spec: RoleSpec) -> dict[str, str]:
    """Broken rules by path."""
    return check_list("permissions", spec.permissions)


def check_list(name: str, permissions: tuple[str, ...]) -> dict[str, str]:
    """The same for a list of permissions of that name."""
    problems = {}
    if len(permissions) > MAX_PERMISSIONS:
        problems[name] = f"holds {len(permissions)} permissions; {MAX_PERMISSIONS} are enough for everything there is"
    for n, permission in enumerate(permissions):
        if rule := problem(permission):
            problems[f"{name}[{n}]"] = rule
        elif permission in permissions[:n]:
            problems[f"{name}[{n}]"] = f"{permission} is in this list already; keep one"
    return problems


def spelled_out(permissions: Iterable[str]) -> frozenset[str]:
    """The same without `*`, as far as permissions are known by name; actions and kinds of objects stay as they are."""
    role = frozenset(permissions)
    named = {one for one in PERMISSIONS if holds(role, one)}
    return frozenset(named | {one for one in role if one.startswith(("action:", "object:"))})


def narrowed(role: frozenset[str], scopes: frozenset[str]) -> frozenset[str]:
    """At least what a role gives through a token with these scopes, spelled out; no scopes: all of it."""
    given = spelled_out(role)
    if not scopes:
        return given
    wanted = spelled_out(scopes)
    inside = {one for one in wanted if holds(role, one)}
    covered = {one for one in given if holds(scopes, one)}
    crossing = {one.partition(":")[0] for one in wanted - inside}  # patterns that meet the role's, neither in the other
    return frozenset(inside | covered | {one for one in given if "/" in one and one.partition(":")[0] in crossing})


def problem(permission: str) -> str:
    """Why a role can hold no such permission, or the empty string."""
    if not _SPELLING.fullmatch(permission):
        return "must be resource:verb, such as app:sync, app:* or action:apps/Deployment/restart"
    if permission in PERMISSIONS or permission.startswith("action:"):
        return ""
    if any(_contains(permission, one) for one in PERMISSIONS) or permission.startswith(ON_KINDS):
        return ""
    resource = permission.partition(":")[0]
    known = ", ".join(f"{resource}:{verb}" for verb in _VERBS.get(resource, ())) or f"resources are {', '.join(sorted(_VERBS))}"
    return f"there is no permission {permission[:80]}; {known}"


@functools.lru_cache(maxsize=1024)
def _patterns(role: frozenset[str]) -> tuple[str, ...]:
    """Those that may contain others."""
    return tuple(one for one in role if "*" in one or one in ON_KINDS)


def _contains(pattern: str, permission: str) -> bool:
    """Whether all that `permission` gives is given by `pattern`; a `*` in `permission` is matched by a `*` only."""
    if permission in BY_NAME_ONLY:
        return False
    if pattern in ON_KINDS:
        return permission.startswith(f"{pattern}/")
    found = _compiled(pattern).fullmatch(permission)
    return bool(found) and not (pattern.startswith("action:") and permission.count("/") != 2 and permission != ACTION)  # noqa: PLR2004 - GROUP/KIND/NAME


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(globs.starred([re.escape(part) for part in pattern.split("*")], "[^:]") if pattern != "*" else ".*", re.DOTALL)
