"""The form of a declarative rule: clauses about conditions and fields, tried in order; the first that holds decides."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from plane.domain import kinds
from plane.domain.health import health_values
from plane.domain.health.health_values import Health, Status

CONDITIONS = "status.conditions"
UNSEEN = Health("Progressing", "its controller has not seen the newest spec yet")
UNTOUCHED = "waiting for its controller"
_NOTHING: tuple[object, ...] = (None, "", [], {})


class Test(msgspec.Struct, frozen=True):
    """What one clause looks at.

    Attributes:
        path: dotted, `*` for every item of a list or entry of a map, `-1` for a list's last. Leads to conditions, or to a field when
            `condition` is empty.
        condition: the condition's type; `*` any type.
        values: the words that hold, `*` at the end for any that begins so; empty: anything that is there and not empty.
        other: another field; it holds when both are there and equal. `below`: when it is a smaller number than that field.
        whole: it holds for a text such as `3/3`, ready of wanted.
        absent: it holds where there is nothing, or nothing in it.
        reasons: of a condition; empty: any.
        severities: of a condition; empty: any.
    """

    path: str
    condition: str = ""
    values: tuple[object, ...] = ()
    reasons: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    other: str = ""
    below: str = ""
    whole: bool = False
    absent: bool = False


class Clause(msgspec.Struct, frozen=True):
    """A test and what it decides. Where a path leads to several places, Healthy needs all of them, every other status one.

    `also`: tests that must hold as well. A condition that was written for an older generation than the object's says nothing.
    """

    status: Status
    test: Test
    also: tuple[Test, ...] = ()


class Rule(msgspec.Struct, frozen=True):
    """How a kind is judged.

    Attributes:
        otherwise: when no clause holds.
        untouched: when the object has no status at all and no clause about its spec holds.
        message: a dotted field with a sentence for people, where a clause about a field decides; of several by `|` the first that is there.
    """

    clauses: tuple[Clause, ...] = ()
    otherwise: Status = "Progressing"
    untouched: Status = "Progressing"
    message: str = "status.message"


Table = Mapping[kinds.Kind, Rule]
Globs = tuple[tuple[str, str, Rule], ...]  # group and kind as globs


def when(status: Status, condition: str, values: str = "True", *reasons: str, at: str = CONDITIONS, severity: str = "") -> Clause:
    """A clause about a condition; several words by `|`."""
    return Clause(status, Test(at, condition, tuple(values.split("|")), reasons, tuple(severity.split("|")) if severity else ()))


def field(status: Status, path: str, *values: object) -> Clause:
    """A clause about a field."""
    return Clause(status, Test(path, values=values))


def flag(status: Status, path: str, *, value: bool = True) -> Clause:
    """A clause about a field that is true or false."""
    return Clause(status, Test(path, values=(value,)))


def absent(status: Status, path: str) -> Clause:
    """A clause about a field that is not there, or holds nothing."""
    return Clause(status, Test(path, absent=True))


def equal(status: Status, path: str, other: str) -> Clause:
    """A clause about two fields that are the same."""
    return Clause(status, Test(path, other=other))


def whole(status: Status, path: str) -> Clause:
    """A clause about a text that says how many are ready of how many, where that is all of them."""
    return Clause(status, Test(path, whole=True))


def below(status: Status, path: str, other: str) -> Clause:
    """A clause about a number smaller than another."""
    return Clause(status, Test(path, below=other))


def both(clause: Clause, *others: Clause) -> Clause:
    """The clause, where the others hold too."""
    return Clause(clause.status, clause.test, tuple(one.test for one in others))


def judge(rule: Rule, body: dict[str, Any]) -> Health:
    """What a rule says of an object.

    Raises:
        Malformed: a field on the way holds another type than the kind has there.
    """
    behind = not _is_seen(body)
    for clause in rule.clauses:
        about_status = any(test.path.startswith("status") for test in (clause.test, *clause.also))
        held = None if about_status and behind else _held(clause, body, rule)
        if held is not None:
            return Health(clause.status, held)
    if not health_values.part(body, "status"):
        return Health(rule.untouched, UNTOUCHED if rule.untouched == "Progressing" else "")
    if behind or any(_is_stale(body, entry) for entry in _entries(body)):
        return UNSEEN
    return Health(rule.otherwise, _words(body, rule.message) or _ready(body))


def _is_seen(body: dict[str, Any]) -> bool:
    """Some kinds write observedGeneration as text, a few as the hash of a spec; the latter tells nothing."""
    seen = health_values.part(body, "status").get("observedGeneration")
    generation = health_values.part(body, "metadata").get("generation")
    return not str(seen).isdecimal() or not isinstance(generation, int) or int(str(seen)) >= generation or int(str(seen)) == 0


def _held(clause: Clause, body: dict[str, Any], rule: Rule) -> str | None:
    """The message of a clause that holds."""
    every = clause.status == "Healthy"
    if any(_said(test, body, rule, every=every) is None for test in clause.also):
        return None
    return _said(clause.test, body, rule, every=every)


def _said(test: Test, body: dict[str, Any], rule: Rule, *, every: bool) -> str | None:
    places = list(_at(body, test.path.split(".")))
    if test.absent:
        return _words(body, rule.message) if not any(place not in _NOTHING for place in places) else None
    if test.condition:
        fresh = [[entry for entry in _listed(place) if not _is_stale(body, entry)] for place in places]
        said = [_condition(test, entries) for place, entries in zip(places, fresh, strict=True) if entries or not place]
    else:
        others = list(_at(body, (test.other or test.below).split("."))) if test.other or test.below else []
        said = [_field(test, place, body, rule, _beside(others, n)) for n, place in enumerate(places)]
    if not said or (every and None in said):
        return None
    return next((each for each in said if each is not None), None)


def _is_stale(body: dict[str, Any], entry: object) -> bool:
    """Whether a condition speaks of an older generation."""
    seen = entry.get("observedGeneration") if isinstance(entry, dict) else None
    generation = health_values.part(body, "metadata").get("generation")
    return isinstance(seen, int) and isinstance(generation, int) and seen < generation


def _listed(place: object) -> list[Any]:
    return place if isinstance(place, list) else [place] if isinstance(place, dict) else []


def _condition(test: Test, written: list[Any]) -> str | None:
    for entry in written:
        if isinstance(entry, dict) and test.condition in ("*", entry.get("type")) and _fits(test, entry):
            why = (health_values.text(entry, "reason"), health_values.text(entry, "message"))
            return ": ".join(part for part in why if part)
    return None


def _fits(test: Test, entry: dict[str, Any]) -> bool:
    return (
        str(entry.get("status")) in test.values
        and (not test.reasons or entry.get("reason") in test.reasons)
        and (not test.severities or entry.get("severity") in test.severities)
    )


def _beside(others: list[Any], n: int) -> object:
    """What the place of this number is compared with: one value for all, or each its own."""
    return others[0] if len(others) == 1 else others[n] if n < len(others) else None


def _field(test: Test, value: object, body: dict[str, Any], rule: Rule, other: object) -> str | None:
    if test.other or test.below:
        holds = _compares(test, value, other)
    elif test.whole:
        holds = isinstance(value, str) and value.partition("/")[0] == value.partition("/")[2]
    elif test.values:
        holds = any(_is_word(value, word) for word in test.values)
    else:
        holds = value not in (*_NOTHING, False)
    return (_words(body, rule.message) or (value if isinstance(value, str) else "")) if holds else None


def _is_word(value: object, word: object) -> bool:
    if isinstance(value, str) and isinstance(word, str) and word.endswith("*"):
        return value.startswith(word[:-1])
    return type(value) is type(word) and value == word


def _compares(test: Test, value: object, other: object) -> bool:
    if test.below:
        return type(value) is int and type(other) is int and value < other
    return type(value) is type(other) and value == other


def _words(body: dict[str, Any], paths: str) -> str:
    found = (next(_at(body, path.split(".")), "") for path in paths.split("|"))
    return next((words for words in found if words and isinstance(words, str)), "")


def _ready(body: dict[str, Any]) -> str:
    """Whatever the kind's Ready condition says."""
    found = next((entry for entry in _entries(body) if entry.get("type") in ("Ready", "Available")), {})
    return ": ".join(part for part in (health_values.text(found, "reason"), health_values.text(found, "message")) if part)


def _entries(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return health_values.entries(health_values.part(body, "status"), "conditions")


def _at(body: Any, path: list[str]) -> Iterator[Any]:  # noqa: ANN401 any JSON data
    if not path:
        yield body
    elif path[0] == "*":
        for item in body if isinstance(body, list) else body.values() if isinstance(body, dict) else ():
            yield from _at(item, path[1:])
    elif path[0] == "-1" and isinstance(body, list):
        yield from _at(body[-1], path[1:]) if body else ()
    elif isinstance(body, dict):
        # A name may hold dots: `metadata.annotations.x.example/paused`.
        for end in range(1, len(path) + 1):
            name = ".".join(path[:end])
            if name in body:
                yield from _at(body[name], path[end:])
                return
