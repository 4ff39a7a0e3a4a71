"""Every boundary of the plane on one page: what the inside asks of the outside. Adapters fill these; run/ says which."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from plane.domain import apps, objects, trust
from plane.domain.acting import action_scripts
from plane.domain.auditing import details, sinks
from plane.domain.comparing import ownership
from plane.domain.granting import login, providers
from plane.domain.health import health_scripts, health_values
from plane.domain.judging import artifacts, bundles, origins, policy, traces
from plane.domain.permitting import signing
from plane.domain.rendering import metering, secrets


class GitAuth(msgspec.Struct, frozen=True):
    """How to reach one repository; at most one of password and key. Secrets stay `Secret` until the child process needs them."""

    username: str = ""
    password: secrets.Secret | None = None
    ssh_key: secrets.Secret | None = None
    known_hosts: str = ""
    ca_pem: str = ""


class GitRemote(msgspec.Struct, frozen=True):
    """A repository as the plane knows it. `id` names the mirror (a UUID, safe as a folder name); url is https://, ssh:// or oci://.

    `quota_bytes`: what its tenant may have of one mirror; None: whatever the installation allows.
    """

    id: str
    url: str
    auth: GitAuth = GitAuth()
    quota_bytes: int | None = None


class Commit(msgspec.Struct, frozen=True):
    """A resolved revision."""

    sha: str
    author: str = ""
    committed_at: str = ""  # RFC 3339
    subject: str = ""
    committer: str = ""
    signature: str = ""  # the kind that it carries: none, openpgp, ssh or x509; nobody verified it
    floating: bool = False  # it was found by a name that moves, a branch or HEAD


class File(msgspec.Struct, frozen=True, order=True):
    """A file of a commit. `blob` is Git's object id; links and submodules never appear here."""

    path: str
    blob: str
    size_bytes: int


class Tree(Protocol):
    """The files of one commit, read from the mirror; nothing is checked out."""

    def files(self, folder: str) -> Sequence[File]:
        """All files below the folder (`.`: the whole tree), sorted by path; SourceRefused when there is no such folder."""
        ...

    def read(self, files: Iterable[File]) -> Mapping[str, bytes]:
        """Contents by path; one batch."""
        ...


class Git(Protocol):
    """Mirrors. Sync, thread-safe; one mirror is never fetched twice at once."""

    def refs(self, remote: GitRemote) -> Mapping[str, str]:
        """The remote's refs now (`HEAD` … → sha), one call; BackendDown: away, slow; SourceRefused: wrong log-in, redirect, not allowed."""
        ...

    def fetch(self, remote: GitRemote) -> Mapping[str, str]:
        """Bring the mirror up to date and return its refs, as `refs`; raises the same."""
        ...

    def size(self, remote: GitRemote) -> int:
        """Bytes of the mirror as it is."""
        ...

    def resolve(self, remote: GitRemote, revision: str) -> Commit:
        """Branch, tag, full or short sha, HEAD → commit, from the mirror alone; SourceRefused when unknown or ambiguous."""
        ...

    def tree(self, remote: GitRemote, sha: str) -> Tree:
        """The files of a commit that the mirror holds."""
        ...

    def checked(self, remote: GitRemote, commit: Commit, keys: Sequence[str]) -> signing.Checked:
        """Whether a commit of the mirror is signed by one of these public keys (OpenPGP, SSH); BackendDown when nobody could look."""
        ...

    def changed(self, remote: GitRemote, old: str, new: str) -> frozenset[str] | None:
        """Paths that differ between two commits of the mirror; None when `old` is not there any more (force-push)."""
        ...

    def forget_others(self, keep: Collection[str]) -> int:
        """Remove the mirrors of repositories that are none of these ids; returns how many. Young ones stay: theirs may be being made."""
        ...


class Artifacts(Protocol):
    """One repository of a registry during one look. Everything raises BackendDown for no answer, SourceRefused for no."""

    def tags(self) -> int:
        """How many it has, a thousand at most."""
        ...

    def digest(self, tag: str) -> str:
        """Of the artifact that has the tag now."""
        ...

    def signed(self, digest: str, keys: Sequence[trust.Trusted]) -> origins.Signed:
        """Which of the keys signed an artifact, beside it in the registry."""
        ...

    def pull(self, digest: str) -> artifacts.Pulled:
        """The layers of an artifact that make a policy set, bounded, and with the digests that they are named by."""
        ...


OpenRegistry = Callable[[GitRemote], Artifacts]  # begins a look, with a log-in for this one repository and for reading; thread-safe


class RenderJob(msgspec.Struct, frozen=True):
    """One render. `files` are all the renderer can read, paths relative to the repository's root."""

    project: str  # a sandbox never works for two projects
    source: apps.Source
    files: Mapping[str, bytes]
    app: str
    namespace: str = ""
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    patient: bool = False  # others' renders get the processor first


