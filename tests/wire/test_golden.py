"""An agent and a plane of different versions understand each other as long as these hold. Golden files are added, never changed."""

from typing import Any

import msgspec
import pytest

from plane.wire import agent, journal, scripted
from tests.wire import samples


def golden(name: str) -> bytes:
    return (samples.GOLDEN / f"{name}.msgpack").read_bytes()


def fields(message: object) -> set[str]:
    """`Struct.field` of everything that is not at its default, below a message."""
    if isinstance(message, tuple):
        return set().union(*map(fields, message))
    if not isinstance(message, msgspec.Struct):
        return set()
    found = {field.name: getattr(message, field.name) for field in msgspec.structs.fields(message)}
    defaults = {field.name: field.default for field in msgspec.structs.fields(message)}
    set_here = {f"{type(message).__name__}.{name}" for name, value in found.items() if value != defaults[name]}
    return set_here.union(*map(fields, found.values()))


def lost(old: Any, new: Any, at: str = "") -> list[str]:  # noqa: ANN401 - plain data
    """Where new data lacks or changes what the old has; keys that were added do not count."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [place for key, value in old.items() for place in lost(value, new.get(key), f"{at}/{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [place for number, value in enumerate(old) for place in lost(value, new[number], f"{at}/{number}")]
    return [] if old == new else [at]


@pytest.mark.parametrize("name", samples.MESSAGES)
def test_a_message_is_written_as_it_always_was(name: str) -> None:
    written = msgspec.msgpack.decode(agent.encode(samples.MESSAGES[name]))
    assert lost(msgspec.msgpack.decode(golden(name)), written) == []


@pytest.mark.parametrize("name", samples.MESSAGES)
def test_a_message_is_read_as_it_always_was(name: str) -> None:
    assert msgspec.msgpack.decode(golden(name), type=type(samples.MESSAGES[name])) == samples.MESSAGES[name]


@pytest.mark.parametrize("name", samples.MESSAGES)
def test_a_field_of_a_newer_version_is_passed_over(name: str) -> None:
    newer: dict[str, Any] = msgspec.msgpack.decode(golden(name)) | {"of_next_year": [1, {"a": b"b"}]}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(newer), type=type(samples.MESSAGES[name])) == samples.MESSAGES[name]


def test_every_field_of_the_protocol_is_in_a_golden_file() -> None:
    """A new field goes into a new sample; `python -m tests.wire.samples` then writes its file."""
    named = {**vars(agent), **vars(scripted), **vars(journal), "Seal": None}.values()  # which is no message
    structs = [one for one in named if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    known = {f"{one.__name__}.{field.name}" for one in structs for field in msgspec.structs.fields(one)}
    assert known - set().union(*map(fields, samples.MESSAGES.values())) == set()
