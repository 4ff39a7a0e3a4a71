"""Argo CD's access policy as Roles and RoleBindings: what has the same meaning here, and a note for all that has none.

A `p` line becomes permissions of a role of its own subject, over the place that its object names; a `g` line becomes a binding. Nothing
gets wider: roles here only give, so what a line denies is left out of every role that reaches the same people.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from plane.domain.granting import argo_builtin, argo_policy, bindings, roles
from plane.domain.permitting import globs
from plane.wire import documents

Effect = Literal["no equivalent", "changed", "safer here"]
BUILT_IN = {argo_builtin.ADMIN: "tenant-owner", argo_builtin.READONLY: "viewer"}
_APP = {
    "get": ("app:get", "release:get", "task:get"),
    "sync": ("app:sync", "app:rollback", "app:terminate"),
    "action/*": (roles.ACTION,),
    "update/*": ("object:patch",),
    "delete/*": ("object:delete",),
}
_APP |= {verb: (f"app:{verb}",) for verb in ("create", "update", "delete", "override")}
_VERBS = ("get", "create", "update", "delete")
_PLAIN = {"repositories": ("repository", _VERBS), "clusters": ("cluster", ("get",)), "projects": ("project", _VERBS)}
_NAME = re.compile(r"[^a-z0-9]+")
_NAMED = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LIVE = re.compile(r"(update|delete)/(?P<group>[^/]*)/(?P<kind>[^/]+)/\*(/\*)?")
_HEAD = re.compile(r"[^*?\[{\\]*")
_ONE_WAY = {
    "app:logs": ("logs", "get"),
    "app:exec": ("exec", "create"),
    "app:rollback": ("applications", "sync"),
    "app:terminate": ("applications", "sync"),
}
_ACTION = re.compile(r"action/(?P<group>[^/]*)/(?P<kind>[^/]+)/(?P<name>[^/]+)")


class Note(msgspec.Struct, frozen=True):
    """What is different about a line."""

    line: str
    effect: Effect
    sentence: str

    def __str__(self) -> str:
        return f"{self.effect}: {self.line}: {self.sentence}"


class Place(msgspec.Struct, frozen=True, order=True):
    """A project and an app by name; empty: all of them."""

    project: str = ""
    app: str = ""


class Imported(msgspec.Struct, frozen=True):
    """What the policy becomes."""

    roles: tuple[documents.Role, ...]
    bindings: tuple[documents.RoleBinding, ...]
    notes: tuple[Note, ...]


class Import:
    """One policy on its way; `users` are those of the subjects that are people, the others are groups."""

    def __init__(self, policy: argo_policy.Policy, *, tenant: str, users: frozenset[str]) -> None:
        self._policy = policy
        self._tenant = tenant
        self._users = users
        self._notes: list[Note] = []
        self._names: dict[str, str] = {}

    def made(self) -> Imported:
        """Documents in the order of the lines; none where the patterns are regular expressions."""
        if self._policy.regex:
            self._note(
                "policy.matchMode: regex", "no equivalent", "patterns here are plain names and `*`; rewrite the policy with globs first"
            )
            return Imported((), (), tuple(self._notes))
        held = self._held()
        made_roles = [self._role(subject, place, permissions) for (subject, place), permissions in held.items()]
        given = [each for (subject, place), role in zip(held, made_roles, strict=True) for each in self._given(subject, place, role)]
        given += self._given_built_in()
        self._default()
        return Imported(tuple(made_roles), tuple(given), tuple(self._notes))

    def _held(self) -> dict[tuple[str, Place], list[str]]:
        """Subject and place → permissions."""
        held: dict[tuple[str, Place], list[str]] = {}
        for rule in self._policy.rules:
            if rule.effect == "allow" and (permissions := self._permissions(rule)) and (place := self._place(rule)) is not None:
                listed = held.setdefault((rule.subject, place), [])
                listed += [one for one in self._undenied(rule, place, permissions) if one not in listed]
            elif rule.effect not in {"allow", "deny"}:
                self._note(str(rule), "no equivalent", f"its effect {rule.effect!r} counts for nothing, there as here")
        return {key: listed for key, listed in held.items() if listed}

    def _undenied(self, rule: argo_policy.Rule, place: Place, permissions: tuple[str, ...]) -> tuple[str, ...]:
        """Without what a line denies to any of the same people, wherever the two may overlap."""
        for denial in self._policy.rules:
            if denial.effect != "deny" or not self._same_people(rule.subject, denial.subject) or not _overlap(place, denial.object):
                continue
            left = tuple(one for one in permissions if not _denies(denial, one))
            for one in (one for one in permissions if one not in left):
                self._note(
                    str(rule), "safer here", f"{one} is left out, for {denial} denies it or a part of it; give what is left by a line each"
                )
            permissions = left
        return permissions

    def _same_people(self, one: str, other: str) -> bool:
        return bool(self._below(one) & self._below(other))

    def _place(self, rule: argo_policy.Rule) -> Place | None:
        """Where a line holds; None, and a note, when no binding can say that."""
        if rule.object == "*":
            return Place()
        if rule.resource == "clusters":
            self._note(str(rule), "no equivalent", "clusters are seen by all of a tenant or a project; a line for all of them ends in *")
            return None
        if rule.resource == "projects":
            return self._named(rule, rule.object, "*")
        project, slash, app = rule.object.partition("/")
        if rule.resource == "repositories":
            app = "*"  # a repository's address is no place here: the whole project's are meant, or none
            if not slash or rule.object.partition("/")[2] != "*":
                self._note(str(rule), "no equivalent", "repositories are a project's here; a line for all of a project ends in /*")
                return None
        if app.count("/"):
            self._note(str(rule), "no equivalent", "apps live in no namespace here; name PROJECT/APP")
            return None
        return self._named(rule, project, app)

    def _named(self, rule: argo_policy.Rule, project: str, app: str) -> Place | None:
        for part in (project, app):
            if part != "*" and not _NAMED.fullmatch(part):
                self._note(
                    str(rule),
                    "no equivalent",
                    f"{part!r} is no name: a binding is over one project or app, or over all; write one line each",
                )
                return None
        if project == "*" and app != "*":
            self._note(str(rule), "no equivalent", "an app of that name in every project is no place here; write a line for each project")
            return None
        return Place("" if project == "*" else project, "" if app == "*" else app)

    def _permissions(self, rule: argo_policy.Rule) -> tuple[str, ...]:
        """What the line gives here; empty, and a note, when there is no such thing."""
        found = _permissions(rule.resource, rule.action)
        if not found:
            self._note(str(rule), "no equivalent", f"there is no {rule.action} of {rule.resource} here")
        elif rule.resource == "*" or rule.action == "*":
            self._note(
                str(rule), "safer here", "`*` becomes what there is for apps and their project today, without people, secrets and the log"
            )
        return found

    def _role(self, subject: str, place: Place, permissions: Iterable[str]) -> documents.Role:
        over = "-".join(part for part in (place.project, place.app) if part)
        name = self._name(f"{subject}-{over}" if over else subject)
        meta = documents.Metadata(name=name, tenant=self._tenant)
        spec = roles.RoleSpec(tuple(permissions), f"{subject} of Argo CD")
        return documents.Role(api_version=documents.API_VERSION, metadata=meta, spec=spec)

    def _given(self, subject: str, place: Place, role: documents.Role) -> Iterator[documents.RoleBinding]:
        members = self._members(subject)
        if members:
            name, spec = role.metadata.name, self._binding(role.metadata.name, place, members)
            yield documents.RoleBinding(
                api_version=documents.API_VERSION, metadata=documents.Metadata(name=name, tenant=self._tenant), spec=spec
            )

    def _given_built_in(self) -> Iterator[documents.RoleBinding]:
        for role, ours in BUILT_IN.items():
            if members := self._members(role):
                note = "inside the tenant only: the platform's own roles are given by the platform"
                self._note(f"g, …, {role}", "changed", f"{role} becomes {ours}, {note}")
                meta = documents.Metadata(name=self._name(f"argocd-{ours}"), tenant=self._tenant)
                spec = self._binding(ours, Place(), members)
                yield documents.RoleBinding(api_version=documents.API_VERSION, metadata=meta, spec=spec)

    def _binding(self, role: str, place: Place, members: tuple[bindings.Subject, ...]) -> bindings.RoleBindingSpec:
        return bindings.RoleBindingSpec(role=role, project=place.project, app=place.app, subjects=members)

    def _below(self, role: str) -> set[str]:
        """The role's name and all that reach it through `g` lines."""
        found, edge = {role}, {role}
        for _ in range(argo_policy.MAX_STEPS):
            edge = {link.member for link in self._policy.links if link.role in edge} - found
            found |= edge
        return found

    def _members(self, role: str) -> tuple[bindings.Subject, ...]:
        """Everybody who reaches a role, and its own name where that is no role."""
        people = sorted(name for name in self._below(role) if not name.startswith(("role:", "proj:")) and name != "admin")
        if role.startswith("proj:"):
            self._note(role, "no equivalent", "tokens of a project role are made anew: a service user with a token of its own")
        if role in BUILT_IN and (denied := [name for name in people if self._denied(name)]):
            self._note(f"g, …, {role}", "safer here", f"{', '.join(denied)} not given {BUILT_IN[role]}, for a line denies them something")
            people = [name for name in people if name not in denied]
        return tuple(bindings.Subject(name, "User" if name in self._users else "Group") for name in people)

    def _denied(self, name: str) -> bool:
        return any(rule.effect == "deny" and name in self._below(rule.subject) for rule in self._policy.rules)

    def _default(self) -> None:
        if self._policy.default_role:
            line = f"policy.default: {self._policy.default_role}"
            self._note(line, "no equivalent", "nobody has a role here without a binding; bind it to a group that all are in")
        if self._policy.scopes.strip() not in {"", "[groups]"}:
            line = f"scopes: {self._policy.scopes.strip()}"
            self._note(line, "changed", "an identity provider names one claim for groups here (groupsClaim), and people go by their names")

    def _name(self, text: str) -> str:
        """A DNS label for a subject, the same each time and another for each."""
        plain = _NAME.sub("-", text.removeprefix("role:").lower()).strip("-")[:50].rstrip("-") or "role"
        plain = f"argocd-{plain}" if plain in roles.BUILT_IN else plain
        taken = [name for name, of in self._names.items() if of != text]
        name, n = plain, 2
        while name in taken:
            name, n = f"{plain}-{n}", n + 1
        self._names[name] = text
        return name

    def _note(self, line: str, effect: Effect, sentence: str) -> None:
        note = Note(line, effect, sentence)
        if note not in self._notes:
            self._notes.append(note)


