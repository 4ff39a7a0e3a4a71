"""The rules of a project: from where its apps come, where they may go, which kinds they may hold, and the account they sync as.

Fields are spelled as in Argo CD's AppProject. Here an entry with `!` only ever takes away: what is not allowed by an entry without one
is not allowed. `argo_projects` reads the same lists as Argo CD does.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, TypeVar

import msgspec

from plane.domain import errors, labels, objects
from plane.domain.permitting import globs, urls

NAMESPACE = ("", "Namespace")
_NAME = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
ACCOUNT = re.compile(rf"({_NAME}:)?{_NAME}")
Problems = dict[str, str]  # path → broken rule


class Place(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Where apps may go: globs, one of which may begin with `!`; `selector`: only clusters with such labels."""

    cluster: str = "*"
    namespace: str = "*"
    selector: str = ""

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}" + (f" where {self.selector}" if self.selector else "")


class Kinds(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Objects by globs of group, kind and name; an empty name is every name, an empty group the core group."""

    kind: str
    group: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.group}/{self.kind}" + (f" {self.name}" if self.name else "")


class Account(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The service account for a place, as NAME in the app's namespace or as NAMESPACE:NAME. The first entry that matches counts."""

    default_service_account: Annotated[str, msgspec.Meta(max_length=320)]
    cluster: str = "*"
    namespace: str = "*"


class Rules(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a project says of its apps. An absent list says nothing; an empty list of kinds allows none."""

    source_repos: tuple[str, ...] = ()
    destinations: tuple[Place, ...] = ()
    cluster_resource_whitelist: tuple[Kinds, ...] | None = None
    cluster_resource_blacklist: tuple[Kinds, ...] = ()
    namespace_resource_whitelist: tuple[Kinds, ...] | None = None
    namespace_resource_blacklist: tuple[Kinds, ...] = ()
    destination_service_accounts: tuple[Account, ...] = ()


R = TypeVar("R", bound=Rules)


class Where(msgspec.Struct, frozen=True):
    """A place that is asked about."""

    cluster: str
    namespace: str = ""
    labels: Mapping[str, str] = {}

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}"


def source(rules: Rules, url: str, *, name: str) -> str:
    """Why project `name` does not let apps come from a repository, as the end of a sentence; empty when it does."""
    said, listed = urls.plain(url), rules.source_repos
    if denied := next((one for one in listed if one[:1] == "!" and globs.matches(urls.plain(one[1:]), said, stop="/")), None):
        return f"is left out by {denied} in the sourceRepos of project {name}"
    if not listed or any(one == "*" or globs.matches(urls.plain(one), said, stop="/") for one in listed if one[:1] != "!"):
        return ""
    return f"is not among the sourceRepos of project {name} ({', '.join(listed)}){_lone(listed)}"


def place(rules: Rules, where: Where, *, name: str) -> str:
    """Why project `name` does not let apps go somewhere, as `source` says it."""
    listed = rules.destinations
    if denied := next((one for one in listed if _sign(one) and _inside(one, where)), None):
        return f"is left out by {denied} in the destinations of project {name}"
    if not listed or any(_inside(one, where) for one in listed if not _sign(one)):
        return ""
    return f"is not among the destinations of project {name} ({', '.join(map(str, listed))}){_lone(map(_sign, listed))}"


def kind(rules: Rules, key: objects.ObjectKey, *, name: str) -> str:
    """Why project `name` does not let apps hold an object, whatever its place; as `source` says it."""
    allowed, denied, scope = (
        (rules.namespace_resource_whitelist, rules.namespace_resource_blacklist, "namespace")
        if key.namespace
        else (rules.cluster_resource_whitelist, rules.cluster_resource_blacklist, "cluster")
    )
    if against := next((one for one in denied if lists(one, key)), None):
        return f"is denied by {against} in the {scope}ResourceBlacklist of project {name}"
    if allowed is None or any(lists(one, key) for one in allowed):
        return ""
    return f"is not in the {scope}ResourceWhitelist of project {name} ({', '.join(map(str, allowed)) or 'which is empty'})"


def object_(rules: Rules, key: objects.ObjectKey, where: Where, *, name: str) -> str:
    """Why project `name` does not let apps of a cluster hold an object, as `source` says it."""
    namespace = key.namespace or (key.name if (key.group, key.kind) == NAMESPACE else "")
    there = msgspec.structs.replace(where, namespace=namespace)
    return kind(rules, key, name=name) or (place(rules, there, name=name) if namespace else "")


def problems(rules: Rules) -> Problems:
    """Broken rules by path: globs that match nothing because they cannot be read, entries that deny two things at once."""
    found = {f"sourceRepos[{n}]": rule for n, one in enumerate(rules.source_repos) if (rule := globs.problem(one.removeprefix("!")))}
    for n, one in enumerate(rules.destinations):
        found |= {f"destinations[{n}].{field}": rule for field, rule in _place_problems(one)}
    for n, account_ in enumerate(rules.destination_service_accounts):
        found |= {f"destinationServiceAccounts[{n}].{field}": rule for field, rule in _account_problems(account_)}
    return found


def _place_problems(one: Place) -> Iterator[tuple[str, str]]:
    for field, glob in (("cluster", one.cluster), ("namespace", one.namespace)):
        if rule := globs.problem(glob.removeprefix("!")):
            yield field, rule
        if glob == "!*":
            yield field, "leaves out everything; remove the entry, or name what is to be left out"
    if one.cluster[:1] == one.namespace[:1] == "!":
        yield "namespace", "and cluster both begin with `!`; leave out one thing per entry"
    try:
        labels.parse(one.selector)
    except errors.Invalid as error:
        yield "selector", next(iter(error.problems.values()))


def _account_problems(one: Account) -> Iterator[tuple[str, str]]:
    for field, glob in (("cluster", one.cluster), ("namespace", one.namespace)):
        if rule := "must not begin with `!`: the first entry that matches counts" if glob[:1] == "!" else globs.problem(glob):
            yield field, rule
    if not ACCOUNT.fullmatch(one.default_service_account):
        yield "defaultServiceAccount", "must be the name of a service account, or NAMESPACE:NAME"


def lists(one: Kinds, key: objects.ObjectKey) -> bool:
    """Whether an entry of a list of kinds is about an object."""
    named = not one.name or globs.matches_name(one.name, key.name)
    return named and globs.matches_name(one.kind, key.kind) and globs.matches_name(one.group, key.group)


def account(rules: Rules, where: Where) -> str:
    """`NAMESPACE:NAME` of the service account for a place; empty when no entry matches.

    Whether an app may sync without one is not decided here.
    """
    for one in rules.destination_service_accounts:
        if globs.matches(one.cluster, where.cluster) and globs.matches(one.namespace, where.namespace):
            name = one.default_service_account.strip()
            return name if ":" in name else f"{where.namespace}:{name}"
    return ""


def namespaces(rules: Rules, where: Where) -> tuple[str, ...]:
    """The destinations on one cluster as globs of namespaces, those that take away with `!`; none: the place is not narrowed."""
    there = [one for one in rules.destinations if _inside(msgspec.structs.replace(one, namespace="*"), where)]
    found = tuple(f"{_sign(one)}{one.namespace.removeprefix('!')}" for one in there)
    return found or (("!*",) if rules.destinations else ())


def joined(rules: R, others: Iterable[Rules]) -> R:
    """The rules with those that a project inherits: each list goes on with the others' lists."""
    for other in others:
        lists_ = {name: _together(getattr(rules, name), getattr(other, name)) for name in Rules.__struct_fields__}
        rules = msgspec.structs.replace(rules, **lists_)
    return rules


def _together(mine: tuple[object, ...] | None, more: tuple[object, ...] | None) -> tuple[object, ...] | None:
    return None if mine is None and more is None else (*(mine or ()), *(more or ()))


def _sign(one: Place) -> str:
    return "!" if "!" in {one.cluster[:1], one.namespace[:1]} else ""


def _lone(entries: Iterable[str]) -> str:
    only = all(one[:1] == "!" for one in entries)
    return "; entries with `!` take away and grant nothing, so add one without, such as `*`" if only else ""


def _inside(one: Place, where: Where) -> bool:
    named = globs.matches(one.cluster.removeprefix("!"), where.cluster) and globs.matches(one.namespace.removeprefix("!"), where.namespace)
    return named and labels.matches(labels.parse(one.selector), where.labels)
