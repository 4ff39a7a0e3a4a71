"""AppProjects as Projects: each field as it is meant there, and a note wherever it means another thing here."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from plane.cli.trying import argo_documents, trial_documents
from plane.domain import errors, objects, orphans, tenancy
from plane.domain.permitting import argo_projects, projects
from plane.domain.timing import schedules
from plane.wire import documents, reading

NOTHING = "!**"  # an entry that grants nothing, for a list that is empty there and would say nothing here
KNOWN = frozenset({
    "sourceRepos", "destinations", "description", "clusterResourceWhitelist", "clusterResourceBlacklist", "namespaceResourceWhitelist",
    "namespaceResourceBlacklist", "orphanedResources", "syncWindows", "permitOnlyProjectScopedClusters", "destinationServiceAccounts",
})  # fmt: skip
KEYS = "names keys of Argo CD's own keyring: until their public keys stand in spec.signatureKeys, UNSIGNED COMMITS ARE TAKEN"
WITHOUT = {
    "roles": "roles and their tokens are no part of a project here: `plane import argocd-rbac` makes role bindings of their policies",
    "sourceNamespaces": "apps are documents of the project here and live in no namespace, so there is none to allow",
    "signatureKeys": KEYS,
    "sourceIntegrity": KEYS,
}

Json = dict[str, Any]
Effect = Literal["safer here", "no equivalent", "changed"]


class Note(msgspec.Struct, frozen=True):
    """What is different about a field."""

    project: str
    field: str
    effect: Effect
    sentence: str


class Imported(msgspec.Struct, frozen=True):
    """A project and its notes."""

    document: documents.Project
    notes: tuple[Note, ...]


def names(known: argo_documents.Known, given: Mapping[str, str]) -> dict[str, str]:
    """Server → the cluster's name here."""
    home = {argo_documents.HOME.server: argo_documents.HOME.name}
    return home | {one.place.server.rstrip("/"): one.place.name for one in known.clusters} | dict(given)


def imported(found: Iterable[argo_documents.Found], servers: Mapping[str, str], *, tenant: str) -> list[Imported]:
    """A Project for each AppProject, in their order; raises as `argo_documents.known`."""
    listed = list(found)
    heirs = argo_documents.inheritances(listed)
    return [
        _Import(where, body, servers).made(tenant=tenant, heirs=heirs) for where, body in listed if argo_documents.is_(body, "AppProject")
    ]


