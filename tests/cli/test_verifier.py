"""The verifier reads the lines of an export whatever somebody is called, and takes no other line for one."""

import pathlib

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from plane.cli.auditing import audit_parallel, verifier
from plane.domain import objects
from plane.domain.auditing import audit, audit_formats
from tests.support import verifying

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
    assert (kind, run.first, run.end, run.found, run.renamed) == ("run", first, first + len(rows), {}, [])
    assert run.leaves == [one.leaf for one in rows]


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
    assert [(run.first, run.end) for _, run in verifier.read(told)] == [(0, 2), (5, 7), (2, 3)]


@pytest.mark.parametrize("block", [97, 1000])
def test_a_file_read_in_blocks_has_every_line_once(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(verifier, "BLOCK", block)
    text = b"".join(audit_formats.event_line(row(place, "eve" * place)) for place in range(20))
    (tmp_path / "log.jsonl").write_bytes(text)
    found = [run for kind, run in audit_parallel.parts_of(str(tmp_path / "log.jsonl")) if kind == "run"]
    assert [place for run in found for place in range(run.first, run.end)] == list(range(20))


KEY = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = audit.b64(KEY.public_key().public_bytes_raw())
BATCHES = (3, 4, 2)


def export() -> list[str]:
    """A whole log as a file has it."""
    lines: list[bytes] = []
    rows: list[audit.Placed] = []
    peaks: tuple[bytes, ...] = ()
    point = audit.Checkpoint("plane/log", 0, "", "")
    for count in BATCHES:
        new = [row(len(rows) + number, f"eve {number}") for number in range(count)]
        peaks = audit.extend(peaks, len(rows), [one.leaf for one in new])
        rows += new
        told = audit.tally(audit.Facets("", "app.updated", one.leaf.hex()) for one in new)
        point = audit.Checkpoint("plane/log", len(rows), audit.fold(peaks).hex(), "2026-01-01T10:00:00Z", "", PUBLIC, told)
        point = msgspec.structs.replace(point, signature=audit.b64(KEY.sign(point.text())), peaks=tuple(peak.hex() for peak in peaks))
        lines += [*map(audit_formats.event_line, new), audit_formats.checkpoint_line(point)]
    manifest = {"origin": "plane/log", "first": 0, "end": len(rows), "events": len(rows), "root": point.root, "filters": {}, "key": PUBLIC}
    signed = audit.b64(KEY.sign(verifier.MANIFEST_CONTEXT + objects.canonical(manifest)))
    return b"".join([*lines, b'{"manifest":%b}' % objects.canonical(manifest | {"signature": signed})]).decode().splitlines()


FILE = export()
STATES = [at for at, line in enumerate(FILE) if line.startswith('{"checkpoint"')]


def test_a_file_that_nobody_touched_is_whole() -> None:
    assert verifying.verified(FILE).findings == []


def forged(at: int) -> str:
    """Another event with a leaf to match in place of the one there."""
    return audit_formats.event_line(row(at, "mallory")).decode().rstrip()


def test_a_state_without_its_tree_at_the_beginning_hides_no_altered_event() -> None:
    """The peaks are not signed: whoever takes them out must not get by with another event behind them."""
    state, *rest = FILE[STATES[0] :]
    bare = state[: state.index('"peaks"')] + '"peaks":[]}}'
    for lines in ([bare, *rest], [bare, forged(3), *rest[1:]]):
        assert "comes without its tree" in verifying.verified(lines, part=True).findings[0]
    assert verifying.verified([state, *rest], part=True).findings == ["the file holds 6 events, its manifest promises 9"]


@given(
    st.integers(0, len("\n".join(FILE).encode()) - 1),
    st.integers(0, 4),
    st.binary(max_size=3) | st.sampled_from([b"\n", b'"', b"}", b"[" * 9999]),
)
def test_whatever_is_altered_is_found_or_changes_no_event(at: int, length: int, put: bytes) -> None:
    text = "\n".join(FILE).encode()
    altered = text[:at] + put + text[at + length :]
    found = verifier.Verifier().take(verifier.parts([altered]))
    events = [[line[3:5] for line in verifier.LINE.findall(one) if line[0]] for one in (text, altered)]
    assert str(found)
    assert found.findings or events[0] == events[1]


@pytest.mark.parametrize("told", [b"audit.read", b'audit.key.changed","details":{"before":7}', b'audit.retention.applied","details":[]'])
def test_an_event_about_the_log_that_says_nonsense_is_no_crash(told: bytes) -> None:
    for end in (b'"}', b""):
        body = b'{"id":"%b","time":"%b","type":"%b%b' % (b"0" * 36, b"0" * 27, told, end)
        line = audit_formats.event_line(audit.Placed(0, audit.leaf_of(body), body))
        assert str(verifier.Verifier().take(verifier.parts([line])))


@pytest.mark.parametrize(
    "odd", ['{"gap":{"first":5,"end":2,"nodes":["00"]}}', '{"gap":{"first":9,"end":12,"nodes":[]}}', '{"manifest":{"filters":7}}']
)
def test_a_line_that_lacks_what_it_must_have_is_named(odd: str) -> None:
    assert any("a line that no export has" in one for one in verifying.verified([*FILE[:4], odd, *FILE[4:]]).findings)
