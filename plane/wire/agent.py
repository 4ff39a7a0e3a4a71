"""The agent protocol, version 1: msgpack bodies over HTTPS, always asked by the agent.

Unknown fields are ignored and new fields have defaults, so agent N-1 and N+1 work with plane N; golden files pin the bytes.

    POST /agent/v1/enrol                 Enrol → Enrolled          no token; the join token is in the body
    POST /agent/v1/keys                  Rotate → Enrolled         the agent's next keys
    POST /agent/v1/claim?wait=30&max=64  Claim → Claimed           empty after `wait` seconds
    POST /agent/v1/events                Events → Accepted
    POST /agent/v1/state                 State → Accepted
    POST /agent/v1/piece                 Piece → Heard             answers late while nobody reads
    POST /agent/v1/journal               Journal → Known           the agent's own record (see plane.wire.journal)
    GET  /agent/v1/releases/{digest}     → ReleaseBundle

All but enrol carry `Authorization: Bearer JWT` (see plane.wire.signing).
"""

from typing import Literal

import msgspec

from plane.wire import permitted, scripted

PATH = "/agent/v1"
CONTENT_TYPE = "application/msgpack"
OWNER_LABEL = "gitops-plane.io/app"  # value: the app's id; what the watches select on
OWNER_ANNOTATION = "gitops-plane.io/owner"  # value: tenant/project/app, for people
FIELD_MANAGER = "gitops-plane"

TaskKind = Literal["apply", "remove", "observe", "query"]
Outcome = Literal["succeeded", "failed", "refused", "superseded", "terminated"]


class Key(msgspec.Struct, frozen=True, array_like=True, order=True):
    """An object key on the wire: [group, kind, namespace, name]."""

    group: str
    kind: str
    namespace: str
    name: str


class Enrol(msgspec.Struct, frozen=True, kw_only=True):
    """First contact. `proof` is the Ed25519 signature of `proof_text(...)` made with the new signing key."""

    join_token: str
    signing_key: bytes  # Ed25519 public, 32 bytes
    sealing_key: bytes  # X25519 public, 32 bytes
    proof: bytes
    agent_version: str = ""
    kube_version: str = ""
    installation: str = ""  # uid of the kube-system namespace: shows a cloned agent


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent keeps. `task_key` verifies task signatures."""

    agent_id: str
    cluster_id: str
    cluster: str
    plane_id: str
    task_key: bytes
    generation: int = 1


class Rotate(msgspec.Struct, frozen=True, kw_only=True):
    """New keys, in a request signed with the old one. `proof` is the Ed25519 signature of `rotation_text(...)` made with the new one."""

    signing_key: bytes  # Ed25519 public, 32 bytes
    sealing_key: bytes  # X25519 public, 32 bytes
    proof: bytes


class SealedValue(msgspec.Struct, frozen=True, array_like=True):
    """One sealed leaf of one object."""

    key: Key
    pointer: str
    ciphertext: bytes


class ReleaseBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A release as an agent needs it.

    `body`: zlib-compressed msgpack of a list of canonical JSON documents (bytes); its digest is the release's name.
    """

    digest: str
    body: bytes
    sealed: tuple[SealedValue, ...] = ()
    key_id: str = ""  # the agent key `sealed` was made for


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What this task may touch, checked again by the agent. Globs: namespaces; cluster kinds as `group/Kind` (`/Namespace` for core)."""

    namespaces: tuple[str, ...] = ()
    cluster_kinds: tuple[str, ...] = ()
    rules: permitted.Rules = permitted.Rules()  # the project's, for what is written


class Ignore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule of `ignoreDifferences`; group and kind are globs, empty name or namespace matches all.

    `expressions` are jq and name paths; `managers`: what these field managers own; `types`: field and type of Argo CD's knownTypeFields.
    """

    group: str
    kind: str
    namespace: str = ""
    name: str = ""
    pointers: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    types: tuple[tuple[str, str], ...] = ()


