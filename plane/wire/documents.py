"""Everything a person can create, as a document: `apiVersion`, `kind`, `metadata`, `spec`; `status` is the plane's alone.

The REST body, the CLI's file and the answer are this one shape. Reading refuses what it does not know.
"""

from typing import Annotated, Literal

import msgspec

from plane.domain import apps, fleet, resource_rules, tenancy
from plane.domain.auditing import sinks
from plane.domain.granting import bindings, providers, roles, workloads
from plane.domain.health import health_scripts
from plane.domain.judging import origins, policy_bindings, waivers
from plane.domain.permitting import quotas as amounts

API_VERSION: Literal["gitops-plane.io/v1"] = "gitops-plane.io/v1"
MAX_POLICY_BYTES = 1024 * 1024  # all files of one set; far above any set in the field, far below what hurts
Version = Literal["gitops-plane.io/v1"]
Name = Annotated[str, msgspec.Meta(pattern=f"^{tenancy.DNS_LABEL.pattern}$", examples=["web"])]
Connection = Literal["never-joined", "connected", "offline", "quarantined", "revoked"]
Label = Annotated[str, msgspec.Meta(max_length=253)]


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How every struct of a document is written: camelCase, nothing unknown."""


class Metadata(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """What it is called and where it lives. `tenant` and `project` may be left out where the address says them."""

    name: Name
    tenant: str = ""
    project: str = ""
    labels: dict[Label, Label] = {}


class Status(Shape, frozen=True, kw_only=True):
    """What the plane says about any document. `version` is what If-Match compares."""

    id: str
    version: int
    created_at: str
    updated_at: str


class Reason(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """Why something does not work: a stable code, one sentence, since when (RFC 3339)."""

    code: str
    sentence: str
    since: str = ""


class TenantStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """`quotas`: use and limit of each; lists leave them out."""

    quotas: tuple[amounts.Use, ...] = ()


class ClusterStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """The cluster's agent as the plane last heard of it. `granted`: the namespaces that the asking tenant may use."""

    connection: Connection = "never-joined"
    last_seen: str = ""
    agent: str = ""
    agent_version: str = ""
    kube_version: str = ""
    granted: tuple[str, ...] = ()
    trouble: str = ""  # why the agent takes no tasks now
    rotation_asked_at: str = ""  # somebody asked for new keys of the agent, which it has not taken yet
    keys_since: str = ""  # when the agent's keys were made; `generation`: how often
    generation: int = 0
    nodes: int = 0
    capabilities: tuple[str, ...] = ()  # what the agent can be asked for
    lag_ms: int = 0  # how long the oldest of the last tasks waited for the agent
    join_refused_at: str = ""  # somebody last tried a join token that was used: stolen, or tried twice


class RepositoryStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """The last look at the repository. `bytes`: of the plane's mirror of it."""

    looked_at: str = ""
    refs: int = 0
    bytes: int = 0
    problem: Reason | None = None


