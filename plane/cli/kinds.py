"""The kinds of document: their names, where they live in the API, the order they depend on, and what a table shows of them."""

from typing import Any, Literal

import click
import msgspec
from click import shell_completion

from plane.cli import failures, session

API_VERSION = "gitops-plane.io/v1"
Level = Literal["platform", "either", "tenant", "project"]


class Column(msgspec.Struct, frozen=True):
    """`path` is dotted, into the document.

    `shape`: text, age (RFC 3339 → `3d`), count (of a list), words (a list), names (of a list), roles (a list), flag, short (of a digest).
    """

    title: str
    path: str
    shape: Literal["text", "age", "count", "words", "names", "roles", "flag", "short"] = "text"
    wide: bool = False


class Kind(msgspec.Struct, frozen=True):
    """One kind. `collection` is the last part of its path; level `either`: a tenant's, or the platform's when no tenant is in use.

    `shared`: the platform's, of which a tenant reads its part, or a tenant's own, when -T or the document names the tenant; `inner`: also
    a project's, when the document names one; who may not read the tenant's is shown those of the project. `apart`: those of a project are
    none of the tenant's, so that `-P` asks for them.
    """

    name: str
    noun: str
    collection: str
    level: Level
    columns: tuple[Column, ...]
    short: tuple[str, ...] = ()
    shared: bool = False
    inner: bool = False
    apart: bool = False

    def names(self) -> tuple[str, ...]:
        """All that people may type for it."""
        return (self.noun, self.name.lower(), self.collection, *self.short)


_AGE = Column("AGE", "status.createdAt", "age")
_CHANGED = Column("CHANGED", "status.updatedAt", "age", wide=True)

