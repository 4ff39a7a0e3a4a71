"""A line per type pins what its events hold in `details`; `python -m tests.domain.auditing.test_audit_details` adds new ones."""

import json
import pathlib
import types
import typing
from typing import Any

import jsonschema
import msgspec
import pytest

from plane.domain import objects
from plane.domain.auditing import audit_types, details
from plane.wire import local, planned, rest
from tests.architecture import source

FILE = pathlib.Path(__file__).parents[2] / "cases" / "audit" / "details.jsonl"
GOLDEN = [(line["type"], line["details"]) for line in map(json.loads, FILE.read_text().splitlines())]
SCHEMA = json.loads((source.ROOT / "docs" / "audit-events.schema.json").read_text())


def example(kind: Any) -> Any:  # noqa: ANN401 - of the kind
    """A value with everything set."""
    plain = {str: "a", int: 7, float: 1.5, bool: True, Any: {"b": 1}}
    if kind in plain:
        return plain[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{name: example(of) for name, of in typing.get_type_hints(kind).items()})
    if typing.get_origin(kind) is typing.Literal:
        return typing.get_args(kind)[0]
    of = [one for one in typing.get_args(kind) if one not in {types.NoneType, Ellipsis}]
    if typing.get_origin(kind) is tuple:
        return (example(of[0]),)
    return {"a": example(of[1])} if typing.get_origin(kind) is dict else example(of[0])


def written(name: str) -> dict[str, Any]:
    """An example of the type's details as they are written."""
    return plain(example(audit_types.DETAILS[name]))


def plain(made: details.Details) -> dict[str, Any]:
    """As JSON."""
    found: dict[str, Any] = json.loads(msgspec.json.encode(made))
    return found


def unpinned() -> list[str]:
    """Types with a field that no line has."""
    return [
        name
        for name in sorted(audit_types.DETAILS)
        if written(name).keys() - {field for of, said in GOLDEN if of == name for field in said}
    ]


@pytest.mark.parametrize(("name", "golden"), GOLDEN, ids=[f"{line}-{name}" for line, (name, _) in enumerate(GOLDEN, 1)])
def test_details_are_written_and_read_as_they_always_were(name: str, golden: dict[str, Any]) -> None:
    assert {field: value for field, value in written(name).items() if field in golden} == golden
    assert plain(msgspec.convert(golden, audit_types.DETAILS[name])) == golden
    shape = audit_types.DETAILS[name].__name__
    jsonschema.Draft202012Validator({"$ref": f"#/$defs/{shape}", "$defs": SCHEMA["$defs"]}).validate(golden)


def test_every_field_of_details_is_pinned() -> None:
    """`python -m tests.domain.auditing.test_audit_details` adds lines for new ones."""
    assert unpinned() == []


def test_only_types_that_are_published_have_details() -> None:
    assert audit_types.DETAILS.keys() - audit_types.TYPES.keys() == set()


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (rest.Sync, details.Asked),
        (local.LocalSync, details.Asked),
        (rest.Rollback, details.RollbackAsked),
        (planned.KeepPlan, details.PlanKept),
    ],
)
def test_what_somebody_asked_for_is_kept_whole(body: type[msgspec.Struct], shape: type[msgspec.Struct]) -> None:
    assert set(body.__struct_fields__) - set(shape.__struct_fields__) == set()


def test_details_that_say_nothing_beyond_the_needed_leave_it_out() -> None:
    assert msgspec.to_builtins(details.Token(token="t", name="n")) == {"token": "t", "name": "n"}


if __name__ == "__main__":
    with FILE.open("a") as file:
        for name in unpinned():
            file.write(objects.canonical({"type": name, "details": written(name)}).decode() + "\n")