class Renderer(Protocol):
    """One way to make objects from files; runs `render` inside the sandbox only."""

    name: str

    def detects(self, files: Sequence[File], source: apps.Source) -> bool:
        """Whether this renderer is meant, from the files directly in the source's path."""
        ...

    def inputs(self, tree: Tree, source: apps.Source) -> tuple[File, ...]:
        """The files the renderer can read, sorted; RenderFailed when the graph leaves the repository or names a URL."""
        ...

    def roots(self, tree: Tree, source: apps.Source) -> frozenset[str]:
        """Folders and files such that a commit touching none of them cannot change `inputs` or their content."""
        ...

    def version(self) -> str:
        """Part of the render key: name and version of the program or of our own reader."""
        ...


class RenderPool(Protocol):
    """Renders in locked-down processes. Sync, thread-safe, bounded."""

    def render(self, renderer: str, job: RenderJob, meter: metering.Meter | None = None) -> tuple[objects.Manifest, ...]:
        """Objects in source order, positions filled in where known. The meter is told what it took, however it ends.

        RenderFailed comes with file and line where there is one; also for time, memory, output bounds and duplicate objects.
        """
        ...

    def missing_protections(self) -> tuple[str, ...]:
        """Sentences for the start-up log: what this kernel lacks."""
        ...


class SopsKeys(msgspec.Struct, frozen=True):
    """age identities (`AGE-SECRET-KEY-1…`), one per line."""

    age: secrets.Secret


class Sops(Protocol):
    """Opens SOPS documents with the real program, MAC always checked."""

    def open(self, text: bytes, keys: SopsKeys, *, where: str, form: Literal["yaml", "dotenv", "binary"] = "yaml") -> bytes:
        """One encrypted file in the clear, in its own form (JSON counts as YAML); the caller turns values into `Secret` at once.

        Raises:
            SecretRefused: no matching key, broken MAC, too large; `where` is named, no value is quoted.
        """
        ...


class VaultAccess(msgspec.Struct, frozen=True):
    """A project's own Vault identity under an alias. Exactly one of token and role_id + secret_id."""

    alias: str
    address: str
    mount: str
    prefixes: tuple[str, ...]  # paths below the mount that the project may read, e.g. `team-a/`
    token: secrets.Secret | None = None
    role_id: str = ""
    secret_id: secrets.Secret | None = None
    namespace: str = ""
    ca_pem: str = ""


class SecretBackend(Protocol):
    """Reads many references with one log-in."""

    def read(self, access: VaultAccess, refs: Iterable[secrets.VaultRef]) -> Mapping[secrets.VaultRef, secrets.Secret]:
        """Every reference's value.

        Raises:
            SecretRefused: denied, absent, deleted version, path outside the prefixes. BackendDown: no answer in time.
        """
        ...


class Sealer(Protocol):
    """Seals to an agent's public key (HPKE base mode, X25519, HKDF-SHA256, AES-256-GCM)."""

    def seal(self, public_key: bytes, value: secrets.Secret, context: bytes) -> bytes:
        """Encapsulated key followed by ciphertext."""
        ...


class Envelope(Protocol):
    """Encrypts what the plane itself must keep (credentials, project keys) under a master key outside the database."""

    def wrap(self, value: secrets.Secret, *, context: bytes) -> bytes:
        """Ciphertext with the master key's id inside; `context` (tenant, project, name) is authenticated."""
        ...

    def unwrap(self, wrapped: bytes, *, context: bytes) -> secrets.Secret:
        """The value; SecretRefused when the key or the context is another."""
        ...

    def current(self, wrapped: bytes) -> bool:
        """Whether it is known that wrapping again would change nothing."""
        ...


class LogSigner(Protocol):
    """The Ed25519 keys that an audit log's states are signed with: files, Vault, or a cloud's key service. Sync, thread-safe."""

    def keys(self) -> Sequence[bytes]:
        """Public keys, 32 bytes each: the present one, those before it that may still be used; raises as services do that keep them."""
        ...

    def sign(self, key: bytes, message: bytes) -> bytes:
        """The signature with one of `keys`; raises as `keys`."""
        ...


class Signer(Protocol):
    """The plane's own Ed25519 key, kept outside the database: signs tasks."""

    def sign(self, context: bytes, message: bytes) -> bytes:
        """The signature over context + message; contexts keep one use from standing for another."""
        ...

    def public_key(self) -> bytes:
        """32 bytes."""
        ...


