"""Findings: rules that are broken by what Git wants of an app, from the release that begins it to the one that mends it."""

from collections.abc import Iterable

import msgspec

from plane.domain import objects
from plane.domain.judging import policy

STOPS: frozenset[str] = frozenset({"deny", "require-approval"})


class Finding(msgspec.Struct, frozen=True):
    """One rule that one object breaks, `count` times. `key` names it among those of an app; `waiver`: the one that excuses it."""

    key: str
    policy: str
    rule: str
    object: str
    mode: str
    severity: str
    message: str
    by: str
    waiver: str
    count: int


def of(verdict: policy.Verdict) -> tuple[Finding, ...]:
    """Those of a verdict, by key; the strictest word on an object speaks for all."""
    found: dict[str, Finding] = {}
    for entry in sorted(verdict.judged, key=lambda one: (bool(one.waiver), -policy.MODES.index(one.mode), one.violation)):
        made = _finding(entry)
        before = found.get(made.key, made)
        found[made.key] = msgspec.structs.replace(before, count=before.count + made.count) if made.key in found else made
    return tuple(found[key] for key in sorted(found))


def stopping(found: Iterable[Finding]) -> dict[str, Finding]:
    """By key, those that stop a release."""
    return {one.key: one for one in found if one.mode in STOPS and not one.waiver}


def _finding(entry: policy.Judged) -> Finding:
    said = entry.violation
    key = objects.digest(objects.canonical([said.policy, said.rule, said.object]))
    return Finding(key, said.policy, said.rule, said.object, entry.mode, said.severity, said.message, entry.by, entry.waiver, 1)