TENANT = Kind("Tenant", "tenant", "tenants", "platform", (Column("DESCRIPTION", "spec.description"), _AGE, _CHANGED))
CLUSTER = Kind(
    "Cluster",
    "cluster",
    "clusters",
    "platform",
    (
        Column("CONNECTION", "status.connection"),
        Column("KUBERNETES", "status.kubeVersion"),
        Column("NODES", "status.nodes"),
        Column("AGENT", "status.agentVersion"),
        Column("KEY AGE", "status.keysSince", "age"),
        Column("SEEN", "status.lastSeen", "age"),
        Column("LAG MS", "status.lagMs"),
        Column("TROUBLE", "status.trouble", wide=True),
        Column("IDENTITY", "status.agent", wide=True),
        Column("CAPABILITIES", "status.capabilities", "words", wide=True),
        Column("JOIN REFUSED", "status.joinRefusedAt", "age", wide=True),
        Column("NAMESPACES", "status.granted", "words", wide=True),
        _AGE,
    ),
    shared=True,
)
PROJECT = Kind(
    "Project",
    "project",
    "projects",
    "tenant",
    (
        Column("DESCRIPTION", "spec.description"),
        Column("HELD", "status.hold.reason"),
        Column("ORPHANS", "status.orphans.total"),
        _AGE,
        _CHANGED,
    ),
    ("proj",),
)
USER = Kind(
    "User",
    "user",
    "users",
    "either",
    (
        Column("TYPE", "spec.type"),
        Column("ROLES", "status.roles", "roles"),
        Column("DISABLED", "spec.disabled", "flag"),
        Column("TOKENS", "status.tokens"),
        Column("UNTIL", "status.tokensExpire", wide=True),
        Column("DESCRIPTION", "spec.description", wide=True),
        _AGE,
    ),
)
ROLE = Kind(
    "Role",
    "role",
    "roles",
    "tenant",
    (Column("PERMISSIONS", "spec.permissions", "count"), Column("DESCRIPTION", "spec.description"), _AGE, _CHANGED),
)
ROLE_BINDING = Kind(
    "RoleBinding",
    "rolebinding",
    "rolebindings",
    "either",
    (
        Column("ROLE", "spec.role"),
        Column("PROJECT", "spec.project"),
        Column("APP", "spec.app", wide=True),
        Column("SUBJECTS", "spec.subjects", "names"),
        Column("UNTIL", "spec.until", wide=True),
        _AGE,
        _CHANGED,
    ),
    ("rb",),
    inner=True,
)
CREDENTIAL = Kind(
    "Credential",
    "credential",
    "credentials",
    "project",
    (Column("TYPE", "spec.kind"), Column("USERNAME", "spec.username", wide=True), _AGE, _CHANGED),
    ("cred", "creds"),
)
REPOSITORY = Kind(
    "Repository",
    "repo",
    "repositories",
    "project",
    (
        Column("URL", "spec.url"),
        Column("CREDENTIAL", "spec.credential"),
        Column("LOOKED", "status.lookedAt", "age"),
        Column("PROBLEM", "status.problem.sentence"),
        _AGE,
    ),
    ("repos",),
)
POLICY_SET = Kind(
    "PolicySet",
    "policy",
    "policies",
    "either",
    (
        Column("MODE", "spec.mode"),
        Column("DIGEST", "status.digest", "short"),
        Column("COMMIT", "status.commit", "short", wide=True),
        Column("PROBLEM", "status.problem.sentence", wide=True),
        _AGE,
        _CHANGED,
    ),
    ("policysets", "ps"),
)
POLICY_BINDING = Kind(
    "PolicyBinding",
    "policybinding",
    "policybindings",
    "either",
    (
        Column("SET", "spec.policySet"),
        Column("MODE", "spec.mode"),
        Column("CLUSTERS", "spec.clusters"),
        Column("APPS", "spec.apps", wide=True),
        Column("FROM", "spec.enforceAfter"),
        _AGE,
        _CHANGED,
    ),
    ("pb",),
    inner=True,
    apart=True,
)
WAIVER = Kind(
    "Waiver",
    "waiver",
    "waivers",
    "project",
    (
        Column("POLICY", "spec.policy"),
        Column("RULE", "spec.rule"),
        Column("STATE", "status.state"),
        Column("ENDS", "spec.expiresAt"),
        Column("ASKED BY", "status.requestedBy"),
        Column("APPROVED BY", "status.approvedBy"),
        Column("USES", "status.uses"),
        Column("REASON", "spec.reason"),
        _AGE,
    ),
)
HEALTH_CHECK = Kind(
    "HealthCheck",
    "healthcheck",
    "healthchecks",
    "either",
    (Column("GROUP", "spec.group"), Column("OF", "spec.kind"), Column("CLUSTER", "spec.cluster"), _AGE, _CHANGED),
    ("hc",),
    inner=True,
    apart=True,
)
RESOURCE_RULE = Kind(
    "ResourceRule",
    "resourcerule",
    "resourcerules",
    "platform",
    (
        Column("IGNORES", "spec.ignoreDifferences", "count"),
        Column("EXCLUDES", "spec.exclusions", "count"),
        Column("INCLUDES", "spec.inclusions", "count"),
        Column("DESCRIPTION", "spec.description", wide=True),
        _AGE,
        _CHANGED,
    ),
    ("rr",),
)
SINK = Kind(
    "Sink",
    "sink",
    "sinks",
    "either",
    (
        Column("BEHIND", "status.behind"),
        Column("SENT", "status.sentAt", "age"),
        Column("FAILURES", "status.failures"),
        Column("REFUSED", "status.refused"),
        Column("BLOCKING", "status.blocking", "flag"),
        Column("PROBLEM", "status.problem"),
        _AGE,
    ),
)
IDENTITY_PROVIDER = Kind(
    "IdentityProvider",
    "identityprovider",
    "identityproviders",
    "either",
    (
        Column("TITLE", "spec.title"),
        Column("ISSUER", "spec.issuer"),
        Column("LOG IN AT", "status.called"),
        Column("ENABLED", "spec.enabled", "flag"),
        Column("SOURCE", "status.source"),
        Column("CLIENT", "spec.clientId", wide=True),
        _AGE,
        _CHANGED,
    ),
    ("idp",),
)
WORKLOAD_TRUST = Kind(
    "WorkloadTrust",
    "workloadtrust",
    "workloadtrusts",
    "either",
    (
        Column("ISSUER", "spec.issuer"),
        Column("SERVICE", "spec.service"),
        Column("RULE", "status.called"),
        Column("MINUTES", "spec.minutes"),
        Column("ENABLED", "spec.enabled", "flag"),
        Column("AUDIENCE", "spec.audience", wide=True),
        _AGE,
        _CHANGED,
    ),
)
APP = Kind(
    "App",
    "app",
    "apps",
    "project",
    (
        Column("SYNC", "status.sync"),
        Column("HEALTH", "status.health"),
        Column("REVISION", "status.revision", "short"),
        Column("CLUSTER", "spec.destination.cluster"),
        Column("NAMESPACE", "spec.destination.namespace", wide=True),
        Column("PATH", "spec.source.path", wide=True),
        Column("HELD", "status.hold.reason"),
        Column("MESSAGE", "status.message"),
        _AGE,
    ),
)