class PolicyEngine(Protocol):
    """A real OPA. Sync, thread-safe."""

    def version(self) -> str:
        """Name and version of what answers, such as `opa 1.9.0`."""
        ...

    def check(self, files: policy.PolicyFiles, tests: Mapping[str, str] = {}) -> None:
        """PolicyInvalid with file and row when the set does not compile, uses a refused builtin, or one of its tests fails."""
        ...

    def open(self, packed: bytes, keys: Sequence[trust.Trusted]) -> tuple[bundles.Bundle, origins.Signed]:
        """What an OPA bundle holds, and which of the keys signed it; Invalid names the file that keeps it from being a policy set."""
        ...

    def violations(self, files: policy.PolicyFiles, question: policy.PolicyInput) -> tuple[policy.Violation, ...]:
        """Sorted violations of one query.

        Raises:
            PolicyFailed: undefined, garbage, deadline passed, engine gone: the caller makes a denial of it.
        """
        ...

    def rules(self, files: policy.PolicyFiles) -> tuple[str, ...]:
        """What violations call the rules of a set, sorted."""
        ...

    def trace(self, files: policy.PolicyFiles, question: policy.PolicyInput, wish: traces.Wish) -> traces.Trace:
        """What the lines of one rule were about one object. Invalid: no such rule, or no object named; PolicyFailed: as for a verdict."""
        ...


class Scripts(Protocol):
    """What users wrote in jq, Lua and CEL, run apart, bounded in time and memory. Sync, thread-safe; one script takes up to a second."""

    def paths(self, expressions: tuple[str, ...], body: dict[str, Any]) -> tuple[ownership.Path, ...]:
        """Where jq path expressions lead in an object; Invalid for one that is none or does not end."""
        ...

    def check(self, source: str | health_scripts.Expressions) -> str:
        """Why a health script can never do, as the end of a sentence; empty when it can."""
        ...

    def check_actions(self, source: action_scripts.Source) -> Mapping[str, str]:
        """Field → why a script of resource actions can never do; empty when all can."""
        ...

    def run(self, script: health_scripts.Script, body: dict[str, Any]) -> health_values.Health:
        """What a health script says of an object; Unknown, with a sentence that names script and line, when it fails."""
        ...

    def close(self) -> None:
        """End what runs apart."""
        ...


class Sink(Protocol):
    """A place that the audit log is sent to. Sync, thread-safe, without memory."""

    def send(self, spec: sinks.SinkSpec, data: Mapping[str, secrets.Secret], batch: sinks.Batch) -> details.Stamped | None:
        """What the log keeps of the answer, when the far end has it all; BackendDown: it gets it again; Refused: it never takes this."""
        ...


class Clock(Protocol):
    """Time and fresh ids, handed in so that tests move them."""

    def now(self) -> dt.datetime:
        """UTC, with time zone."""
        ...

    def id(self) -> str:
        """A fresh UUIDv7 as text."""
        ...


class Passwords(Protocol):
    """What passwords are kept as. Slow by intent; sync, thread-safe."""

    def hashed(self, password: str) -> str:
        """With its parameters and a salt of its own."""
        ...

    def matches(self, hashed: str, password: str) -> bool:
        """Whether it is the one; False for the empty hash, after as long."""
        ...


class Identities(Protocol):
    """Identity providers. Sync, thread-safe. Everything raises BackendDown when one is away, and Refused when a log-in is none."""

    def address(self, provider: login.Provider, wish: providers.LoginWish) -> str:
        """Where the browser goes."""
        ...

    def redeem(self, provider: login.Provider, code: str, wish: providers.LoginWish, *, now: dt.datetime) -> login.Person:
        """Who came back with the code."""
        ...

    def device(self, provider: login.Provider) -> providers.Device:
        """Begin a log-in on another machine."""
        ...

    def poll(self, provider: login.Provider, device_code: str, *, now: dt.datetime) -> login.Person | login.Waiting:
        """Who has logged in with the device's code; DeviceRefused when nobody will any more."""
        ...

    def renew(self, provider: login.Provider, renewal: secrets.Secret, *, now: dt.datetime) -> login.Person:
        """Who it is now, whose log-in left this; Ended when the provider vouches for them no more."""
        ...

    def forget(self, provider: login.Provider, renewal: secrets.Secret) -> None:
        """Tell the provider that nobody will renew with it, where it wants to know."""
        ...

    def look(self, provider: login.Provider) -> providers.Seen:
        """What a provider says of itself now."""
        ...

    def verify(self, source: login.Provider | login.TrustRule, token: str, *, audience: str, now: dt.datetime) -> dict[str, Any]:
        """The claims of a token that the issuer made for the audience."""
        ...

    def logged_out(self, provider: login.Provider, token: str, *, now: dt.datetime) -> tuple[str, str, str]:
        """Subject, session and id of a logout token; one of the first two may be empty."""
        ...
