"""What the agent remembers of a live object: a few facts, never the object."""

import hashlib
import re
from typing import Any

import msgspec

from plane.adapters.cluster import kube_kinds
from plane.domain import objects
from plane.domain.comparing import ownership
from plane.domain.health import health
from plane.domain.planning import plan
from plane.wire import agent

# Written by Kubernetes' own controllers after every change of an object: no news about what Git wants.
NOISE = frozenset(
    {"deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration", "control-plane.alpha.kubernetes.io/leader"}
)
APART = frozenset({"metadata", "status", "apiVersion", "kind"})
HOOK_RUN = "gitops-plane.io/hook-run"  # value: generation of the task, and phase; a resumed task does not run its hooks again
OUR_MANAGER = f'"manager":"{agent.FIELD_MANAGER}"'.encode()


class Record(msgspec.Struct):
    """A live object that carries an owner label.

    Attributes:
        app: the owner label's value.
        version: resourceVersion.
        digest: of the parts that Git can speak about.
        settled: the digest that was found, or made, equal to what Git wants; empty: never.
        wanted: digest of the Git document that `settled` was equal to.
        fields: JSON pointers that differ from Git, when they do.
        ours: our field manager has applied it; a copy made by somebody else is not.
        live: what planning needs of it.
        run: of a hook, the operation that made it.
        others: digest of what others own of it, its status aside; empty when nobody does.
        weighed: of what `extra` was found.
        extra: what others added, the first ones; `more_extra`: how many are left out.
        looking: it is being compared apart; until that is done it counts as it did before.
        judged: digest of the user's script that said `health`; empty: none did. `judging`: one is asked; `health` is what it was.
        copied: who made it, of an object that carries our label and was never applied by us; None for all others.
        preview: what an apply would do to this version, kept by who asked (plane.agent.answering.preview).
        quote: what one of its children says of why it is unhealthy.
    """

    key: objects.ObjectKey
    app: str
    version: int
    digest: bytes
    ours: bool
    deleting: bool
    health: health.Health
    live: plan.Live
    run: str
    settled: bytes = b""
    wanted: bytes = b""
    fields: tuple[str, ...] = ()
    others: bytes = b""
    weighed: bytes = b""
    extra: tuple[ownership.Extra, ...] = ()
    more_extra: int = 0
    looking: bool = False
    judged: bytes = b""
    judging: bool = False
    copied: ownership.Extra | None = None
    preview: object = None
    quote: str = ""

    @property
    def why(self) -> str:
        """Its health's message with what a child says."""
        return "; ".join(part for part in (self.health.message, self.quote) if part)

    def synced(self, wanted: bytes) -> bool:
        """Whether it is as the Git document of this digest wants it."""
        return self.wanted == wanted and (self.settled == self.digest or (self.looking and not self.fields))


class _Meta(msgspec.Struct, rename="camel"):
    name: str = ""  # a watch's bookmark has a resourceVersion and nothing else
    uid: str = ""
    namespace: str = ""
    resource_version: str = "0"
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    managed_fields: msgspec.Raw = msgspec.Raw()
    deletion_timestamp: str = ""
    creation_timestamp: str | None = None
    finalizers: list[str] = []


class _Owner(msgspec.Struct):
    manager: str = ""
    subresource: str = ""
    fields_v1: msgspec.Raw = msgspec.field(name="fieldsV1", default=msgspec.Raw())


_MANAGERS = re.compile(rb'"manager":"([^"]*)"')
_EXPECTED = frozenset(manager.encode() for manager in ownership.EXPECTED)
_OWNERS = msgspec.json.Decoder(list[_Owner])
_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_META = msgspec.json.Decoder(_Meta)


