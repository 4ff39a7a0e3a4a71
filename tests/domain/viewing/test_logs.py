"""Lines of logs."""

from typing import Any

import pytest

from plane.domain import objects
from plane.domain.viewing import logs
from tests.support import cases

A = logs.Source(objects.ObjectKey("", "Pod", "shop", "a"), "main")
B = logs.Source(objects.ObjectKey("", "Pod", "shop", "b"), "main")


@pytest.mark.parametrize(("name", "case"), cases.named("logs"))
def test_the_containers_that_are_meant(name: str, case: dict[str, Any]) -> None:
    pod = {"metadata": {"annotations": case.get("annotations")}, "spec": case["spec"]}
    found = logs.containers(pod, named=case.get("named", ""), every=case.get("every", False))
    assert list(found) == case["containers"], name


def test_lines_of_several_containers_come_by_time() -> None:
    raw = [
        (A, b"2026-01-01T00:00:02.5Z two"),
        (A, b"2026-01-01T00:00:02.25Z before two by its clock"),
        (B, b"2026-01-01T00:00:02Z one"),
        (B, b"2026-01-01T00:00:02.500000001Z three"),
        (B, b"a line without a time"),
    ]
    merged = logs.merged(logs.read(line, source) for source, line in raw)
    assert [line.text for line in merged] == ["one", "two", "before two by its clock", "three", "a line without a time"]


def test_a_line_keeps_its_spaces_and_loses_what_is_too_long() -> None:
    assert logs.read(b"2026-01-01T00:00:02Z   indented", A).text == "  indented"
    assert logs.read(b"2026-01-01T00:00:02Z ", A).text == ""
    assert logs.read(b"x" * (logs.LONGEST + 1), A).text.endswith(logs.CUT)


def test_a_text_chooses_lines_and_leaves_lines_out() -> None:
    lines = ["error: no", "all well"]
    assert [line for line in lines if logs.Choice("error").passes(line)] == ["error: no"]
    assert [line for line in lines if logs.Choice("!error").passes(line)] == ["all well"]
    assert [line for line in lines if logs.Choice().passes(line)] == lines
