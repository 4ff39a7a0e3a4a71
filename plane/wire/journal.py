"""The agent's own record on the wire: what it did and saw, chained by hashes and signed with its key.

    POST /agent/v1/journal    Journal → Known    without frames: how far the plane knows it

An entry's bytes are what is hashed, so they travel as they were written; an entry of a kind that the reader does not know still counts.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from plane.wire import agent, signing

CONTEXT = b"gitops-plane/journal/v1\0"
MOST_OBJECTS = 50  # named in one entry; the counts tell of all


class Started(msgspec.Struct, frozen=True, tag="started", omit_defaults=True):
    """The agent runs. `clean`: it was stopped before, rather than killed."""

    version: str
    clean: bool = True


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """It was told to end."""


class Begun(msgspec.Struct, frozen=True, tag="begun", omit_defaults=True):
    """The first entry of a journal: which one goes before it on this disk and how far that went; empty on a new disk."""

    disk: str
    before: str = ""
    last: int = 0
    reason: str = ""


class Missed(msgspec.Struct, frozen=True, tag="missed"):
    """Entries that could not be kept."""

    count: int
    reason: str


class PlaneLost(msgspec.Struct, frozen=True, tag="plane-lost"):
    """The plane does not answer. `since`: Unix seconds."""

    since: float
    reason: str


class PlaneFound(msgspec.Struct, frozen=True, tag="plane-found"):
    """It answers again."""

    away_s: float


class TaskBegun(msgspec.Struct, frozen=True, tag="task-begun", omit_defaults=True):
    """Work on a task that changes the cluster. `work`: apply, remove, or the name of an order about one object."""

    task: str
    app: str
    work: str
    generation: int
    release: str = ""


class TaskEnded(msgspec.Struct, frozen=True, tag="task-ended", omit_defaults=True):
    """What came of it. `counts`: objects by result; `objects`: those that failed or were deleted."""

    task: str
    app: str
    work: str
    generation: int
    outcome: str
    release: str = ""
    message: str = ""
    counts: dict[str, int] = {}
    objects: tuple[agent.ObjectResult, ...] = ()


class Drifted(msgspec.Struct, frozen=True, tag="drifted", omit_defaults=True):
    """An object differs from Git. `away`: the plane did not answer at that moment."""

    app: str
    release: str
    key: agent.Key
    fields: tuple[str, ...] = ()
    manager: str = ""
    away: bool = False


class Healed(msgspec.Struct, frozen=True, tag="healed", omit_defaults=True):
    """A repair that nobody ordered."""

    app: str
    release: str
    one: agent.Healed
    away: bool = False


Fact = Started | Stopped | Begun | Missed | PlaneLost | PlaneFound | TaskBegun | TaskEnded | Drifted | Healed


class Entry(msgspec.Struct, frozen=True):
    """One fact. `seq` counts from 1 without gaps; `at`: Unix seconds by the agent's clock.

    `up_s`: how long the agent had run by then, by a clock that nobody can set.
    """

    seq: int
    at: float
    up_s: float
    fact: Fact


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that were written together. `before`: the chain's hash up to them; `generation`: of the keys they are signed with."""

    first: int
    before: bytes
    entries: tuple[bytes, ...]  # msgpack of an Entry each
    generation: int
    signature: bytes

    @property
    def last(self) -> int:
        """The place of the last entry."""
        return self.first + len(self.entries) - 1


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """What the plane does not know yet, in order."""

    id: str
    frames: tuple[Frame, ...] = ()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """How far the plane knows the journal: place and hash of the last entry; 0: not at all.

    `refused`: why it takes no more of this one. What it does not know belongs into a new journal then.
    """

    seq: int = 0
    hash: bytes = b""
    refused: str = ""


def origin(journal: str) -> bytes:
    """What the chain begins with."""
    return hashlib.sha256(journal.encode()).digest()


def chain(before: bytes, entries: Iterable[bytes]) -> bytes:
    """The hash after more entries."""
    for entry in entries:
        before = hashlib.sha256(before + entry).digest()
    return before


class Seal(msgspec.Struct, frozen=True):
    """Who signs, with which generation of keys."""

    agent_id: str
    key: signing.PrivateKey
    generation: int

    def sign(self, journal: str, last: int, after: bytes) -> bytes:
        """The signature of a frame that ends at `last` with the hash `after`."""
        return self.key.sign(_signed(self.agent_id, journal, last, after))


def signed_by(public_key: bytes, agent_id: str, journal: str, frame: Frame) -> bool:
    """Whether a frame's signature holds."""
    text = _signed(agent_id, journal, frame.last, chain(frame.before, frame.entries))
    return signing.held(public_key, frame.signature, text)


def _signed(agent_id: str, journal: str, last: int, after: bytes) -> bytes:
    return CONTEXT + b"\0".join((agent_id.encode(), journal.encode(), str(last).encode(), after))
