"""Types of events are published before they are used, and what was written once reads the same for ever."""

import ast
import json
import pathlib
import re

import jsonschema
import msgspec
import pytest

from plane.cli.auditing import audit_delivery, audit_reports
from plane.domain import objects
from plane.domain.auditing import audit, audit_types, sinks
from tests.architecture import source

GOLDEN = pathlib.Path(__file__).parents[2] / "cases" / "audit" / "events.jsonl"
SCHEMA = json.loads((source.ROOT / "docs" / "audit-events.schema.json").read_text())
TYPE = re.compile(r"(app|agent|access|plane|cluster|tenant|token|rolebinding|audit|sink|object|project)(\.[a-z-]+)+")
LOGGED = frozenset({"debug", "info", "warning", "error", "exception"})


def test_the_published_schema_is_the_codes() -> None:
    assert json.loads(msgspec.json.encode(audit_types.schema())) == SCHEMA


def test_every_type_that_the_plane_writes_is_published() -> None:
    used = {text for path in source.files("plane/server") for text in _texts(source.tree(path)) if TYPE.fullmatch(text)}
    assert {text for text in used if text not in audit_types.TYPES} == set()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("app.sync.complete", "did you mean app.sync.completed or"),
        ("apps.*", "did you mean app.* or"),
        ("app.sync", "did you mean app.sync.* or"),
        ("", "they begin with access.*, agent.*, app.*,"),
        ("nonsense", "they begin with access.*, agent.*, app.*,"),
    ],
)
def test_a_word_that_means_no_type_is_told_the_nearest(word: str, said: str) -> None:
    assert said in audit_types.unknown(["app.*", word])
    spec = sinks.SinkSpec(otlp=sinks.Otlp(url="https://siem.example"), types=("app.held", word))
    assert said in sinks.check(spec, platform=False)["spec.types"]


def test_what_reports_ask_for_is_there() -> None:
    asked = [filters["type"] for _, filters in audit_reports.REPORTS.values() if "type" in filters]
    assert audit_types.unknown(word for words in [*asked, audit_delivery.TYPES] for word in words.split(",")) == ""
    assert audit_types.unknown(audit_types.TYPES) == ""


def _texts(tree: ast.Module) -> set[str]:
    """Texts of a module, those of its own log aside."""
    logged = {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGGED
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)} - logged


@pytest.mark.parametrize("line", GOLDEN.read_text().splitlines(), ids=lambda line: json.loads(line)["event"]["type"])
def test_an_event_once_written_reads_and_hashes_the_same_for_ever(line: str) -> None:
    golden = json.loads(line)
    body = line.partition('"event":')[2][:-1].encode()  # the bytes as they were hashed
    jsonschema.validate(golden["event"], SCHEMA)
    assert objects.canonical(msgspec.json.decode(body, type=audit.Event)) == body
    assert audit.leaf_of(body).hex() == golden["leaf"]