class Hold(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody stopped the app, or its whole project, for now: who, why, since and until when (RFC 3339; empty: until released)."""

    reason: str
    owner: str
    since: str = ""
    until: str = ""
    over: Literal["app", "project"] = "app"


class Orphans(Shape, frozen=True, kw_only=True):
    """Objects in the namespaces of the project's apps that belong to no app: how many, where, and when that was last told."""

    total: int
    at: str
    found: dict[str, int]  # by `cluster/namespace`


class ProjectStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the project is held; its orphans, where it wants to be warned of them."""

    hold: Hold | None = None
    orphans: Orphans | None = None


class AppStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """Where the app stands. `revision` and `release`: what Git wants; `decision`: what the plane does about it, and why."""

    sync: apps.SyncStatus = "Unknown"
    health: str = "Unknown"
    message: str = ""
    revision: str = ""
    release: str = ""
    generation: int = 0
    decision: Reason | None = None
    problem: Reason | None = None
    operation: "Attempt | None" = None
    requested: str = ""  # who asked for a sync that is not dispatched yet
    reported_at: str = ""
    healthy_at: str = ""
    deleting: bool = False
    hold: Hold | None = None
    warnings: tuple[str, ...] = ()  # orphans beside it, and what the spec says without effect; `explain` also says it of the objects


class Attempt(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """The app's last task. `outcome` empty: under way."""

    generation: int
    release: str
    outcome: str = ""
    message: str = ""
    finished: str = ""
    needs_approval: tuple[str, ...] = ()


class PolicySetStatus(Status, frozen=True, kw_only=True):
    """`digest` names the files for ever; `origin`: what they came as, where that was a bundle, Git or a registry.

    `commit`: of the source, the last that was looked at, or the artifact's digest; `problem`: why it is not in force, and since when.
    """

    digest: str
    origin: origins.Origin | None = None
    commit: str = ""
    problem: Reason | None = None


class WaiverStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """Where it stands, and whose word that is. `uses`: releases whose verdict it changed."""

    state: waivers.State
    requested_by: str
    approved_by: str = ""
    approved_at: str = ""
    revoked_by: str = ""
    revoked_at: str = ""
    uses: int = 0
    used_at: str = ""


class HeldRole(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """A role and where it holds; no tenant: everywhere. `binding`: the RoleBinding that gives it; empty: given by hand.

    `group`: the one through which it comes; `until`: when it ends; `break_glass`: it is held only while it is taken.
    """

    role: str
    tenant: str = ""
    project: str = ""
    binding: str = ""
    group: str = ""
    until: str = ""
    break_glass: bool = False


class UserStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody holds. `tokens`: how many still work; `tokens_expire`: when the last of them ends."""

    roles: tuple[HeldRole, ...] = ()
    tokens: int = 0
    tokens_expire: str = ""


class SinkStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """How far it is. `behind`: events it lacks; `refused`: events the far end would not have; `blocking`: changes are refused for it."""

    position: int = 0
    behind: int = 0
    refused: int = 0
    failures: int = 0
    problem: str = ""
    sent_at: str = ""
    blocking: bool = False


class ProviderStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """`called`: what `plane login --provider` takes. `source` file: the operator's, changed there; `tenant`: whose people it makes."""

    called: str
    source: Literal["document", "file"] = "document"
    tenant: str = ""


class TrustStatus(Status, frozen=True, kw_only=True, omit_defaults=True):
    """`called`: what `plane login --rule` takes; `advice`: what is trusted beyond what its writer may think."""

    called: str
    advice: tuple[str, ...] = ()


class Document(Shape, frozen=True, kw_only=True, tag_field="kind"):
    """What all kinds share."""

    api_version: Version
    metadata: Metadata


class Tenant(Document, frozen=True, kw_only=True):
    """Belongs to the platform."""

    spec: tenancy.TenantSpec = tenancy.TenantSpec()
    status: TenantStatus | None = None


class Project(Document, frozen=True, kw_only=True):
    """Belongs to a tenant."""

    spec: tenancy.ProjectSpec = tenancy.ProjectSpec()
    status: ProjectStatus | None = None


class Cluster(Document, frozen=True, kw_only=True):
    """Belongs to the platform; tenants use it through `spec.grants`."""

    spec: fleet.ClusterSpec = fleet.ClusterSpec()
    status: ClusterStatus | None = None


class Repository(Document, frozen=True, kw_only=True):
    """Belongs to a project."""

    spec: tenancy.RepositorySpec
    status: RepositoryStatus | None = None


class Credential(Document, frozen=True, kw_only=True, omit_defaults=True):
    """Belongs to a project. `data` is written and never given back; left out of an update, the stored secret stays."""

    spec: tenancy.CredentialSpec
    data: dict[str, str] | None = None
    status: Status | None = None


class App(Document, frozen=True, kw_only=True):
    """Belongs to a project."""

    spec: apps.AppSpec
    status: AppStatus | None = None


class Sink(Document, frozen=True, kw_only=True, omit_defaults=True):
    """Where a tenant's audit log is sent, or the platform's. `data` as a credential's: written, never given back."""

    spec: sinks.SinkSpec
    data: dict[str, str] | None = None
    status: SinkStatus | None = None


class IdentityProvider(Document, frozen=True, kw_only=True, omit_defaults=True):
    """Where a tenant's people log in, or the platform's. `data` as a credential's: written, never given back."""

    spec: providers.ProviderSpec
    data: dict[str, str] | None = None
    status: ProviderStatus | None = None


class WorkloadTrust(Document, frozen=True, kw_only=True):
    """Which machines' tokens of another issuer become a service of the tenant's, or of the platform's."""

    spec: workloads.TrustSpec
    status: TrustStatus | None = None


class PolicySet(Document, frozen=True, kw_only=True):
    """Belongs to a tenant, or to the platform and then holds for all. `files`: name → text; lists leave them out.

    `bundle`: an OPA bundle (.tar.gz) in place of files; it is unpacked, and answers show its files.
    """

    spec: tenancy.PolicySetSpec = tenancy.PolicySetSpec()
    files: dict[str, str] = {}
    bundle: bytes | msgspec.UnsetType = msgspec.UNSET
    status: PolicySetStatus | None = None


class HealthCheck(Document, frozen=True, kw_only=True):
    """How a kind is judged. Belongs to a tenant, to one of its projects, or to the platform and then holds for all."""

    spec: health_scripts.CheckSpec
    status: Status | None = None


class ResourceRule(Document, frozen=True, kw_only=True):
    """What holds for resources of every tenant's apps. Belongs to the platform."""

    spec: resource_rules.RuleSpec = resource_rules.RuleSpec()
    status: Status | None = None


class User(Document, frozen=True, kw_only=True):
    """Somebody who may ask, once they have a token. Belongs to a tenant, or to the platform."""

    spec: bindings.UserSpec = bindings.UserSpec()
    status: UserStatus | None = None


class Role(Document, frozen=True, kw_only=True):
    """Permissions under a name, for bindings. Belongs to a tenant."""

    spec: roles.RoleSpec = roles.RoleSpec()
    status: Status | None = None


class RoleBinding(Document, frozen=True, kw_only=True):
    """A role for users. Belongs to a tenant, to one of its projects, or to the platform and then holds everywhere."""

    spec: bindings.RoleBindingSpec
    status: Status | None = None


class PolicyBinding(Document, frozen=True, kw_only=True):
    """A policy set in force at a place. Belongs to a project, a tenant, or the platform and then holds for all."""

    spec: policy_bindings.BindingSpec = policy_bindings.BindingSpec()
    status: Status | None = None


class Waiver(Document, frozen=True, kw_only=True):
    """A rule that does not count for some objects, for a time. Belongs to a project."""

    spec: waivers.WaiverSpec
    status: WaiverStatus | None = None


Any = (
    Tenant
    | Project
    | Cluster
    | Repository
    | Credential
    | App
    | PolicySet
    | PolicyBinding
    | Waiver
    | HealthCheck
    | ResourceRule
    | Sink
    | IdentityProvider
    | WorkloadTrust
    | User
    | Role
    | RoleBinding
)
KINDS: tuple[type[Document], ...] = (
    Tenant,
    Project,
    Cluster,
    Repository,
    Credential,
    App,
    PolicySet,
    PolicyBinding,
    Waiver,
    HealthCheck,
    ResourceRule,
    Sink,
    IdentityProvider,
    WorkloadTrust,
    User,
    Role,
    RoleBinding,
)
