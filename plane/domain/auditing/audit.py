"""The record: events, their leaves, the Merkle tree over them (RFC 6962 §2.1) and signed checkpoints (C2SP tlog-checkpoint)."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from plane.domain import objects

Stage = Literal["intent", "outcome", "fact"]
Outcome = Literal["success", "failure", "denied"]
ED25519 = b"\x01"  # the kind of key in notes
PERSONS = frozenset({"user", "service"})
PERSONAL = ("name", "ip", "user_agent", "on_behalf_of")
COMMITTED = ("author", "committer")  # in the details of a sync: people too, whoever the actor is
TOLD = ("asked_by", "on_behalf_of", "owner", "signed_by", "subject")  # in details of many: people again
NOBODY = "plane"  # as `access.SYSTEM` is called: what it asks for itself names nobody
EXPIRED = "audit.retention.applied"  # names the place before which events may be gone; the verifier looks for it
KEY_CHANGED = "audit.key.changed"
STAMPED = "audit.stamped"
TILE = 8  # heights between stored nodes: a proof reads at most 2^TILE hashes a level, and 1/255 more is stored than the leaves
COUNTED = ("type", "actor", "project", "target", "cluster", "outcome")


class By(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who: never a credential, only its id. `personal`: what stands in the log for what lies apart from it, as `apart` says.

    `on_behalf_of`: of a service, whom its own provider vouched for, or `person/NAME`, who made the token.
    """

    id: str
    name: str = ""
    kind: str = ""
    token: str = ""
    ip: str = ""
    user_agent: str = ""
    personal: str = ""
    on_behalf_of: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. `id` is a UUIDv7, `time` RFC 3339 UTC with microseconds; `details` are plain JSON, never a secret value.

    `time` is when the plane wrote it down; `occurred_at` when it happened, where an agent says so, by the agent's clock.

    stage: `fact` for a change inside the plane; a change in a cluster has an `intent` before and an `outcome` after, tied by
    `correlation` (the task).
    """

    id: str
    time: str
    type: str  # noun.verb, e.g. app.created, app.sync.started, app.sync.completed
    actor: By
    tenant: str
    stage: Stage = "fact"
    outcome: Outcome = "success"
    project: str = ""
    target: str = ""  # kind/name as people say it, e.g. app/web
    cluster: str = ""
    commit: str = ""
    release: str = ""
    decision: str = ""  # id of the release row that holds the verdict
    correlation: str = ""
    request: str = ""
    message: str = ""
    details: dict[str, Any] = {}
    occurred_at: str = ""
    schema: str = "gitops-plane.io/audit/v1"


class Facets(msgspec.Struct, frozen=True):
    """What events are searched and counted by; read from the stored text."""

    time: str
    type: str
    actor: str
    project: str = ""
    target: str = ""
    cluster: str = ""
    commit: str = ""
    outcome: str = "success"
    correlation: str = ""


class Placed(msgspec.Struct, frozen=True):
    """A row of the log as it is kept: `leaf` as the sealer made it, `body` as it is now (empty: it is gone)."""

    seq: int
    leaf: bytes
    body: bytes
    salt: bytes = b""  # empty: nothing is personal in it, or that was erased
    personal: bytes = b""


class Sealed(msgspec.Struct, frozen=True):
    """An event's place in its log: dense `seq` from 0, and the leaf hash in hexadecimal."""

    seq: int
    leaf: str
    event: Event


class Checkpoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of a log: how many events, and the root over their leaves (hexadecimal).

    `counts`: what the events since the checkpoint before are, as `tally` makes it; `peaks`: the full subtrees' roots at this size,
    so that whoever reads on from here needs nothing before it; their fold is the signed root. `counts_hash`: what is signed of the counts,
    in a file for somebody who may not know them.
    """

    origin: str
    size: int
    root: str
    time: str
    signature: str = ""  # Ed25519 over `text()`, base64
    key: str = ""  # the public key, base64
    counts: dict[str, dict[str, int]] = {}
    peaks: tuple[str, ...] = ()
    counts_hash: str = ""

    def text(self) -> bytes:
        """The text that is signed, a C2SP tlog-checkpoint: origin, size, root in base64, time, and what the counts hash to."""
        lines = [self.origin, str(self.size), b64(bytes.fromhex(self.root)), self.time]
        if counted := self.counts_hash or (self.counts and b64(hashlib.sha256(objects.canonical(self.counts)).digest())):
            lines.append(f"counts {counted}")
        return "".join(f"{line}\n" for line in lines).encode()

    def without_counts(self) -> "Checkpoint":
        """The same, and as well signed."""
        counted = b64(hashlib.sha256(objects.canonical(self.counts)).digest()) if self.counts else ""
        return msgspec.structs.replace(self, counts={}, counts_hash=counted)

    def note(self) -> str:
        """The signed note (https://c2sp.org/signed-note), whose key has the origin as its name."""
        marked = key_id(self.origin, unb64(self.key)) + unb64(self.signature)
        return f"{self.text().decode()}\n\u2014 {self.origin} {b64(marked)}\n"


def key_id(name: str, key: bytes, *, kind: bytes = ED25519) -> bytes:
    """The first bytes of a signature in a note: which key made it."""
    return hashlib.sha256(name.encode() + b"\n" + kind + key).digest()[:4]


def verifier_key(name: str, key: bytes) -> str:
    """A public key as tools for notes read it: name, id, and the key with its kind."""
    return f"{name}+{key_id(name, key).hex()}+{b64(ED25519 + key)}"


def tally(facets: Iterable[Facets]) -> dict[str, dict[str, int]]:
    """How many events there are by every value of every facet; values as hashes, so that a count gives no name away."""
    counts: dict[str, dict[str, int]] = {}
    for one in facets:
        for name in COUNTED:
            value = getattr(one, name)
            if value:
                of = counts.setdefault(name, {})
                key = facet_key(name, value)
                of[key] = of.get(key, 0) + 1
    return counts


def facet_key(name: str, value: str) -> str:
    """What stands for a facet's value in counts."""
    return hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:32]


