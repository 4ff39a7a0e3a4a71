"""Argo CD's `policy.csv`: its lines, and what Argo CD decides by them.

Allowed means: some matching line allows and none denies, asked anew for the default role, for the subject, for each of its groups and for
lines that name no subject; the first that is allowed wins, so a line that denies the subject takes nothing from what the others give.
Source: util/rbac/rbac.go and server/rbacpolicy/rbacpolicy.go of Argo CD 3.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from plane.domain import errors
from plane.domain.granting import go_patterns
from plane.domain.permitting import globs

MAX_STEPS = 10  # from a subject to a role through `g` lines, as Argo CD's engine counts
IN_PROJECTS = frozenset({"applications", "applicationsets", "repositories", "clusters", "logs", "exec"})
RESOURCES = IN_PROJECTS | {"accounts", "certificates", "extensions", "gpgkeys", "projects", "write-repositories"}
BYTE_ORDER_MARK = "\ufeff"
FIELDS = {"p": 6, "g": 3}
SHAPES = {"p": "p, SUBJECT, RESOURCE, ACTION, OBJECT, allow|deny", "g": "g, USER-OR-GROUP, ROLE"}
SHORT_NAMES = {
    "account": "accounts", "app": "applications", "apps": "applications", "application": "applications", "cert": "certificates",
    "certs": "certificates", "certificate": "certificates", "cluster": "clusters", "extension": "extensions", "gpgkey": "gpgkeys",
    "key": "gpgkeys", "log": "logs", "proj": "projects", "projs": "projects", "project": "projects", "repo": "repositories",
    "repos": "repositories", "repository": "repositories",
}  # fmt: skip
_FIELD = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^",]*))(,|$)')


class Rule(msgspec.Struct, frozen=True):
    """A `p` line: it concerns a subject, matches a request, and allows or denies. `where`: `file:line`, or what wrote it."""

    subject: str
    resource: str
    action: str
    object: str
    effect: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where}: p, {self.subject}, {self.resource}, {self.action}, {self.object}, {self.effect}"


class Link(msgspec.Struct, frozen=True):
    """A `g` line: a member has what the role has."""

    member: str
    role: str
    where: str = ""


class Policy(msgspec.Struct, frozen=True):
    """Lines in order. `projects`: what AppProjects add to requests about their own objects. `regex`: `policy.matchMode: regex`.

    `broken`: why there are none, where Argo CD passes over a project's lines because of one that it cannot read.
    `scopes`: the claims whose values count as groups, as the ConfigMap writes them.
    """

    rules: tuple[Rule, ...] = ()
    links: tuple[Link, ...] = ()
    default_role: str = ""
    regex: bool = False
    projects: Mapping[str, "Policy"] = {}
    broken: str = ""
    scopes: str = ""

    def plus(self, other: "Policy") -> "Policy":
        """Both, one behind the other."""
        return msgspec.structs.replace(self, rules=(*self.rules, *other.rules), links=(*self.links, *other.links))

    def under(self, settings: "Policy") -> "Policy":
        """The same lines, with the default role, the way to match and the projects of `settings`."""
        return msgspec.structs.replace(settings, rules=self.rules, links=self.links)


class Request(msgspec.Struct, frozen=True):
    """Who wants to do what, in Argo CD's words."""

    subject: str
    action: str
    resource: str
    object: str
    groups: tuple[str, ...] = ()


class Ruling(msgspec.Struct, frozen=True):
    """The answer, and the line that gave it."""

    allowed: bool
    because: str


class _Stuck(Exception):
    """A pattern that stops Argo CD's engine: the request is refused, whatever other lines say."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        super().__init__(str(rule))


def read(text: str, *, file: str) -> Policy:
    """The lines of a `policy.csv`.

    Raises:
        Invalid: a line that Argo CD would not take, with file and line.
    """
    rules: list[Rule] = []
    links: list[Link] = []
    for number, line in enumerate(text.split("\n"), 1):
        if (trimmed := line.strip()) and not trimmed.startswith("#"):
            where = f"{file}:{number}"
            kind, *fields = _fields(trimmed, where)
            if kind == "p":
                subject, resource, action, place, effect = fields
                rules.append(Rule(subject, resource, action, place, effect, where))
            else:
                member, role = fields
                links.append(Link(member, role, where))
    return Policy(tuple(rules), tuple(links))


def _fields(line: str, where: str) -> list[str]:
    fields: list[str] = []
    at = 0
    more = True
    while more:
        found = _FIELD.match(line, at)
        if not found:
            raise errors.Invalid(
                {where: 'a quote opens where a field has begun, or does not close; write "field" with both quotes or none'}
            )
        quoted, plain, end = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        at, more = found.end(), end == ","
    kind = fields[0]
    if kind.startswith(BYTE_ORDER_MARK):
        raise errors.Invalid(
            {where: "begins with a byte order mark, which Argo CD takes for a part of the line; save the file without one"}
        )
    if kind not in FIELDS:
        raise errors.Invalid({where: f"a line begins with p or g, not with {kind[:20]!r}"})
    if len(fields) != FIELDS[kind]:
        raise errors.Invalid({where: f"has {len(fields)} fields instead of {FIELDS[kind]}: {SHAPES[kind]}"})
    return fields


def decide(policy: Policy, request: Request) -> Ruling:
    """As Argo CD decides: default role, subject, groups, lines without a subject; deny wins within each of them."""
    request = msgspec.structs.replace(request, resource=SHORT_NAMES.get(request.resource, request.resource))
    refused: list[str] = []
    for lines, name, role in _names(policy, request):
        ruling = _enforce(lines, name, request)
        if ruling.allowed:
            return Ruling(allowed=True, because=f"{role}{ruling.because}")
        refused.append(f"{role}{ruling.because}" if ruling.because else "")
    said = "; ".join(dict.fromkeys(reason for reason in refused if reason))
    return Ruling(allowed=False, because=said or _silence(policy, request))


def _names(policy: Policy, request: Request) -> Iterator[tuple[Policy, str, str]]:
    """By which lines to decide, for whom to ask, and how to speak of it."""
    inside = _inside(policy, request)
    if policy.default_role:
        for lines in (policy, inside):
            yield lines, policy.default_role, f"everybody has {policy.default_role}: "
    if not _is_stranger(policy, request):
        yield inside, request.subject, ""
        for group in _groups(policy, request):
            yield inside, group, f"as a member of {group}: "
    yield policy, "", "a line without a subject is about everybody: "


def _inside(policy: Policy, request: Request) -> Policy:
    """With the lines of the project that the request is about."""
    project = _project(request)
    return policy.plus(policy.projects[project]) if project in policy.projects else policy


def _groups(policy: Policy, request: Request) -> Iterator[str]:
    """Those that count. A group that only `p` lines name is never looked at: Argo CD's own prefilter; nor are a project token's."""
    if _is_project_role(request.subject) and _project(request) in policy.projects:
        return
    known = {link.member for link in _inside(policy, request).links}
    yield from (group for group in request.groups if group in known)


def _is_stranger(policy: Policy, request: Request) -> bool:
    """Whether a project's own token asks about another project that is known: it acts nowhere else."""
    project = _project(request)
    return project in policy.projects and _is_project_role(request.subject) and request.subject.split(":")[1] != project


