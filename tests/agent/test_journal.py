"""The agent's own record on its disk: nothing that was synced is lost, wherever the agent is killed, and what is sent holds together."""

import contextlib
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plane.agent.kept import journal
from plane.wire import agent
from plane.wire import journal as wire

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
SEAL = wire.Seal("agent", KEY, 1)


def opened(folder: pathlib.Path) -> journal.Journal:
    return journal.Journal(folder / "journal", "disk", lambda: SEAL)


def noted(*counts: int) -> list[journal.Noted]:
    return [journal.noted(wire.Missed(count, "a test")) for count in counts]


def facts(book: journal.Journal, after: int = 0) -> list[wire.Fact]:
    """What stands in it after a place, once every hash, place and signature was checked."""
    found, end = [], journal.End(0, wire.origin(book.id))
    for frame in book.after(0, most_bytes=journal.ALL):
        assert (frame.first, frame.before) == (end.last + 1, end.hash)
        assert wire.signed_by(PUBLIC, "agent", book.id, frame)
        end = journal.End(frame.last, wire.chain(frame.before, frame.entries))
        entries = [journal._ENTRY.decode(one) for one in frame.entries]  # noqa: SLF001 - the bytes are what is sent
        assert [one.seq for one in entries] == list(range(frame.first, frame.last + 1))
        found += [one.fact for one in entries]
    assert end == book.end
    return found[after:]


@contextlib.contextmanager
def full(size: int) -> Iterator[None]:
    """No file may grow beyond this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_added_is_there_after_a_restart_and_goes_on(tmp_path: pathlib.Path) -> None:
    opened(tmp_path).add(noted(1, 2))
    book = opened(tmp_path)
    assert book.add(noted(3)) == 4  # after the journal's own first entry
    assert facts(book) == [wire.Begun("disk"), *(wire.Missed(n, "a test") for n in (1, 2, 3))]


def test_a_kill_at_any_byte_of_a_write_costs_that_write_alone(tmp_path: pathlib.Path) -> None:
    book = opened(tmp_path)
    book.add(noted(1))
    [file] = (tmp_path / "journal" / book.id).iterdir()
    before = file.stat().st_size
    book.add(noted(2, 3))
    whole = file.read_bytes()
    for size in range(before, len(whole), 5):
        file.write_bytes(whole[:size])
        found = opened(tmp_path)
        assert facts(found, 1) == [wire.Missed(1, "a test")]
        found.add(noted(4))
        assert facts(opened(tmp_path), 1) == [wire.Missed(1, "a test"), wire.Missed(4, "a test")]


def test_a_new_segment_that_was_never_written_whole_does_not_count(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 1)
    book = opened(tmp_path)
    book.add(noted(1))
    book.add(noted(2))
    newest = max((tmp_path / "journal" / book.id).iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    (tmp_path / "journal" / book.id / f"{9:020d}").touch()
    found = opened(tmp_path)
    assert facts(found, 1) == [wire.Missed(1, "a test")]
    found.add(noted(2))
    assert facts(opened(tmp_path), 1) == [wire.Missed(1, "a test"), wire.Missed(2, "a test")]


def test_a_journal_in_the_making_leaves_the_one_before_as_it_is(tmp_path: pathlib.Path) -> None:
    book = opened(tmp_path)
    book.add(noted(1))
    shutil.copytree(tmp_path / "journal" / book.id, tmp_path / "journal" / journal.FRESH)
    (tmp_path / "journal" / "000009-empty").mkdir()
    found = opened(tmp_path)
    assert found.id == book.id
    assert facts(found, 1) == [wire.Missed(1, "a test")]


def test_an_agent_killed_while_it_writes_has_all_it_was_told_of(tmp_path: pathlib.Path) -> None:
    writer = (
        "import pathlib, sys; from tests.agent import test_journal as t\n"
        "book = t.opened(pathlib.Path(sys.argv[1]))\n"
        "for n in range(10**6): print(book.add(t.noted(n)), flush=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", writer, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    told = [int(process.stdout.readline()) for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    told += [int(line) for line in process.stdout.read().splitlines()]
    process.stdout.close()
    book = opened(tmp_path)
    assert book.end.last >= told[-1]
    assert facts(book, 1) == [wire.Missed(n, "a test") for n in range(book.end.last - 1)]


def test_a_full_disk_refuses_a_write_and_takes_it_later(tmp_path: pathlib.Path) -> None:
    book = opened(tmp_path)
    book.add(noted(1))
    [file] = (tmp_path / "journal" / book.id).iterdir()
    with full(file.stat().st_size + 10), pytest.raises(OSError, match="File too large"):
        book.add(noted(2))
    assert facts(opened(tmp_path), 1) == [wire.Missed(1, "a test")]
    book.add(noted(2))
    assert facts(book, 1) == [wire.Missed(1, "a test"), wire.Missed(2, "a test")]


def test_what_the_plane_has_is_let_go_of_and_the_rest_is_bounded(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 1)
    book = opened(tmp_path)
    for n in range(journal.MOST_SEGMENTS + 5):
        book.add(noted(n))
    segments = list((tmp_path / "journal" / book.id).iterdir())
    assert len(segments) == journal.MOST_SEGMENTS
    [first, *_] = book.after(0)
    assert first.first == book.end.last - journal.MOST_SEGMENTS + 1
    book.sent(book.end.last - 2)
    assert len(list((tmp_path / "journal" / book.id).iterdir())) == journal.SENT_SEGMENTS + 2
    assert [frame.last for frame in book.after(book.end.last - 2)] == [book.end.last - 1, book.end.last]


def test_a_disk_that_was_put_back_does_not_agree_and_keeps_what_the_plane_lacks(tmp_path: pathlib.Path) -> None:
    book = opened(tmp_path)
    book.add(noted(1))
    shutil.copytree(tmp_path / "journal", tmp_path / "copy" / "journal")
    book.add(noted(2))
    known = wire.Known(seq=book.end.last, hash=book.end.hash)
    assert book.agrees(known)
    old = opened(tmp_path / "copy")
    old.add(noted(3))
    assert not old.agrees(known)
    old.add(noted(4))
    assert not old.agrees(known)
    old.begin(known, "it was put back")
    told, *rest = facts(opened(tmp_path / "copy"))
    assert told == wire.Begun("disk", before=book.id, last=4, reason="it was put back")
    assert rest == [wire.Missed(4, "a test")]


def test_whether_the_agent_was_stopped_is_known_at_its_next_start(tmp_path: pathlib.Path) -> None:
    opened(tmp_path).add(noted(1))
    assert not opened(tmp_path).clean
    opened(tmp_path).add([journal.noted(wire.Stopped())])
    assert opened(tmp_path).clean


def test_an_altered_entry_breaks_the_signature(tmp_path: pathlib.Path) -> None:
    book = opened(tmp_path)
    book.add(noted(1))
    [_, frame] = book.after(0)
    forged = wire.Frame(**{name: getattr(frame, name) for name in wire.Frame.__struct_fields__} | {"entries": (b"forged",)})
    assert wire.signed_by(PUBLIC, "agent", book.id, frame)
    assert not wire.signed_by(PUBLIC, "agent", book.id, forged)
    assert not wire.signed_by(PUBLIC, "another", book.id, frame)
    assert not wire.signed_by(PUBLIC, "agent", "another", frame)
    assert agent.encode(frame)