def apart(event: Event, salt: bytes) -> tuple[Event, bytes]:
    """The event with a commitment in place of what is personal in it, and that; empty when nothing is."""
    actor, details = event.actor, event.details
    own = {name: value for name in PERSONAL if actor.kind in PERSONS and (value := getattr(actor, name))}
    committed = {name: value for name in COMMITTED if (value := details.get(name))}
    beside = _beside(event)
    if not (own or committed or beside):
        return event, b""
    told = objects.canonical(own | committed | beside)
    blank = msgspec.structs.replace(actor, **dict.fromkeys(own, ""), personal=hashlib.sha256(salt + told).hexdigest())
    gone = {*committed, *beside.get("details", ())}
    rest = {name: value for name, value in details.items() if name not in gone}
    if "approvals" in details:  # that somebody agreed stays, with their id
        rest["approvals"] = [{name: value for name, value in one.items() if name != "by"} for one in details["approvals"]]
    return msgspec.structs.replace(event, actor=blank, details=rest, message="" if "message" in beside else event.message), told


def _beside(event: Event) -> dict[str, Any]:
    """Whom the details name, whoever the actor is, and sentences that name who asked."""
    details, asked = event.details, event.details.get("asked_by", "")
    told = {name: value for name in TOLD if (value := details.get(name)) and value != NOBODY}
    if asked in told.values() and asked in details.get("why", ""):
        told["why"] = details["why"]
    named = {"details": told, "agreed": [{"by": one.get("by", "")} for one in details.get("approvals", ())]}
    if asked in told.values() and asked in event.message:
        named["message"] = event.message
    return {name: value for name, value in named.items() if value}


def together(body: bytes, personal: bytes) -> Event:
    """The event of a stored text, with what is personal in it as far as it is still there."""
    event = msgspec.json.decode(body, type=Event)
    if not personal:
        return event
    told = msgspec.json.decode(personal, type=dict[str, Any])
    details = event.details | told.pop("details", {}) | {name: told.pop(name) for name in COMMITTED if name in told}
    if agreed := told.pop("agreed", ()):
        details["approvals"] = [one | by for one, by in zip(details["approvals"], agreed, strict=True)]
    message = told.pop("message", event.message)
    return msgspec.structs.replace(event, actor=msgspec.structs.replace(event.actor, **told), details=details, message=message)


def leaf(event: Event) -> bytes:
    """SHA-256(0x00 ‖ canonical JSON)."""
    return leaf_of(objects.canonical(event))


def leaf_of(body: bytes) -> bytes:
    """The leaf of an event's canonical JSON."""
    return hashlib.sha256(b"\x00" + body).digest()


def b64(data: bytes) -> str:
    """Base64 as checkpoints carry it."""
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """Back from `b64`."""
    return base64.b64decode(text)


def node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash; of an empty log SHA-256 of nothing."""
    return fold(extend((), 0, leaves)) if leaves else hashlib.sha256().digest()


def extend(peaks: Sequence[bytes], size: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """The peaks (roots of the full subtrees, largest first) of a log of `size` leaves after more leaves; O(1) per leaf."""
    return grow(peaks, size, leaves)[0]


def grow(peaks: Sequence[bytes], size: int, leaves: Sequence[bytes]) -> tuple[tuple[bytes, ...], dict[tuple[int, int], bytes]]:
    """As `extend`, and the roots of the subtrees that became full at every TILE-th height, by (height, index)."""
    stack, full = list(peaks), {}
    for offset, hashed in enumerate(leaves):
        stack.append(hashed)
        count, height = size + offset + 1, 0
        while count % 2 == 0:
            right = stack.pop()
            stack.append(node(stack.pop(), right))
            count, height = count // 2, height + 1
            if height % TILE == 0:
                full[height, count - 1] = stack[-1]
    return tuple(stack), full


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root of a log from its peaks."""
    right = peaks[-1]
    for peak in reversed(peaks[:-1]):
        right = node(peak, right)
    return right
