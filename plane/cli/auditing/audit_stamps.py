"""Time stamps of the record's states: `plane audit stamps`, and what `plane audit verify --authority` makes of them."""

import base64
import contextlib
import gzip
import json
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import click

from plane.adapters.trusting import stamps
from plane.cli import session
from plane.cli.auditing import audit_places, verifier
from plane.domain.auditing import audit

NAME = "rfc3161"  # of the line in a note
KIND, ALGORITHM = b"\xff", b"RFC 3161"  # 0xff: a kind of signature that the specification does not name
NOTE = re.compile(rf"((?:[^\n]+\n)+\n(?:\u2014 [^\n]+\n)+?)\u2014 {NAME} (\S+)\n")
ROW = b'"type":"audit.stamped"'


class Stamp(NamedTuple):
    """A signed state, and what an authority answered to its note."""

    origin: str
    size: int
    root: str  # hexadecimal
    note: str
    answer: bytes


def line(stamp: Stamp) -> str:
    """The note with the stamp as one more signature, which tools for notes pass over."""
    return f"{stamp.note}\u2014 {NAME} {audit.b64(audit.key_id(NAME, ALGORITHM, kind=KIND) + stamp.answer)}\n"


@click.command("stamps")
@session.placed
def show(where: session.Session) -> None:
    """Print the checkpoints that a time-stamping authority stamped, for `verify --witness`."""
    for stamp in of_log(where):
        click.echo(line(stamp), nl=False)


def found(where: session.Session, file: str | None, notes: Iterable[str]) -> list[Stamp]:
    """Those in an export, or else in the plane's record, and those that somebody keeps."""
    record = of_file(file) if file and file != "-" else of_log(where) if not file else ()
    return [*record, *of_notes(notes)]


def of_log(where: session.Session) -> Iterator[Stamp]:
    """Those that the plane's record holds."""
    for item in where.api.items(audit_places.at(where), type=audit.STAMPED, since=audit_places.moment("1970-01-01")):
        yield from _told(item["event"]["details"])


def of_file(path: str) -> Iterator[Stamp]:
    """Those that an export holds."""
    with gzip.open(path) if path.endswith(".gz") else pathlib.Path(path).open("rb") as file:
        for row in file:
            if ROW in row:
                with contextlib.suppress(ValueError, KeyError, TypeError):  # altered, which the verifier says of the event
                    yield from _told(json.loads(row)["event"]["event"]["details"])


def of_notes(paths: Iterable[str]) -> Iterator[Stamp]:
    """Those in files that `plane audit stamps` wrote, and in the text files of folders."""
    files = (file for path in map(pathlib.Path, paths) for file in (path.rglob("*.txt") if path.is_dir() else [path]))
    for note, marked in (one for file in files for one in NOTE.findall(file.read_text(encoding="utf-8"))):
        yield _stamp(note, base64.b64decode(marked)[4:])


def _told(details: dict[str, str]) -> Iterator[Stamp]:
    with contextlib.suppress(ValueError, KeyError):
        yield _stamp(details["note"], base64.b64decode(details["stamp"]))


def _stamp(note: str, answer: bytes) -> Stamp:
    origin, size, root, *_ = note.split("\n")
    return Stamp(origin, int(size), base64.b64decode(root).hex(), note, answer)


def states(found: Iterable[Stamp]) -> verifier.Held:
    """As witnesses hold them."""
    return {(stamp.origin, stamp.size): stamp.root for stamp in found}


def judged(found: Iterable[Stamp], authorities: str) -> tuple[list[str], str]:
    """What is wrong with the stamps, and what they say."""
    findings, times = [], {}
    for stamp in found:
        try:
            times[stamp.size] = stamps.verify(stamp.answer, stamp.note.encode(), authorities)
        except stamps.StampRefused as error:
            findings.append(f"the time stamp of the state at {stamp.size} does not hold: {error}")
    last = max(times, default=0)
    return findings, f"{len(times)} time stamps hold" + (f"; {last} events were there by {times[last]:%Y-%m-%dT%H:%M:%SZ}" if times else "")
