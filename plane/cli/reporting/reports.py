"""A verdict on local files as a value, and what every form says of it alike."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from plane.domain.judging import library, policy

Level = Literal["error", "warning", "note"]

_LEVELS: dict[policy.Mode, Level] = {"deny": "error", "require-approval": "error", "warn": "warning", "audit": "note", "off": "note"}


class Place(msgspec.Struct, frozen=True):
    """Where an object stands; line 0: unknown."""

    file: str = ""
    line: int = 0


class Report(msgspec.Struct, frozen=True):
    """What was asked, of what, and the answer. `objects`: all that was judged → its `file:line`; `rules`: id → what it says of itself."""

    verdict: policy.Verdict
    objects: Mapping[str, str] = {}
    rules: Mapping[str, library.Rule] = {}

    def of(self, subject: str) -> tuple[policy.Judged, ...]:
        """What was found about one object."""
        return tuple(one for one in self.verdict.judged if one.violation.object == subject)

    def subjects(self) -> tuple[str, ...]:
        """All objects, then what was found about none of them (the release as a whole, or objects that are not there)."""
        others = {one.violation.object for one in self.verdict.judged} - self.objects.keys()
        return (*self.objects, *sorted(others))


def level(one: policy.Judged) -> Level:
    """How loud a violation is; a waived one is for the record."""
    return "note" if one.waiver else _LEVELS[one.mode]


def place(text: str) -> Place:
    """Of `file:line` or `file`."""
    file, _, line = text.rpartition(":")
    return Place(file, int(line)) if file and line.isdecimal() else Place(text)


def sentence(found: policy.Violation) -> str:
    """The message with the way out."""
    return f"{found.message}. To fix: {found.remedy}" if found.remedy else found.message
