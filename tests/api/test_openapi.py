"""The document that describes the API is true of it."""

import re

import msgspec
import pytest

from plane.api import app, examples
from plane.wire import reading

FOUND = msgspec.json.decode(app.description())


@pytest.mark.parametrize("kind", list(examples.EXAMPLES), ids=lambda kind: kind.__name__)
def test_an_example_is_read_as_what_it_shows(kind: type) -> None:
    assert isinstance(reading.decode(msgspec.json.encode(examples.EXAMPLES[kind]), kind), kind)


def test_every_reference_leads_somewhere() -> None:
    wanted = set(re.findall(r'"#/components/(\w+)/([^"]+)"', app.description().decode()))
    assert [(part, name) for part, name in sorted(wanted) if name not in FOUND["components"][part]] == []


def test_every_operation_has_its_own_name() -> None:
    names = [operation["operationId"] for path in FOUND["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