KINDS = (
    TENANT,
    CLUSTER,
    PROJECT,
    USER,
    ROLE,
    ROLE_BINDING,
    CREDENTIAL,
    REPOSITORY,
    POLICY_SET,
    POLICY_BINDING,
    WAIVER,
    HEALTH_CHECK,
    RESOURCE_RULE,
    SINK,
    IDENTITY_PROVIDER,
    WORKLOAD_TRUST,
    APP,
)  # none depends on a later one
_BY_NAME = {name: kind for kind in KINDS for name in kind.names()}


def find(name: str) -> Kind:
    """The kind of that name, plural or short name, in any case."""
    kind = _BY_NAME.get(name.lower())
    if kind is None:
        raise failures.WrongUse(
            f"there is no kind {name!r}{failures.nearest(name.lower(), _BY_NAME)}; known kinds: {', '.join(kind.noun for kind in KINDS)}"
        )
    return kind


def rank(kind: Kind) -> int:
    """Its place in the order of creation."""
    return KINDS.index(kind)


def home(kind: Kind, where: session.Session) -> str:
    """The path of the kind's collection in the session's tenant and project."""
    if kind.shared and where.owner:
        return f"/tenants/{where.owner}/{kind.collection}"
    if kind.level == "platform" or (kind.level == "either" and not where.context.tenant):
        return f"/{kind.collection}"
    if kind.level == "project" or (kind.inner and where.named) or (kind.apart and where.flagged):
        return f"/tenants/{where.tenant()}/projects/{where.project()}/{kind.collection}"
    return f"/tenants/{where.tenant()}/{kind.collection}"


def path(kind: Kind, where: session.Session, name: str) -> str:
    """The path of one document."""
    return f"{home(kind, where)}/{checked(kind.noun, name)}"


def checked(noun: str, name: str) -> str:
    """The name, as part of a path; whatever could lead to another path is refused."""
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise failures.WrongUse(f"{name!r} is no {noun} name; names have lower-case letters, digits and dashes")
    return name


def dig(body: Any, dotted: str) -> Any:  # noqa: ANN401 any JSON
    """The value at a dotted path, None where the path ends early."""
    for key in dotted.split("."):
        body = body.get(key) if isinstance(body, dict) else None
    return body


class Parameter(click.ParamType[Kind]):
    """A kind on the command line."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Kind:  # noqa: ANN401, ARG002 click's own signature
        """The kind of that name."""
        return value if isinstance(value, Kind) else find(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[shell_completion.CompletionItem]:  # noqa: ARG002 click's own signature
        """Names of kinds."""
        return [shell_completion.CompletionItem(kind.noun) for kind in KINDS if kind.noun.startswith(incomplete)]