class Once(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds for one task and not for how the app is kept after it.

    `resources`: `group:kind:namespace/name`, globs, `!` in front to leave out; `labels`: a selector; with either, no hook runs.
    `sync_options` are laid over the app's. `plan`: digest of the kept plan that the task is to do exactly, or not at all.
    """

    resources: tuple[str, ...] = ()
    labels: str = ""
    strategy: Literal["hook", "apply"] = "hook"
    sync_options: tuple[str, ...] = ()
    plan: str = ""


class Options(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the task is to be done and, after it, how the agent keeps the app."""

    prune: bool = False
    self_heal: bool = False
    dry_run: bool = False
    force: bool = False
    allow_empty: bool = False
    create_namespace: str = ""  # a namespace to create first, or empty
    namespace_labels: dict[str, str] = {}  # to put on it, also when it is there already
    namespace_annotations: dict[str, str] = {}
    namespace_template: tuple[bytes, ...] = ()  # JSON: the tenant's ResourceQuota, LimitRange, NetworkPolicy for it
    max_deletes: int = 10
    max_percent: int = 50
    approved: bool = False  # a person approved the deletions of this release
    ignore: tuple[Ignore, ...] = ()
    foreign: Literal["ignore", "report", "revert"] = "report"  # what becomes of fields that others add
    sync_options: tuple[str, ...] = ()
    once: Once = Once()
    pauses: tuple[tuple[int, int], ...] = ()  # when nothing is healed: from and until, Unix seconds; until 0: until told otherwise
    run_as: str = ""  # NAMESPACE:NAME of the service account to write as; empty: the agent's own; permitted.NOBODY: nothing may be written


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order.

    `generation` rises with every change of an app; the agent refuses an apply or remove that is not above the cluster's fence.
    """

    id: str
    kind: TaskKind
    cluster_id: str
    app_id: str
    tenant: str
    project: str
    app: str
    generation: int
    expires: int  # Unix seconds; an expired task is refused
    release: str = ""  # digest
    revision: str = ""  # commit, for people
    sealed_digest: str = ""  # sha256 of the sealed values that go with it, or empty
    scope: Scope = Scope()
    options: Options = Options()
    query: str = ""  # kind query: which question; an agent that does not know it says so
    keys: tuple[Key, ...] = ()  # objects a query is about, all inside `scope`; empty: all of the app
    terms: bytes = b""  # kind query: msgpack of what the question itself has to say


class SignedTask(msgspec.Struct, frozen=True, kw_only=True):
    """`payload` is the msgpack of a Task, `signature` Ed25519 over the task context (plane.wire.signing) and the payload.

    The bundle is absent when the agent holds the digest.
    """

    payload: bytes
    signature: bytes
    bundle: ReleaseBundle | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent has.

    `holds`: release digests on its disk (bounded); `running`: tasks whose leases this extends; `missing`: apps that its fence knows and its
    disk does not, after the loss of the disk (bounded): each is answered with an observe task. `checks`: digest of the health checks that
    it judges by, empty for none; absent: it wants none; `projects`: it can tell those of projects apart. `trouble`:
    why it cannot take tasks now, as when its disk is full.
    """

    holds: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    checks: str | None = None
    projects: bool = False
    trouble: str = ""
    term: str = ""  # this term of office, never used again; names the pod
    installation: str = ""  # uid of the namespace kube-system


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """`lost`: tasks among `running` that are no longer this agent's (superseded, terminated): stop them.

    `checks`: when the agent judges by others. `rotate`: somebody wants the agent to take new keys.
    """

    tasks: tuple[SignedTask, ...] = ()
    lost: tuple[str, ...] = ()
    lease_s: int = 90
    checks: scripted.SignedChecks | None = None
    rotate: bool = False


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an object of ours that somebody else added: where, who, and when he last wrote, RFC 3339, as first seen."""

    pointer: str
    manager: str
    time: str = ""


class ObjectState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An object as the agent sees it."""

    key: Key
    sync: Literal["Synced", "OutOfSync", "Unknown"] = "Synced"
    health: str = "Healthy"  # Healthy, Suspended, Progressing, Missing, Degraded, Unknown
    message: str = ""
    fields: tuple[str, ...] = ()  # JSON pointers that differ from Git; never values
    wave: int = 0
    extra: tuple[Extra, ...] = ()  # sorted by pointer, at most 20
    more_extra: int = 0  # how many others there are
    fight: str = ""  # why it is not put back any more: it is changed, deleted, or added to again each time


class ObjectResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was done to one object. Result codes as Argo CD names them."""

    key: Key
    result: Literal["Synced", "Unchanged", "SyncFailed", "Pruned", "PruneSkipped", "HookSucceeded", "HookFailed"]
    message: str = ""
    phase: str = "Sync"
    wave: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A running task's step: which phase and wave, and results since the last progress."""

    task: str
    phase: str = "Sync"
    wave: int = 0
    message: str = ""
    results: tuple[ObjectResult, ...] = ()


class Final(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The one last word on a task. Times are Unix seconds by the agent's clock. `live`: answer of a query, JSON, values masked."""

    task: str
    app_id: str
    generation: int
    outcome: Outcome
    started: float
    finished: float
    message: str = ""
    needs_approval: tuple[str, ...] = ()  # sentences: why a person must approve the deletions
    results: tuple[ObjectResult, ...] = ()
    live: bytes = b""
    fence: int = 0  # outcome superseded: the generation that this cluster has already seen
    unhealthy: bool = False  # outcome failed: something did not become healthy


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """Many tasks' news in one body."""

    progress: tuple[Progress, ...] = ()
    finals: tuple[Final, ...] = ()


class Healed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A local repair: what had changed, who had changed it as far as managed fields tell, when (Unix seconds), and what came of it.

    `extra`: the fields were additions, and were removed. `noted`: it stands in the agent's journal, which tells it to the audit log.
    """

    key: Key
    at: float
    action: Literal["update", "create", "delete"]
    fields: tuple[str, ...] = ()
    manager: str = ""
    failed: str = ""
    extra: bool = False
    noted: bool = False


class AppState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What changed about one app since the last state call; `objects` holds changed ones, or all when `full`."""

    app_id: str
    generation: int
    release: str
    sync: Literal["Synced", "OutOfSync", "Unknown"]
    health: str
    message: str = ""  # the object and message that decides health
    objects: tuple[ObjectState, ...] = ()
    gone: tuple[Key, ...] = ()
    healed: tuple[Healed, ...] = ()
    full: bool = False


class Kind(msgspec.Struct, frozen=True, array_like=True):
    """One served kind."""

    group: str
    version: str
    kind: str
    namespaced: bool


# What this version of the agent can be asked for beyond applying, removing and observing; the plane refuses to ask an older one.
KNOWS = ("once", "pauses", "plans", "rotate", "accounts")


class Capabilities(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sent at start and when it changes."""

    kube_version: str
    agent_version: str
    kinds: tuple[Kind, ...] = ()
    nodes: int = 0
    knows: tuple[str, ...] = ()  # what the agent can be asked for, of KNOWS


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Deltas of many apps."""

    apps: tuple[AppState, ...] = ()
    capabilities: Capabilities | None = None


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a long answer, before the last word on its task. `number` counts from 0; an empty body asks whether anybody listens."""

    task: str
    number: int
    body: bytes = b""  # JSON, as the question has it; at most 1 MiB


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """`listening`: somebody still is, so go on."""

    listening: bool = False


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """`stale`: task ids or app ids whose news was dropped, because a newer generation or another owner exists."""

    stale: tuple[str, ...] = ()


def encode(message: msgspec.Struct) -> bytes:
    """Msgpack."""
    return _ENCODER.encode(message)


_ENCODER = msgspec.msgpack.Encoder()
