"""The verifier reads the lines of an export whatever somebody is called, and takes no other line for one."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.cli.auditing import audit_parallel, verifier
from plane.domain import objects
from plane.domain.auditing import audit, audit_formats

NAMES = st.text(max_size=40) | st.sampled_from(['}},"event":{', '{"a":{"b":"}"}}', '"}}\n{"event":{', "}", '\\"}},"event":'])


def row(place: int, name: str, message: str = "") -> audit.Placed:
    actor = audit.By("01900000-0000-7000-8000-000000000001", name=name, kind="user")
    event = audit.Event(
        id=f"01900000-0000-7000-8000-{place:012x}",
        time="2026-01-01T10:00:00.000000Z",
        type="app.updated",
        actor=actor,
        tenant="00000000-0000-7000-8000-00000000acfe",
        message=message,
    )
    told, personal = audit.apart(event, b"s" * 16)
    body = objects.canonical(told)
    return audit.Placed(place, audit.leaf_of(body), body, b"s" * 16 if personal else b"", personal)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5), st.integers(0, 40))
def test_a_row_is_read_whatever_its_person_and_message_are(said: list[tuple[str, str]], first: int) -> None:
    rows = [row(first + number, *each) for number, each in enumerate(said)]
    [(kind, run)] = verifier.read(b"".join(map(audit_formats.event_line, rows)))
    assert (kind, run.first, run.end(), run.found, run.renamed) == ("run", first, first + len(rows), {}, [])
    assert run.leaves == b"".join(one.leaf for one in rows)


@pytest.mark.parametrize("odd", [b'{"event":{}}', b"x", b'{"event":{"seq":1,"leaf":"00","event":{}}}', b"{}"], ids=str)
def test_a_line_that_no_export_has_parts_the_rows_and_is_named(odd: bytes) -> None:
    lines = [audit_formats.event_line(row(place, "eve")) for place in (3, 4)]
    kinds = [(kind, value if kind == "garbage" else value.first) for kind, value in verifier.read(odd.join([lines[0], b"\n" + lines[1]]))]
    assert kinds == [("run", 3), ("garbage", odd.decode()), ("run", 4)]


def test_something_behind_an_event_makes_its_line_another() -> None:
    line = audit_formats.event_line(row(0, "eve")).rstrip()
    assert [kind for kind, _ in verifier.read(line + b" }}x\n")] == ["garbage"]


def test_places_that_do_not_follow_each_other_are_two_runs() -> None:
    told = b"".join(audit_formats.event_line(row(place, "eve")) for place in (0, 1, 5, 6, 2))
    assert [(run.first, run.end()) for _, run in verifier.read(told)] == [(0, 2), (5, 7), (2, 3)]


@pytest.mark.parametrize("block", [97, 1000])
def test_a_file_read_in_blocks_has_every_line_once(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(verifier, "BLOCK", block)
    text = b"".join(audit_formats.event_line(row(place, "eve" * place)) for place in range(20))
    (tmp_path / "log.jsonl").write_bytes(text)
    found = [run for kind, run in audit_parallel.parts_of(str(tmp_path / "log.jsonl")) if kind == "run"]
    assert [place for run in found for place, _ in run.rows()] == list(range(20))
