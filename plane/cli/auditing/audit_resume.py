"""How far an export that broke off has come: its file is cut behind the last thing that is whole, and the plane goes on from there."""

import contextlib
import errno
import json
import pathlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from plane.cli import failures

Asked = dict[str, Any]
Come = tuple[int, int]  # bytes to keep, and what to ask the plane for
CHUNK = 1 << 20
LONGEST = 1 << 22  # bytes of a signed state with its counts
GZIP = 31  # zlib's window bits that mean a gzip member


@contextlib.contextmanager
def broken_off(path: pathlib.Path, note: pathlib.Path) -> Iterator[None]:
    """What ends an export before it is whole says how to go on, where the note says that it can."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise failures.WrongUse(f"{error.filename or path}: cannot be used ({error.strerror})") from error
        sentence = f"{path}: there is no room left; make some, and run the export again"
        raise failures.Failed(sentence, code=failures.AWAY, details=_way_on(note)) from error
    except failures.Failed as error:
        error.details += _way_on(note) if error.code == failures.AWAY else ()
        raise


def _way_on(note: pathlib.Path) -> tuple[str, ...]:
    if not note.is_file():
        return ()
    goes_on = ": it goes on there with --resume" if _noted(note)[1] in _LOOKS else ""
    return (f"the file ends where the export broke off{goes_on}",)


def remember(note: pathlib.Path, asked: Asked) -> None:
    """Keep what was asked for: all of it or, when the process is killed or there is no room, what was there before."""
    fresh = note.with_name(f"{note.name}.new")
    try:
        fresh.write_text(json.dumps(asked), encoding="utf-8")
        fresh.replace(note)
    finally:
        fresh.unlink(missing_ok=True)


def _noted(note: pathlib.Path) -> tuple[Asked, tuple[str, str]]:
    """What was asked for, and in which format and compression."""
    try:
        asked: Asked = json.loads(note.read_text(encoding="utf-8"))
        return asked, (asked["format"], asked["compression"])
    except (ValueError, KeyError, TypeError) as error:
        raise failures.WrongUse(f"{note}: is not what an export left there; remove it, and run the export without --resume") from error


def begin(path: pathlib.Path, note: pathlib.Path) -> Asked:
    """What the broken export was asked for, and where it goes on; WrongUse when it cannot."""
    if not note.is_file():
        raise failures.WrongUse(f"{note}: is not there, so no export to {path} was broken off; run it without --resume")
    asked, form = _noted(note)
    if form not in _LOOKS:
        raise failures.WrongUse(
            f"an export as {form[0]} with compression {form[1]} cannot be resumed: nothing in it says how far it is whole; "
            "run it again without --resume, and with --compress none if it may break off again"
        )
    with path.open("r+b") as file:
        keep, place = _LOOKS[form](file)
        file.truncate(keep)
    return {**asked, "resume": place}


def _state(line: bytes) -> int:
    """The size that a line signs; 0 when it is no signed state, or not all of it."""
    if not (line.startswith(b'{"checkpoint":') and line.endswith(b"}\n")):
        return 0
    size: int = json.loads(line)["checkpoint"]["size"]
    return size


def _states(file: BinaryIO) -> Come:
    """Behind the last signed state."""
    keep, place, offset = 0, 0, 0
    for line in file:
        offset += len(line)
        if size := _state(line):
            keep, place = offset, size
    return keep, place


def _members(file: BinaryIO) -> Come:
    """Behind the last gzip member that ends with a signed state."""
    keep, place, offset = 0, 0, 0
    for end, tail in _unpacked(file):
        offset = end
        if size := _state(tail.rpartition(b"\n")[0].rpartition(b"\n")[2] + tail[-1:]):
            keep, place = offset, size
    return keep, place


def _unpacked(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Where each whole member ends, and the end of its text."""
    made, tail, offset = zlib.decompressobj(GZIP), b"", 0
    while chunk := file.read(CHUNK):
        while chunk:
            tail = (tail + made.decompress(chunk))[-LONGEST:]
            offset += len(chunk) - len(made.unused_data)
            chunk = made.unused_data
            if made.eof:
                yield offset, tail
                made, tail = zlib.decompressobj(GZIP), b""


def _lines(file: BinaryIO, place: Callable[[Any], int]) -> Come:
    """Behind the last whole line."""
    keep, last = 0, b""
    for line in file:
        if line.endswith(b"\n"):
            keep, last = keep + len(line), line
    return keep, place(json.loads(last)) + 1 if last else 0


def _records(file: BinaryIO) -> Come:
    """Behind the last record of a CSV; one that spans lines has an odd number of quotes before its end."""
    keep, offset, first, quotes, last = 0, 0, b"", 0, b""
    for line in file:
        first = first or line
        offset, quotes = offset + len(line), quotes + line.count(b'"')
        if line.endswith(b"\r\n") and quotes % 2 == 0:
            keep, last, first = offset, first, b""
    number = last.partition(b",")[0]
    return (keep, int(number) + 1) if number.isdigit() else (0, 0)


_LOOKS: dict[tuple[str, str], Callable[[BinaryIO], Come]] = {
    ("jsonl", "none"): _states,
    ("jsonl", "gzip"): _members,
    ("csv", "none"): _records,
    ("ocsf", "none"): lambda file: _lines(file, lambda one: int(one["metadata"]["sequence"])),
    ("cloudevents", "none"): lambda file: _lines(file, lambda one: int(one["sequence"])),
}