class Seen(msgspec.Struct, frozen=True):
    """An object in bytes, taken apart once."""

    raw: msgspec.Raw
    top: dict[str, msgspec.Raw]
    meta: _Meta
    resource: kube_kinds.Resource

    @property
    def app(self) -> str:
        """The owner label's value, or empty."""
        return self.meta.labels.get(agent.OWNER_LABEL, "")

    @property
    def version(self) -> int:
        """resourceVersion; etcd's are whole numbers, and since Kubernetes 1.35 the API promises that they can be compared."""
        return int(self.meta.resource_version)

    def marks(self) -> dict[str, Any]:
        """As much of the object as says whether it is judged at all."""
        meta = {"deletionTimestamp": self.meta.deletion_timestamp, "finalizers": self.meta.finalizers}
        return {"metadata": {"annotations": self.meta.annotations, **meta}}

    def body(self) -> dict[str, Any]:
        """The whole object; items of lists carry neither apiVersion nor kind, so both are filled in."""
        found: dict[str, Any] = msgspec.json.decode(self.raw, type=dict[str, Any])
        return {"apiVersion": self.resource.api_version, "kind": self.resource.kind, **found}


def see(raw: msgspec.Raw, resource: kube_kinds.Resource) -> Seen:
    """Take an object's bytes apart, one level deep."""
    top = _TOP.decode(raw)
    return Seen(raw, top, _META.decode(top["metadata"]), resource)


def key(seen: Seen) -> objects.ObjectKey:
    """The object's key."""
    return objects.ObjectKey(seen.resource.group, seen.resource.kind, seen.meta.namespace, seen.meta.name)


def record(seen: Seen) -> Record:
    """The facts worth remembering."""
    meta = seen.meta
    slim = _slim(seen)
    live = plan.live(slim)
    ours = OUR_MANAGER in bytes(meta.managed_fields)
    return Record(
        key=live.key,
        app=live.owner,
        version=seen.version,
        digest=_digest(seen),
        ours=ours,
        deleting=bool(meta.deletion_timestamp),
        health=health.judge(slim),
        live=live,
        run=meta.annotations.get(HOOK_RUN, ""),
        others=others(bytes(meta.managed_fields)),
        copied=None if ours else _copied(seen),
    )


def _copied(seen: Seen) -> ownership.Extra | None:
    """Controllers copy labels onto what they make for an object; that is theirs, and nobody's addition."""
    found = ownership.whole(seen.body())
    owned = msgspec.json.decode(seen.top["metadata"]).get("ownerReferences")
    return found if found and not owned and ownership.is_foreign(found.manager, "") else None


def judged(seen: Seen) -> health.Health:
    """Its health by our own rules."""
    return health.judge(_slim(seen))


def others(managed: bytes) -> bytes:
    """What `Record.others` is; cheap for an object of which only we and the cluster itself own something."""
    if _EXPECTED.issuperset(_MANAGERS.findall(managed)):
        return b""
    owners = [one for one in _OWNERS.decode(managed) if ownership.is_foreign(one.manager, one.subresource)]
    found = hashlib.blake2b(digest_size=16)
    for one in owners:
        found.update(one.manager.encode() + b"\0" + bytes(one.fields_v1) + b"\0")
    return found.digest() if owners else b""


def document_digest(document: bytes) -> bytes:
    """Names one Git document."""
    return hashlib.blake2b(document, digest_size=16).digest()


def _digest(seen: Seen) -> bytes:
    found = hashlib.blake2b(digest_size=16)
    for name in sorted(seen.top.keys() - APART):
        found.update(name.encode() + b"\0" + bytes(seen.top[name]) + b"\0")
    for named in (seen.meta.labels, seen.meta.annotations):
        found.update(msgspec.json.encode({name: named[name] for name in sorted(named.keys() - NOISE)}))
    return found.digest()


def _slim(seen: Seen) -> dict[str, Any]:
    """The body without data and managed fields: what health and planning look at."""
    meta: dict[str, Any] = {
        "name": seen.meta.name,
        "namespace": seen.meta.namespace,
        "uid": seen.meta.uid,
        "generation": seen.meta.generation,
        "labels": seen.meta.labels,
        "annotations": seen.meta.annotations,
    }
    if seen.meta.deletion_timestamp:
        meta |= {"deletionTimestamp": seen.meta.deletion_timestamp, "finalizers": seen.meta.finalizers}
    if seen.meta.creation_timestamp:
        meta["creationTimestamp"] = seen.meta.creation_timestamp
    parts: dict[str, Any] = {name: msgspec.json.decode(seen.top[name]) for name in ("spec", "status") if name in seen.top}
    return {"apiVersion": seen.resource.api_version, "kind": seen.resource.kind, "metadata": meta, **parts}