def _enforce(policy: Policy, name: str, request: Request) -> Ruling:
    """What the lines say for one name; empty `because`: nothing at all."""
    reached = _reached(policy.links, name)
    allowing = ""
    try:
        for rule in policy.rules:
            if rule.subject in reached and _matches(rule, request, regex=policy.regex):
                if rule.effect == "deny":
                    return Ruling(allowed=False, because=f"{_path(reached, rule.subject)}{rule}")
                if rule.effect == "allow":
                    allowing = allowing or f"{_path(reached, rule.subject)}{rule}"
    except _Stuck as stuck:
        return Ruling(allowed=False, because=f"{stuck.rule} holds no regular expression, and Argo CD refuses whatever it is asked there")
    return Ruling(allowed=bool(allowing), because=allowing)


def _reached(links: Iterable[Link], name: str) -> dict[str, tuple[str, ...]]:
    """Every role the name has → the names on the way to it."""
    below: dict[str, list[str]] = {}
    for link in links:
        below.setdefault(link.member, []).append(link.role)
    found: dict[str, tuple[str, ...]] = {name: ()}
    edge = [name]
    for _ in range(MAX_STEPS):
        steps = [(member, role) for member in edge for role in below.get(member, ()) if role not in found]
        edge = []
        for member, role in steps:
            if role not in found:
                found[role] = (*found[member], member)
                edge.append(role)
    return found


def _path(reached: Mapping[str, tuple[str, ...]], subject: str) -> str:
    way = reached[subject]
    return f"{' → '.join((*way, subject))}: " if way else ""


def _matches(rule: Rule, request: Request, *, regex: bool) -> bool:
    pairs = ((rule.resource, request.resource), (rule.action, request.action), (rule.object, request.object))
    if not regex:
        return all(globs.matches(pattern, text) for pattern, text in pairs)
    return all(_regex(rule, pattern, text) for pattern, text in pairs)


def _regex(rule: Rule, pattern: str, text: str) -> bool:
    compiled = go_patterns.compiled(pattern)
    if not compiled:
        raise _Stuck(rule)
    return bool(compiled.search(text))


def _project(request: Request) -> str:
    """The project whose roles count for the request, or the empty string."""
    if request.resource == "projects":
        return request.object
    project, slash, _ = request.object.partition("/")
    return project if slash and request.resource in IN_PROJECTS else ""


def _is_project_role(subject: str) -> bool:
    parts = subject.split(":")
    return len(parts) == 3 and parts[0] == "proj"  # noqa: PLR2004 - proj:PROJECT:ROLE


def _silence(policy: Policy, request: Request) -> str:
    """No line speaks: say so, and what a reader of the policy would miss."""
    if _is_stranger(policy, request):
        return f"{request.subject} acts in its own project only, and this is {_project(request)}"
    who = " or ".join((request.subject, *request.groups))
    said = f"no line allows {who} to {request.action} {request.resource} {request.object}"
    if request.resource not in RESOURCES:
        said += f"; Argo CD asks about no such resource: it has {', '.join(sorted(RESOURCES))}"
    if project := policy.projects.get(_project(request)):
        said += f"; Argo CD passes over all roles of project {_project(request)}, for {project.broken}" if project.broken else ""
    inside = _inside(policy, request)
    linked, ruled = {link.member for link in inside.links}, {rule.subject for rule in inside.rules}
    for group in request.groups:
        if group in ruled - linked:
            return f"{said}; Argo CD looks at a group only if a g line names it, and none names {group}"
    return said