def _overlap(place: Place, denied: str) -> bool:
    """Whether a line's object may be about something in the place."""
    project, _, app = denied.partition("/")
    apart = (place.project and _NAMED.fullmatch(project) and project != place.project) or (
        place.app and _NAMED.fullmatch(app) and app != place.app
    )
    return not apart


def _denies(denial: argo_policy.Rule, permission: str) -> bool:
    """Whether a line may deny a part of what the permission gives: its resource and action are globs, and in doubt it does."""
    resource, action = _theirs(permission)
    return globs.matches(denial.resource, resource) and _may_meet(denial.action, action)


def _theirs(permission: str) -> tuple[str, str]:
    """Resource and action, as a glob, that Argo CD would ask for."""
    resource, _, verb = permission.partition(":")
    if permission in _ONE_WAY:
        return _ONE_WAY[permission]
    if resource == "action":
        return "applications", f"action/{verb}"
    if resource == "object":
        action, _, kind = verb.partition("/")
        return "applications", f"{'update' if action == 'patch' else action}/{kind or '*'}/*"
    if resource in roles.OF_APPS:
        return "applications", verb
    return next(theirs for theirs, (ours, _) in _PLAIN.items() if ours == resource), verb


def _may_meet(one: str, other: str) -> bool:
    """Whether a text may exist that both globs match: exact where one of them is a plain text."""
    heads = [_HEAD.match(glob) for glob in (one, other)]
    first, second = (head[0] if head else "" for head in heads)
    if first == one:
        return globs.matches(other, one)
    if second == other:
        return globs.matches(one, other)
    return first.startswith(second) or second.startswith(first)


def _permissions(resource: str, action: str) -> tuple[str, ...]:
    if resource == "*":
        each = [_permissions(one, action) for one in ("applications", "logs", "exec", "repositories")]
        return tuple(dict.fromkeys(permission for found in each for permission in found))
    if resource == "applications":
        return _of_apps(action)
    if (resource, action) in {("logs", "get"), ("logs", "*")}:
        return ("app:logs",)
    if (resource, action) in {("exec", "create"), ("exec", "*")}:
        return ("app:exec",)
    ours, verbs = _PLAIN.get(resource, ("", ()))
    return tuple(f"{ours}:{verb}" for verb in verbs if action in {verb, "*"})


def _of_apps(action: str) -> tuple[str, ...]:
    if action == "*":
        return tuple(dict.fromkeys(permission for found in _APP.values() for permission in found))
    if found := _ACTION.fullmatch(action):
        return (f"action:{found['group']}/{found['kind']}/{found['name']}",)
    if found := _LIVE.fullmatch(action):
        return (f"object:{'patch' if found[1] == 'update' else 'delete'}/{found['group']}/{found['kind']}",)
    return _APP.get(action, ())
