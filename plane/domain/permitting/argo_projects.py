"""What Argo CD lets an Application do by its AppProject: its reading of `!`, to the letter, for comparing and importing.

There `!x` matches everything but x, so it also grants. `lone` says what becomes of a list that only holds such entries: Argo CD lets it
grant the rest, the plane lets it grant nothing.

Source: `pkg/apis/application/v1alpha1/app_project_types.go` of Argo CD 3.5.
"""

import contextlib
import re
from collections.abc import Sequence

import msgspec

from plane.domain import objects
from plane.domain.permitting import globs, projects, urls

DISALLOWED = frozenset("!*[]{}\\/")
ACCOUNT_USER = "system:serviceaccount:"


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry of `destinations`, and a destination that is asked about."""

    server: str = ""
    name: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.name or self.server}/{self.namespace}"


class GroupKind(msgspec.Struct, frozen=True):
    """An entry of the lists for objects in namespaces; a name there says nothing."""

    kind: str
    group: str = ""


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """An entry of `destinationServiceAccounts`."""

    server: str = ""
    namespace: str = ""
    default_service_account: str = ""


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """`spec` of an AppProject as far as it decides; other fields are passed over. Lists may be null."""

    source_repos: tuple[str, ...] | None = None
    destinations: tuple[Place, ...] | None = None
    cluster_resource_whitelist: tuple[projects.Kinds, ...] | None = None
    cluster_resource_blacklist: tuple[projects.Kinds, ...] | None = None
    namespace_resource_whitelist: tuple[GroupKind, ...] | None = None
    namespace_resource_blacklist: tuple[GroupKind, ...] | None = None
    source_namespaces: tuple[str, ...] | None = None
    permit_only_project_scoped_clusters: bool | None = None
    destination_service_accounts: tuple[Account, ...] | None = None


def source(spec: Spec, url: str, *, name: str, lone: bool = True) -> str:
    """Why an app may not come from a repository, as the end of a sentence; empty when it may."""
    listed, said = spec.source_repos or (), urls.normal(url)
    for one in listed:
        if one[:1] == "!" and globs.matches(urls.normal(one[1:]), said, stop="/"):
            return f"is left out by {one} in the sourceRepos of project {name}"
    granted = [one for one in listed if one[:1] == "!" or one == "*" or globs.matches(urls.normal(one), said, stop="/")]
    if granted and (lone or any(one[:1] != "!" for one in listed)):
        return ""
    return f"is not among the sourceRepos of project {name} ({', '.join(listed) or 'none'}){_lone(granted)}"


def place(spec: Spec, where: Place, *, name: str, lone: bool = True) -> str:
    """Why an app may not go somewhere, as `source` says it."""
    listed, granted = spec.destinations or (), []
    for one in listed:
        by_name, by_server = where.name != "" and _is(one.name, where.name), where.server != "" and _is(one.server, where.server)
        inside = _is(one.namespace, where.namespace)
        if (by_server or by_name) and inside:
            granted.append(str(one))
        elif _denies(one, name=by_name, server=by_server, namespace=inside):
            return f"is left out by {one} in the destinations of project {name}"
    if granted and (lone or not all(negated(one) for one in listed)):
        return ""
    return f"is not among the destinations of project {name} ({', '.join(map(str, listed)) or 'none'}){_lone(granted)}"


def kind(spec: Spec, key: objects.ObjectKey, *, name: str) -> str:
    """Why an app may not hold an object, as `source` says it. Nothing that is cluster-scoped is allowed unless it is listed."""
    return projects.kind(
        projects.Rules(
            cluster_resource_whitelist=spec.cluster_resource_whitelist or (),
            cluster_resource_blacklist=spec.cluster_resource_blacklist or (),
            namespace_resource_whitelist=kinds(spec.namespace_resource_whitelist),
            namespace_resource_blacklist=kinds(spec.namespace_resource_blacklist) or (),
        ),
        key,
        name=name,
    )


def kinds(listed: Sequence[GroupKind] | None) -> tuple[projects.Kinds, ...] | None:
    """Entries as a Project has them."""
    return None if listed is None else tuple(projects.Kinds(one.kind, one.group) for one in listed)


def home(spec: Spec, namespace: str, *, name: str) -> str:
    """Why an Application may not live in a namespace that is not Argo CD's own, as `source` says it."""
    listed = spec.source_namespaces or ()
    if any(_is_home(one, namespace) for one in listed):
        return ""
    return f"is not among the sourceNamespaces of project {name} ({', '.join(listed) or 'none'})"


def _is_home(one: str, namespace: str) -> bool:
    """A glob, or a regular expression between slashes."""
    if len(one) > 2 and one[0] == one[-1] == "/":  # noqa: PLR2004 - the slashes
        with contextlib.suppress(re.error):
            if re.search(one[1:-1], namespace):
                return True
    return globs.matches(one, namespace)


def account(spec: Spec, where: Place) -> str:
    """The user that a sync acts as, `system:serviceaccount:NAMESPACE:NAME`; empty when no entry matches.

    Raises:
        BadGlob: an entry cannot be read, or names no account.
    """
    for one in spec.destination_service_accounts or ():
        if rule := globs.problem(one.server) or globs.problem(one.namespace):
            raise globs.BadGlob(rule)
        if globs.matches(one.server, where.server) and globs.matches(one.namespace, where.namespace):
            name = one.default_service_account
            if not name.strip(" ") or DISALLOWED & set(name):
                raise globs.BadGlob(f"names no service account: {name!r}")
            return f"{ACCOUNT_USER}{name}" if ":" in name else f"{ACCOUNT_USER}{where.namespace}:{name}"
    return ""


def merged(spec: Spec, others: Sequence[Spec]) -> Spec:
    """The project with the global ones that it inherits from: each list goes on with theirs."""
    for other in others:
        pairs = {name: (getattr(spec, name), getattr(other, name)) for name in _INHERITED}
        lists = {name: (*(mine or ()), *(more or ())) if mine is not None or more else None for name, (mine, more) in pairs.items()}
        spec = msgspec.structs.replace(spec, **lists)
    return spec


_INHERITED = (
    "source_repos", "destinations", "cluster_resource_whitelist", "cluster_resource_blacklist", "namespace_resource_whitelist",
    "namespace_resource_blacklist", "destination_service_accounts",
)  # fmt: skip


def _denies(one: Place, *, name: bool, server: bool, namespace: bool) -> bool:
    """`!name` whatever the namespace, `!server` where the namespace matches, `!namespace` where the server does."""
    by_name, by_server = not name and one.name[:1] == "!", not server and one.server[:1] == "!" and namespace
    return by_name or by_server or (not namespace and one.namespace[:1] == "!" and server)


def _is(glob: str, text: str) -> bool:
    if glob[:1] == "!":
        return not globs.matches(glob[1:], text)
    return glob == "*" or globs.matches(glob, text)


def negated(one: Place) -> bool:
    """Whether an entry says `!` anywhere."""
    return "!" in {one.server[:1], one.name[:1], one.namespace[:1]}


def _lone(granted: Sequence[str]) -> str:
    if not granted:
        return ""
    return "; the list only holds entries with `!`, which grant nothing here and the rest in Argo CD: add one without, such as `*`"
