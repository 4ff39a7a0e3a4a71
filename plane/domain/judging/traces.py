"""Why a rule said what it said: its lines, and what each of them was while an engine evaluated them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from plane.domain import errors
from plane.domain.judging import decisions, policy

RELEASE = "release_violations"  # what a rule is asked once, about all objects
MOST = 5  # traces of one question; a person reads one
DEFINITIONS = 40  # of one trace
SAMPLES = 3  # of a line that held, and of one that did not: the first ones
TEXT = 200  # characters of a value, an expression, a line
FOUND = 20  # messages of one trace


class Wish(msgspec.Struct, frozen=True):
    """Which rule, and about which manifest by its number; None: about the release alone. `library`: with what rules share."""

    rule: str
    manifest: int | None = None
    library: bool = False


class Ask(msgspec.Struct, frozen=True):
    """What a person asks for, by names as violations have them; empty: any."""

    rule: str = ""
    object: str = ""
    library: bool = False


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line once. `values`: variable or part of the input → what it was; `expression`: what did not hold, with values put in."""

    outcome: Literal["held", "failed"]
    values: dict[str, str] = {}
    expression: str = ""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row with an expression. `held`, `failed`: how many times; a row that was not come to has neither."""

    row: int
    text: str = ""
    held: int = 0
    failed: int = 0
    samples: tuple[Sample, ...] = ()


class Definition(msgspec.Struct, frozen=True, omit_defaults=True):
    """One definition of a rule or function. `entered`: how many times it was begun, `held`: how many times it came to its end.

    `shipped`: its text comes with the plane, and anybody may read it.
    """

    name: str
    file: str
    row: int
    entered: int
    held: int
    lines: tuple[Line, ...] = ()
    shipped: bool = False


class Trace(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule about one object, or about the release. `found`: the messages of what it found, sorted; `more`: what was left out."""

    set: str
    rule: str
    object: str
    found: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    more: str = ""


class Asked(msgspec.Struct, frozen=True):
    """A set that may be asked. `rules`: as violations name them."""

    files: policy.PolicyFiles
    rules: tuple[str, ...]


def chosen(ask: Ask, found: Iterable[policy.Violation], sets: Mapping[str, Asked], keys: Sequence[str]) -> Iterator[tuple[str, Wish]]:
    """Which traces answer, by name of the set: of what was found, and of a rule that found nothing for each object it may be asked about.

    `keys`: the objects of the release, in their order.

    Raises:
        Invalid: there is no such rule or object.
    """
    numbers = {key: number for number, key in enumerate(keys)}
    about = [one for one in found if ask.rule in {"", one.rule} and ask.object in {"", one.object}]
    if about or not (ask.rule or ask.object):
        for name, rule, number in dict.fromkeys((one.policy, one.rule, numbers.get(one.object)) for one in about):
            yield name, Wish(rule, number, ask.library)
        return
    if ask.object and ask.object not in numbers:
        raise errors.Invalid({"object": f"the release has no {ask.object!r}; its first is {keys[0] if keys else 'none'}"})
    having = [(name, rule) for name, one in sets.items() for rule in one.rules if ask.rule in {"", rule}]
    if not having:
        raise errors.Invalid({"rule": f"no policy set here has a rule {ask.rule!r}"})
    for name, rule in having:
        yield from ((name, Wish(rule, number, ask.library)) for number in _asked_about(sets[name].files, rule, ask, numbers))


def _asked_about(files: policy.PolicyFiles, rule: str, ask: Ask, numbers: Mapping[str, int]) -> tuple[int | None, ...]:
    if files.style.combine or decisions.questions_of(files.files, rule) == (RELEASE,):
        return (None,)
    return (numbers[ask.object],) if ask.object else tuple(numbers.values())


def cut(text: str) -> str:
    """At most TEXT characters, the end replaced."""
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"


def without_texts(trace: Trace) -> Trace:
    """Rows and counts alone of what does not come with the plane: for who may not read the set."""
    bare = tuple(one if one.shipped else msgspec.structs.replace(one, lines=tuple(map(_bare, one.lines))) for one in trace.definitions)
    return msgspec.structs.replace(trace, definitions=bare)


def _bare(line: Line) -> Line:
    return msgspec.structs.replace(line, text="", samples=())
