"""How much of what rules say is kept: a rule that breaks on everything, or says a book each time, fills no table."""

import collections
from collections.abc import Iterable

import msgspec

from plane.domain import objects
from plane.domain.judging import policy

MOST = 1000  # violations of a verdict; nobody reads more, and every look at the app reads them
TEXT = 2000  # characters of each text of a violation
_TEXTS = ("policy", "rule", "object", "message", "severity", "path", "remedy")
_MARK = 64  # characters that say what was left out


def shortened(violations: Iterable[policy.Violation]) -> tuple[policy.Violation, ...]:
    """The same with texts of bounded length, each of which still names what it was, and without NUL, which no database keeps."""
    return tuple(_shortened(one) for one in violations)


def bounded(verdict: policy.Verdict) -> policy.Verdict:
    """The strictest that fit, sorted, and how many of each mode were left out; `whole` names all of them."""
    if len(verdict.judged) <= MOST:
        return verdict
    ranked = sorted(verdict.judged, key=lambda one: (bool(one.waiver), -policy.MODES.index(one.mode), one.violation))
    left = collections.Counter(one.mode for one in ranked[MOST:] if not one.waiver)
    waived = sum(bool(one.waiver) for one in ranked[MOST:])
    counts = dict(sorted(left.items())) | ({"waived": waived} if waived else {})
    whole = objects.digest(objects.canonical(verdict.judged))
    kept = tuple(sorted(ranked[:MOST], key=lambda one: one.violation))
    return msgspec.structs.replace(verdict, judged=kept, left_out=counts, whole=whole)


def _shortened(violation: policy.Violation) -> policy.Violation:
    odd = {name: text for name in _TEXTS if len(text := getattr(violation, name)) > TEXT or "\0" in text}
    return msgspec.structs.replace(violation, **{name: kept(text) for name, text in odd.items()}) if odd else violation


def kept(text: str) -> str:
    """As much of a text as is kept."""
    bare = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return bare if len(bare) <= TEXT else _cut(bare)


def _cut(text: str) -> str:
    named = objects.digest(text.encode("utf-8", "replace"))[:19]
    return f"{text[: TEXT - _MARK]}… ({len(text):,} characters, {named})"
