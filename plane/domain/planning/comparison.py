"""Two plans of one app beside each other: which turns came, went, or turned out differently."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from plane.domain import objects


class Turn(msgspec.Struct, frozen=True):
    """One object's step, with its place in the plan."""

    phase: str
    wave: int
    action: str
    key: objects.ObjectKey
    reason: str = ""

    def sentence(self) -> str:
        """What is done, and why."""
        return f"{self.action} in wave {self.wave}{f': {self.reason}' if self.reason else ''}"


class Difference(msgspec.Struct, frozen=True):
    """One turn that is not the same in both. `was`, `now`: as sentences, empty where it is missing."""

    change: Literal["added", "removed", "changed"]
    phase: str
    key: objects.ObjectKey
    was: str = ""
    now: str = ""


def between(was: Iterable[Turn], now: Iterable[Turn]) -> tuple[Difference, ...]:
    """By phase as the newer plan has them, then by key; empty when both would do the same."""
    before, after = ({(turn.phase, turn.key): turn for turn in turns} for turns in (was, now))
    phases = list(dict.fromkeys(phase for phase, _ in (*after, *before)))
    places = sorted({*before, *after}, key=lambda place: (phases.index(place[0]), place[1]))
    return tuple(_difference(place, before.get(place), after.get(place)) for place in places if before.get(place) != after.get(place))


def _difference(place: tuple[str, objects.ObjectKey], was: Turn | None, now: Turn | None) -> Difference:
    change: Literal["added", "removed", "changed"] = "changed" if was and now else "added" if now else "removed"
    return Difference(change, *place, was.sentence() if was else "", now.sentence() if now else "")
