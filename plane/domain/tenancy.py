"""What a tenant keeps besides its apps: projects, repositories, credentials, policy sets; and the rules their fields obey."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from plane.domain import annotations, apps, errors, fleet, labels, options, orphans, trust
from plane.domain.granting import roles
from plane.domain.judging import artifacts, policy, policy_sources, styles
from plane.domain.permitting import namespaces as begins
from plane.domain.permitting import projects, signing
from plane.domain.permitting import quotas as amounts
from plane.domain.reading import addresses
from plane.domain.rendering import refs
from plane.domain.timing import retries, rollbacks, schedules

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_RULE = "must be a DNS label: lower-case letters, digits and '-', beginning and ending with a letter or digit, at most 63"
REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,199}")
CredentialKind = Literal["git-password", "git-ssh", "sops-age", "vault"]
SECRET_KEYS: dict[CredentialKind, tuple[frozenset[str], ...]] = {
    "git-password": (frozenset({"password"}),),
    "git-ssh": (frozenset({"privateKey"}),),
    "sops-age": (frozenset({"identity"}),),
    "vault": (frozenset({"token"}), frozenset({"secretId"})),
}
PUBLIC_KEYS: dict[CredentialKind, frozenset[str]] = {
    "git-password": frozenset({"username"}),
    "git-ssh": frozenset({"username", "known_hosts"}),
    "sops-age": frozenset(),
    "vault": frozenset({"address", "mount", "prefixes", "namespace", "role_id", "ca_pem"}),
}


class TenantSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A tenant: people and projects that see nothing of other tenants. Its windows and freezes hold for every project.

    `suspended`: why, as a sentence; while it says something, what runs stays, nothing is dispatched, and people may only read.
    `weight`: how much of the workers it gets while several tenants have work, beside those of weight 1.
    """

    description: str = ""
    display_name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    suspended: Annotated[str, msgspec.Meta(max_length=500)] = ""
    quotas: amounts.Quotas = amounts.Quotas()
    weight: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    namespaces: begins.Template = begins.Template()
    sync_windows: tuple[schedules.Window, ...] = ()
    freezes: tuple[schedules.Freeze, ...] = ()
    policy_keys: tuple[trust.Key, ...] = ()  # one of them signed each of the tenant's policy sets; none: unsigned ones are taken
    two_person: tuple[str, ...] = ()  # permissions, some with `*`, that nobody uses without a second person's yes


