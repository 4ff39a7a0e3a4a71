"""The record: events, their leaves, the Merkle tree over them (RFC 6962 §2.1) and signed checkpoints (C2SP signed note)."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from plane.domain import objects

Stage = Literal["intent", "outcome", "fact"]


class By(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who: never a credential, only its id."""

    id: str
    name: str
    kind: str
    token: str = ""
    ip: str = ""
    user_agent: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened. `id` is a UUIDv7, `time` RFC 3339 UTC with microseconds; `details` are plain JSON, never a secret value.

    stage: `fact` for a change inside the plane; a change in a cluster has an `intent` before and an `outcome` after, tied by
    `correlation` (the task).
    """

    id: str
    time: str
    type: str  # noun.verb, e.g. app.created, app.sync.started, app.sync.completed
    actor: By
    tenant: str
    stage: Stage = "fact"
    outcome: Literal["success", "failure", "denied"] = "success"
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
    schema: str = "gitops-plane.io/audit/v1"


class Sealed(msgspec.Struct, frozen=True):
    """An event's place in its log: dense `seq` from 0, and the leaf hash in hexadecimal."""

    seq: int
    leaf: str
    event: Event


class Checkpoint(msgspec.Struct, frozen=True):
    """The state of a log: how many events, and the root over their leaves (hexadecimal)."""

    origin: str
    size: int
    root: str
    time: str
    signature: str = ""  # Ed25519 over `note(...)`, base64

    def note(self) -> bytes:
        """The text that is signed: origin, size, root in base64, time; one line each."""
        root = b64(bytes.fromhex(self.root))
        return f"{self.origin}\n{self.size}\n{root}\n{self.time}\n".encode()


def leaf(event: Event) -> bytes:
    """SHA-256(0x00 ‖ canonical JSON)."""
    return leaf_of(objects.canonical(event))


def leaf_of(body: bytes) -> bytes:
    """The leaf of an event's canonical JSON."""
    return hashlib.sha256(b"\x00" + body).digest()


def b64(data: bytes) -> str:
    """Base64 as checkpoints carry it."""
    return base64.b64encode(data).decode()


def node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash; of an empty log SHA-256 of nothing."""
    return fold(extend((), 0, leaves)) if leaves else hashlib.sha256().digest()


def extend(peaks: Sequence[bytes], size: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """The peaks (roots of the full subtrees, largest first) of a log of `size` leaves after more leaves; O(1) per leaf."""
    stack = list(peaks)
    for offset, hashed in enumerate(leaves):
        stack.append(hashed)
        count = size + offset + 1
        while count % 2 == 0:
            right = stack.pop()
            stack.append(node(stack.pop(), right))
            count //= 2
    return tuple(stack)


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root of a log from its peaks."""
    right = peaks[-1]
    for peak in reversed(peaks[:-1]):
        right = node(peak, right)
    return right
