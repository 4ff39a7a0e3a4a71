"""Two managers that change one field in turn: the one is a tool that heals, the other never gives in."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from plane.domain import objects
from plane.domain.comparing import merging, ownership

TIMES = 3  # put back this often and changed again: with the pauses between heals nobody is so fast by accident
WINDOW_S = 600.0


class Blow(msgspec.Struct, frozen=True):
    """One time that somebody changed what is ours, and that was put back. `at`: seconds of any clock that does not jump."""

    at: float
    manager: str
    fields: tuple[str, ...]


class Fight(msgspec.Struct, frozen=True):
    """Healing would go on for ever."""

    manager: str
    field: str

    def sentence(self, key: objects.ObjectKey) -> str:
        """For people: who, what, and the way out."""
        turn = f"{merging.MANAGER} and {self.manager} change {self.field} of {key} in turn"
        left = f"it was put back {TIMES} times within {WINDOW_S / 60:.0f} minutes and is now left as {self.manager} writes it"
        return f"{turn}: {left}, until the next sync; take it out of Git, list it in ignoreDifferences, or stop {self.manager}"


def seen(before: Iterable[Blow], now: Blow) -> Fight | None:
    """Whether a change is one of a fight."""
    if not now.manager:
        return None
    lately = [one for one in before if one.manager == now.manager and now.at - one.at <= WINDOW_S]
    often = (field for field in now.fields if sum(field in one.fields for one in lately) >= TIMES)
    return next((Fight(now.manager, field) for field in often), None)


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