class ProjectSpec(projects.Rules, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Apps that share rules.

    `source_repos`, none: every repository of the project; `destinations` and lists of kinds, none: all that is granted.
    `signature_keys`: every commit that is rendered is signed by one of them; none: unsigned commits are taken.
    `inherited_by`: a selector of labels; the tenant's projects that have them go on with this one's lists.
    """

    description: str = ""
    orphaned_resources: orphans.Watch | None = None
    sync_windows: tuple[schedules.Window, ...] = ()
    freezes: tuple[schedules.Freeze, ...] = ()
    inherited_by: str = ""
    permit_only_project_scoped_clusters: bool = False
    signature_keys: tuple[signing.Key, ...] = ()


class RepositorySpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A Git repository, or one of a registry (oci://), where policy sets may lie.

    `credential` names one of the project; `poll_interval` in seconds.
    """

    url: str
    credential: str = ""
    poll_interval: int = 180
    ca_pem: str = ""


class CredentialSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What is public about a credential; which fields count depends on `kind`."""

    kind: CredentialKind
    username: str = ""
    known_hosts: str = ""
    address: str = ""
    mount: str = ""
    prefixes: tuple[str, ...] = ()
    namespace: str = ""
    role_id: str = ""
    ca_pem: str = ""


class PolicySetSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How a policy set counts. `rules`: rule → its own mode; `parameters`: rule → parameters; `style`: how its files are written.

    `source`: where the files are read from, in place of files that are sent.
    """

    mode: policy.Mode = "deny"
    rules: dict[str, policy.Mode] = {}
    parameters: dict[str, dict[str, Any]] = {}
    style: styles.Style = styles.PLANE
    source: policy_sources.Source | None = None


Problems = dict[str, str]  # path → broken rule


def url_problem(url: str) -> str:
    """Why this is no address of a repository, or the empty string; never repeats the address, which may hold a password."""
    if not url.isprintable() or " " in url:
        return "holds spaces or control characters; write a plain https:// or ssh:// URL"
    if not url.startswith(("https://", "ssh://")):
        return "must begin with https:// or ssh://"
    parts = addresses.parts(url)
    if parts is None:
        return "is no URL; write https://host/path or ssh://user@host/path"
    if parts.password is not None or (parts.scheme == "https" and parts.username is not None):
        return "must not hold a user or password; put them into a Credential and name it in spec.credential"
    if not parts.hostname or parts.hostname.startswith("-") or parts.path.strip("/") == "" or parts.query or parts.fragment:
        return "must name a host and a path, without query and fragment"
    return ""


def normal_url(url: str) -> str:
    """The form in which two spellings of one repository are equal: host in lower case, no trailing slash, no `.git`."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{place[0]}{place[1]}{place[2].lower()}{parts.path.rstrip('/').removesuffix('.git')}"


def check_calendar(spec: TenantSpec | ProjectSpec) -> Problems:
    """Broken rules by path."""
    found = schedules.problems(schedules.Calendar(spec.sync_windows, spec.freezes))
    return {f"spec.{path}": rule for path, rule in found.items()}


def check_tenant(spec: TenantSpec) -> Problems:
    """Broken rules by path."""
    wanted = apps.NamespaceMetadata(labels=spec.namespaces.labels, annotations=spec.namespaces.annotations)
    marks = {path.replace("syncPolicy.managedNamespaceMetadata", "namespaces"): rule for path, rule in _check_namespace(wanted).items()}
    pairs = {f"spec.twoPerson[{n}]": rule for n, one in enumerate(spec.two_person) if (rule := roles.problem(one))}
    keys = {f"spec.{path}": rule for path, rule in trust.problems(spec.policy_keys).items()}
    return check_calendar(spec) | marks | pairs | keys


def check_repository(spec: RepositorySpec) -> Problems:
    """Broken rules by path."""
    problems = {}
    if rule := artifacts.address_problem(spec.url) if artifacts.is_registry(spec.url) else url_problem(spec.url):
        problems["spec.url"] = rule
    if spec.credential and not DNS_LABEL.fullmatch(spec.credential):
        problems["spec.credential"] = LABEL_RULE
    if not 10 <= spec.poll_interval <= 86_400:  # noqa: PLR2004 - the bounds are in the sentence
        problems["spec.pollInterval"] = "must be between 10 and 86400 seconds"
    return problems


def check_credential(spec: CredentialSpec, data: dict[str, str] | None) -> Problems:
    """Broken rules by path; `data` None: the stored secret stays."""
    problems = {
        f"spec.{msgspec.structs.fields(spec)[n].encode_name}": f"has no meaning for a credential of kind {spec.kind}; remove it"
        for n, name in enumerate(spec.__struct_fields__)
        if name != "kind" and getattr(spec, name) and name not in PUBLIC_KEYS[spec.kind]
    }
    if spec.kind == "vault" and not (_loopback(spec.address) or (spec.address.startswith("https://") and addresses.parts(spec.address))):
        problems["spec.address"] = "must be an https:// address"
    if spec.kind == "git-ssh" and not spec.known_hosts:
        problems["spec.knownHosts"] = (
            "is required: the host's lines of known_hosts, as `ssh-keyscan` prints them and you have verified them"
        )
    if data is not None and frozenset(data) not in SECRET_KEYS[spec.kind]:
        wanted = " or ".join(", ".join(sorted(keys)) for keys in SECRET_KEYS[spec.kind])
        problems["data"] = f"a credential of kind {spec.kind} needs exactly: {wanted}"
    if data and not all(data.values()):
        problems["data"] = "holds an empty value"
    return problems


def _loopback(address: str) -> bool:
    """Plain http is for a Vault on this machine only."""
    parts = addresses.parts(address)
    return parts is not None and parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}


def check_policy_source(source: policy_sources.Source) -> Problems:
    """As an app's source is checked; that of a registry has a tag or digest, and no folder."""
    if artifacts.is_registry(source.repo_url):
        found = {
            "spec.source.repoURL": artifacts.address_problem(source.repo_url),
            "spec.source.targetRevision": artifacts.reference_problem(source.target_revision),
            "spec.source.path": "" if source.path == "." else "is about Git; an artifact is a policy set as a whole, so leave it out",
        }
        return {path: rule for path, rule in found.items() if rule}
    where = apps.Source(repo_url=source.repo_url, path=source.path, target_revision=source.target_revision)
    return _check_source("spec.source", where)


def check_app(spec: apps.AppSpec) -> Problems:
    """Rules that hold whatever else exists; names of clusters and repositories that are not there yet are fine."""
    problems: Problems = {}
    if (spec.source is None) == (not spec.sources):
        problems["spec.source"] = "exactly one of source and sources is needed"
    sources = [("spec.source", spec.source)] if spec.source else []
    sources += [(f"spec.sources[{n}]", source) for n, source in enumerate(spec.sources)]
    for path, source in sources:
        problems.update(_check_source(path, source))
    problems.update(_check_refs(sources))
    problems.update(retries.problems(spec.sync_policy.retry))
    problems.update(rollbacks.problems(spec.sync_policy.rollback))
    problems.update(_check_bounds(spec))
    problems.update(_check_namespace(spec.sync_policy.managed_namespace_metadata))
    return problems


def _check_namespace(wanted: apps.NamespaceMetadata) -> Problems:
    """A namespace with our own marks would be taken for an app's object, and pruned with it."""
    rule = f"begins with {annotations.OURS}, which the plane keeps for its own marks; remove it"
    path = "spec.syncPolicy.managedNamespaceMetadata"
    parts = (("labels", wanted.labels), ("annotations", wanted.annotations))
    return {f"{path}.{part}[{name!r}]": rule for part, found in parts for name in found if name.startswith(annotations.OURS)}


def _check_refs(sources: list[tuple[str, apps.Source]]) -> Problems:
    problems: Problems = {}
    known = [source.ref for _, source in sources if source.ref]
    for path, source in sources:
        if source.ref and not refs.NAME.fullmatch(source.ref):
            problems[f"{path}.ref"] = "must be letters, digits, '-' and '_', at most 63"
        elif known.count(source.ref) > 1:
            problems[f"{path}.ref"] = f"is the ref of {known.count(source.ref)} sources; each needs its own"
        problems.update(refs.problems(path, source, known))
    if sources and not any(source.rendered() for _, source in sources):
        problems["spec.sources"] = "only lend files by `ref`, so the app would have no objects; give one of them a path"
    return problems


def _check_bounds(spec: apps.AppSpec) -> Problems:
    problems: Problems = {}
    if not DNS_LABEL.fullmatch(spec.destination.cluster):
        problems["spec.destination.cluster"] = LABEL_RULE
    if spec.destination.namespace and not DNS_LABEL.fullmatch(spec.destination.namespace):
        problems["spec.destination.namespace"] = LABEL_RULE
    for n, option in enumerate(spec.sync_policy.sync_options):
        if not re.fullmatch(r"[A-Za-z]+=[A-Za-z0-9,-]+", option):
            problems[f"spec.syncPolicy.syncOptions[{n}]"] = "must be written Name=value, for example CreateNamespace=true"
    try:
        options.app(spec.sync_policy.sync_options)
    except errors.Invalid as error:
        problems = {**error.problems, **problems}
    if not 0 <= spec.revision_history_limit <= 100:  # noqa: PLR2004 - the bounds are in the sentence
        problems["spec.revisionHistoryLimit"] = "must be between 0 and 100"
    if spec.blast_radius.max_deletes < 0 or not 0 <= spec.blast_radius.max_percent <= 100:  # noqa: PLR2004 - percent
        problems["spec.blastRadius"] = "maxDeletes must be 0 or more, maxPercent between 0 and 100"
    return problems


def _check_source(at: str, source: apps.Source) -> Problems:
    problems: Problems = {}
    if artifacts.is_registry(source.repo_url):
        problems[f"{at}.repoURL"] = "is a registry, where policy sets may lie and apps do not; name a Git repository (https:// or ssh://)"
    elif rule := url_problem(source.repo_url):
        problems[f"{at}.repoURL"] = rule
    if source.path.startswith("/") or ".." in source.path.split("/") or not source.path.isprintable():
        problems[f"{at}.path"] = "must be a folder inside the repository: relative, without `..`"
    if not REVISION.fullmatch(source.target_revision) or ".." in source.target_revision or "@{" in source.target_revision:
        problems[f"{at}.targetRevision"] = "must be a branch, tag, commit or HEAD"
    if sum(tool is not None for tool in (source.helm, source.kustomize, source.directory)) > 1:
        problems[at] = "at most one of helm, kustomize and directory"
    return problems


def project_problems(project: projects.Rules, name: str, spec: apps.AppSpec, *, marks: Mapping[str, str] | None) -> Problems:
    """What the project does not allow an app. `marks`: the cluster's labels, None where it is not known."""
    problems: Problems = {}
    for n, source in enumerate(spec.all_sources()):
        if why := projects.source(project, source.repo_url, name=name):
            problems[f"spec.sources[{n}].repoURL" if spec.sources else "spec.source.repoURL"] = why
    where = projects.Where(spec.destination.cluster, spec.destination.namespace, marks or {})
    why = projects.place(project, where, name=name)
    if why and (marks is not None or not any(one.selector for one in project.destinations)):
        problems["spec.destination"] = f"{where} {why}"
    return problems


def elsewhere(grant: fleet.Grant, cluster: str, project: str, rules: ProjectSpec) -> str:
    """Why a cluster is none for a project, or the empty string."""
    if not grant.serves(project):
        return f"cluster {cluster} is granted to other projects of the tenant ({', '.join(grant.projects)}); ask the platform team"
    if rules.permit_only_project_scoped_clusters and not grant.projects:
        return f"cluster {cluster} is not project {project}'s own, which its permitOnlyProjectScopedClusters asks for; name it in the grant"
    return ""


def check_project(spec: ProjectSpec) -> Problems:
    """Broken rules by path."""
    found = {f"spec.{path}": rule for path, rule in (projects.problems(spec) | signing.problems(spec.signature_keys)).items()}
    if spec.inherited_by:
        try:
            labels.parse(spec.inherited_by)
        except errors.Invalid as error:
            found["spec.inheritedBy"] = next(iter(error.problems.values()))
    return found | check_calendar(spec)


def effective(spec: ProjectSpec, marks: Mapping[str, str], others: Iterable[ProjectSpec]) -> ProjectSpec:
    """The project with the lists of those that hand theirs down to projects with such labels."""
    found = [one for one in others if one.inherited_by and labels.matches(labels.parse(one.inherited_by), marks)]
    return projects.joined(spec, found) if found else spec
