"""Two that undo each other's work in turn: the one is a tool that heals, the other never gives in."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from plane.domain import objects
from plane.domain.comparing import merging, ownership

TIMES = 3  # put back this often and changed again: with the pauses between heals nobody is so fast by accident
WINDOW_S = 600.0
_OFTEN = f"{TIMES} times within {WINDOW_S / 60:.0f} minutes"
_GONE = (
    "{key} is deleted, or loses its owner label, each time it is made: it was made again {often} and is left away now, "
    "until the next sync; take it out of Git, or find in the API server's audit log who does that "
    "(Kubernetes itself does with a Job that has ttlSecondsAfterFinished, and with an object whose owner is gone)"
)


Kind = Literal["field", "gone", "extra"]  # ours is changed; ours is deleted; theirs is added and taken away again


class Blow(msgspec.Struct, frozen=True):
    """One time that somebody changed what is ours, and that was put back. `at`: seconds of any clock that does not jump.

    Without fields the whole object was gone, and nobody says who did that.
    """

    at: float
    manager: str
    fields: tuple[str, ...]


class Left(msgspec.Struct, frozen=True):
    """What is not put back any more, and why, as a sentence."""

    kind: Kind
    sentence: str


class Fight(msgspec.Struct, frozen=True):
    """Healing would go on for ever."""

    manager: str
    field: str
    kind: Kind = "field"

    def left(self, key: objects.ObjectKey) -> Left:
        """What comes of it."""
        return Left(self.kind, self.sentence(key))

    def sentence(self, key: objects.ObjectKey) -> str:
        """For people: who, what, and the way out."""
        if self.kind == "gone":
            return _GONE.format(key=key, often=_OFTEN)
        if self.kind == "extra":
            turn = f"{self.manager} adds {self.field} to {key} each time {merging.MANAGER} takes it away"
            left = f"it was taken away {_OFTEN} and is left now, until the next sync"
            return f"{turn}: {left}; write it in Git, list it in ignoreDifferences, or stop {self.manager}"
        turn = f"{merging.MANAGER} and {self.manager} change {self.field} of {key} in turn"
        left = f"it was put back {_OFTEN} and is now left as {self.manager} writes it"
        return f"{turn}: {left}, until the next sync; take it out of Git, list it in ignoreDifferences, or stop {self.manager}"


def seen(before: Iterable[Blow], now: Blow, kind: Kind = "field") -> Fight | None:
    """Whether a change is one of a fight; one without fields can only be about an object that is gone."""
    recent = [one for one in before if now.at - one.at <= WINDOW_S]
    if not now.fields:
        return Fight("", "", "gone") if sum(not one.fields for one in recent) >= TIMES else None
    if not now.manager:
        return None
    lately = [one for one in recent if one.manager == now.manager]
    often = (field for field in now.fields if sum(field in one.fields for one in lately) >= TIMES)
    return next((Fight(now.manager, field, kind) for field in often), None)


def writer(live: Mapping[str, Any], pointers: Iterable[str]) -> str:
    """Who owns a changed field now, other than we; the last to write where several do, empty when nobody does."""
    wanted = tuple(pointers)
    found = [
        entry
        for entry in ownership.entries(live)
        if entry.manager != merging.MANAGER
        and entry.subresource != "status"
        and any(_touches(ownership.pointer(path), wanted) for path in ownership.paths(entry.fields, live))
    ]
    return max(found, key=lambda entry: entry.time).manager if found else ""


def _touches(owned: str, pointers: tuple[str, ...]) -> bool:
    return any(owned == one or owned.startswith(f"{one}/") or one.startswith(f"{owned}/") for one in pointers)
