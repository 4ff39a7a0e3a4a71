"""The form of a declarative rule: clauses about conditions and fields, tried in order; the first that holds decides."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from plane.domain import health_values, kinds
from plane.domain.health_values import Health, Status

CONDITIONS = "status.conditions"
UNSEEN = Health("Progressing", "its controller has not seen the newest spec yet")
UNTOUCHED = "waiting for its controller"


class Test(msgspec.Struct, frozen=True):
    """What one clause looks at.

    Attributes:
        path: dotted, `*` for every item of a list or entry of a map. Leads to conditions, or to a field when `condition` is empty.
        condition: the condition's type; `*` any type.
        values: the words that hold; empty: anything that is there and not empty.
        reasons: of a condition; empty: any.
        severities: of a condition; empty: any.
    """

    path: str
    condition: str = ""
    values: tuple[object, ...] = ()
    reasons: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()


class Clause(msgspec.Struct, frozen=True):
    """A test and what it decides. Where a path leads to several places, Healthy needs all of them, every other status one."""

    status: Status
    test: Test


class Rule(msgspec.Struct, frozen=True):
    """How a kind is judged.

    Attributes:
        otherwise: when no clause holds.
        untouched: when the object has no status at all and no clause about its spec holds.
        message: a dotted field with a sentence for people, where a clause about a field decides.
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


def judge(rule: Rule, body: dict[str, Any]) -> Health:
    """What a rule says of an object.

    Raises:
        Malformed: a field on the way holds another type than the kind has there.
    """
    behind = not _is_seen(body)
    for clause in rule.clauses:
        about_status = clause.test.path.startswith("status")
        held = None if about_status and behind else _held(clause, body, rule)
        if held is not None:
            return Health(clause.status, held)
    if not health_values.part(body, "status"):
        return Health(rule.untouched, UNTOUCHED if rule.untouched == "Progressing" else "")
    if behind:
        return UNSEEN
    return Health(rule.otherwise, _words(body, rule.message) or _ready(body))


def _is_seen(body: dict[str, Any]) -> bool:
    """Some kinds write observedGeneration as text, a few as the hash of a spec; the latter tells nothing."""
    seen = health_values.part(body, "status").get("observedGeneration")
    generation = health_values.part(body, "metadata").get("generation")
    return not str(seen).isdecimal() or not isinstance(generation, int) or int(str(seen)) >= generation


def _held(clause: Clause, body: dict[str, Any], rule: Rule) -> str | None:
    """The message of a clause that holds."""
    test = clause.test
    places = list(_at(body, test.path.split(".")))
    if not places:
        return None
    said = [_condition(test, place) if test.condition else _field(test, place, body, rule) for place in places]
    if clause.status == "Healthy" and any(each is None for each in said):
        return None
    return next((each for each in said if each is not None), None)


def _condition(test: Test, written: object) -> str | None:
    for entry in written if isinstance(written, list) else ():
        if isinstance(entry, dict) and test.condition in ("*", entry.get("type")) and _fits(test, entry):
            why = (health_values.text(entry, "reason"), health_values.text(entry, "message"))
            return ": ".join(part for part in why if part)
    return None


def _fits(test: Test, entry: dict[str, Any]) -> bool:
    return (
        entry.get("status") in test.values
        and (not test.reasons or entry.get("reason") in test.reasons)
        and (not test.severities or entry.get("severity") in test.severities)
    )


def _field(test: Test, value: object, body: dict[str, Any], rule: Rule) -> str | None:
    if test.values:
        holds = any(type(value) is type(word) and value == word for word in test.values)
    else:
        holds = value not in (None, "", [], {}, False)
    return (_words(body, rule.message) or (value if isinstance(value, str) else "")) if holds else None


def _words(body: dict[str, Any], path: str) -> str:
    found = next(_at(body, path.split(".")), "")
    return found if isinstance(found, str) else ""


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
    elif isinstance(body, dict):
        # A name may hold dots: `metadata.annotations.x.example/paused`.
        for end in range(1, len(path) + 1):
            name = ".".join(path[:end])
            if name in body:
                yield from _at(body[name], path[end:])
                return