class _Import:
    """One AppProject on its way."""

    def __init__(self, where: objects.Position, body: Json, servers: Mapping[str, str]) -> None:
        self._where = where
        self._spec = argo_documents.mapping(body.get("spec"))
        self._meta = argo_documents.mapping(body.get("metadata"))
        self._name = str(self._meta.get("name") or "")
        self._argo = reading.convert(self._spec, argo_projects.Spec)
        self._servers = servers
        self._notes: list[Note] = []

    def made(self, *, tenant: str, heirs: Mapping[str, str]) -> Imported:
        rules = self._argo
        spec = tenancy.ProjectSpec(
            description=str(self._spec.get("description") or ""),
            source_repos=self._sources(),
            destinations=self._places(),
            cluster_resource_whitelist=rules.cluster_resource_whitelist or (),
            cluster_resource_blacklist=rules.cluster_resource_blacklist or (),
            namespace_resource_whitelist=self._kinds("namespaceResourceWhitelist", rules.namespace_resource_whitelist),
            namespace_resource_blacklist=self._kinds("namespaceResourceBlacklist", rules.namespace_resource_blacklist) or (),
            destination_service_accounts=tuple(self._accounts()),
            orphaned_resources=self._orphans(),
            sync_windows=self._windows(),
            permit_only_project_scoped_clusters=bool(rules.permit_only_project_scoped_clusters),
            inherited_by=heirs.get(self._name, ""),
        )
        self._others(spec)
        marks = {str(key): str(value) for key, value in argo_documents.mapping(self._meta.get("labels")).items()}
        meta = documents.Metadata(name=self._name, tenant=tenant, labels=marks)
        return Imported(documents.Project(api_version=documents.API_VERSION, metadata=meta, spec=spec), tuple(self._notes))

    def _note(self, field: str, effect: Effect, sentence: str) -> None:
        self._notes.append(Note(self._name, field, effect, f"{field}: {sentence}"))

    def _sources(self) -> tuple[str, ...]:
        listed = self._argo.source_repos or ()
        self._signs("sourceRepos", [one[:1] == "!" for one in listed])
        if any("{" in one for one in listed):
            self._note("sourceRepos", "changed", "braces are a choice here; Argo CD escapes them and they match nothing")
        return listed or (NOTHING,)

    def _places(self) -> tuple[projects.Place, ...]:
        listed = self._argo.destinations or ()
        self._signs("destinations", [argo_projects.negated(one) for one in listed])
        made = [place for n, one in enumerate(listed) for place in self._place(f"destinations[{n}]", one)]
        return tuple(made) or (projects.Place(namespace=NOTHING),)

    def _signs(self, field: str, denied: list[bool]) -> None:
        """Entries with `!` grant there and never here."""
        if denied and all(denied):
            self._note(
                field, "safer here", "only holds entries with `!`, which grant the rest in Argo CD and nothing here; add one without"
            )
        elif any(denied):
            self._note(field, "safer here", "entries with `!` only take away here; in Argo CD each also grants whatever it does not name")

    def _place(self, at: str, one: argo_projects.Place) -> Iterator[projects.Place]:
        cluster = self._cluster(at, one)
        if cluster is None:
            return
        if cluster[:1] == "!" and one.namespace[:1] == "!":
            self._note(at, "changed", "leaves out a cluster and a namespace at once; it became two entries")
            yield projects.Place(namespace=one.namespace)
        elif one.name and not one.server and one.namespace[:1] == "!":
            self._note(
                at, "safer here", f"leaves {one.namespace[1:]} out, which Argo CD does not do where the entry names a cluster by name"
            )
        yield projects.Place(cluster, "*" if cluster[:1] == "!" and one.name[:1] == "!" else one.namespace)

    def _cluster(self, at: str, one: argo_projects.Place) -> str | None:
        """The cluster's name here; None where there is none."""
        if one.name:
            return one.name
        sign, server = ("!", one.server[1:]) if one.server[:1] == "!" else ("", one.server)
        name = "*" if server == "*" else self._servers.get(server.rstrip("/"))
        if name is None:
            effect = "so it is left out, and WHAT IT LEFT OUT MAY BE ALLOWED" if sign or one.namespace[:1] == "!" else "so it is left out"
            self._note(
                at,
                "no equivalent",
                f"names the server {server or '(none)'}, and clusters have names here, {effect}; say --cluster {server}=NAME",
            )
        return None if name is None else f"{sign}{name}"

    def _kinds(self, field: str, listed: tuple[argo_projects.GroupKind, ...] | None) -> tuple[projects.Kinds, ...] | None:
        if any(one.get("name") for one in self._spec.get(field) or ()):
            self._note(
                field, "changed", "a name says nothing in this list of Argo CD's, where an entry is about all of a kind; it is left out"
            )
        return argo_projects.kinds(listed)

    def _accounts(self) -> Iterator[projects.Account]:
        for n, one in enumerate(self._argo.destination_service_accounts or ()):
            cluster = self._cluster(f"destinationServiceAccounts[{n}]", argo_projects.Place(one.server, "", one.namespace))
            if cluster is not None:
                yield projects.Account(one.default_service_account.strip(), cluster, one.namespace)
        if self._argo.destination_service_accounts:
            rule = "a place that no entry matches is not synced here; Argo CD syncs it as itself unless impersonation is enforced"
            self._note("destinationServiceAccounts", "safer here", rule)
        for n, one in enumerate(self._argo.destination_service_accounts or ()):
            if ":" in one.default_service_account:
                rule = "the account must live in a namespace that the tenant is granted on the cluster, or nothing is synced as it"
                self._note(f"destinationServiceAccounts[{n}]", "safer here", rule)

    def _orphans(self) -> orphans.Watch | None:
        said = self._spec.get("orphanedResources")
        if said is None:
            return None
        listed = self._mappings("orphanedResources.ignore", argo_documents.mapping(said).get("ignore"))
        ignored = [trial_documents.convert(self._where, one, orphans.Ignored, path) for path, one in listed]
        warn = argo_documents.mapping(said).get("warn")
        return orphans.Watch(warn=warn is not False, ignore=tuple(ignored))

    def _windows(self) -> tuple[schedules.Window, ...]:
        made = []
        for at, said in self._mappings("syncWindows", self._spec.get("syncWindows")):
            given = {"schedule": "", "duration": "", **{field: value for field, value in said.items() if value is not None}}
            window = trial_documents.convert(self._where, given, schedules.Window, at)
            broken = schedules.problems(schedules.Calendar((window,)))
            for path, rule in broken.items():
                self._note(path.replace("syncWindows[0]", at.removeprefix("spec.")), "changed", f"{rule}; the window is left out")
            made += [] if broken else [window]
        return tuple(made)

    def _mappings(self, field: str, value: object) -> list[tuple[str, Json]]:
        """Path and entry of each in a list of mappings; Invalid where it is none."""
        listed = value or []
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise errors.Invalid({f"{self._where}: spec.{field}": "must be a list of mappings"})
        return [(f"spec.{field}[{n}]", one) for n, one in enumerate(listed)]

    def _others(self, spec: tenancy.ProjectSpec) -> None:
        for field in sorted(self._spec.keys() - KNOWN):
            if self._spec[field]:
                self._note(field, "no equivalent", WITHOUT.get(field, "is no field of a Project"))
        if spec.permit_only_project_scoped_clusters:
            rule = "a cluster is a project's own when the tenant's grant on it names the project in `projects`"
            self._note("permitOnlyProjectScopedClusters", "changed", rule)
        for path, rule in tenancy.check_project(spec).items():
            self._note(path.removeprefix("spec."), "changed", f"{rule}; the plane refuses the document until it is put right")
        if not tenancy.DNS_LABEL.fullmatch(self._name):
            self._note("metadata.name", "changed", f"{tenancy.LABEL_RULE}; choose another name")
