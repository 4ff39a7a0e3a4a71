"""Exports: what breaks off goes on and ends up the same, byte for byte; every form says the same events."""

import csv
import gzip
import io
import json
import pathlib
import zlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from plane.adapters import compressing
from plane.cli import failures
from plane.cli.auditing import audit_resume
from plane.domain import access
from plane.domain.auditing import audit, audit_formats, details
from plane.server import context, record
from plane.server.auditing import exports
from plane.store import engine
from plane.wire import audit as wire
from tests.server.test_audit_tampering import ADMIN, PLATFORM
from tests.support import planes, verifying

BEGINNING = "1970-01-01T00:00:00Z"
SAYINGS = ("=1+1", 'with "quotes", commas', "two\r\nlines", "Ärger", "-", "")
PERSON = access.Actor("01a1fdeb-1c13-7a73-85f1-76ab07c7be0e", "+eve", "user", ip="192.0.2.7", user_agent="plane/1")


@pytest.fixture
def log(plane: context.Plane, owner: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> context.Plane:
    """Many signed states, of people and of the plane itself, in pieces of a few rows."""
    monkeypatch.setattr(exports, "PIECE", 4)
    monkeypatch.setattr(exports, "BATCH", 5)
    for number in range(9):
        scope = access.Scope(access.PLATFORM_TENANT, PERSON if number % 2 else access.SYSTEM)
        with engine.begin(plane.engine, scope) as tx:
            for message in SAYINGS[: 1 + number % 4]:
                record.append(
                    plane,
                    tx,
                    scope,
                    "tenant.updated",
                    target=f"tenant/t{number}",
                    message=message,
                    details=details.Written(after={"n": number}),
                )
        planes.seal(plane, owner)
    return plane


def text(plane: context.Plane, stretch: exports.Stretch, query: wire.Export) -> Iterator[bytes]:
    """As REST sends it."""
    if query.format == "jsonl":
        pieces = exports.lines(plane, ADMIN, PLATFORM, stretch, resume=query.resume)
    else:
        rows = exports.events(plane, ADMIN, PLATFORM, stretch, resume=query.resume)
        pieces = exports.written(rows, form=query.format, origin="log", resumed=query.resume > 0)
    return compressing.compressed(pieces, query.compression)


def exported(plane: context.Plane, **asked: object) -> bytes:
    query = wire.Export(since=BEGINNING, **asked)  # type: ignore[arg-type]  # fields of the query
    return b"".join(text(plane, exports.plan(plane, ADMIN, PLATFORM, query), query))


@pytest.mark.parametrize("asked", [{}, {"type": "tenant.*"}, {"actor": PERSON.id}], ids=str)
@pytest.mark.parametrize(
    ("form", "compression"), [("jsonl", "none"), ("jsonl", "gzip"), ("csv", "none"), ("ocsf", "none"), ("cloudevents", "none")]
)
def test_an_export_cut_anywhere_goes_on_and_ends_the_same(
    log: context.Plane, tmp_path: pathlib.Path, form: wire.Format, compression: wire.Compression, asked: dict[str, str]
) -> None:
    query = wire.Export(since=BEGINNING, format=form, compression=compression, **asked)  # type: ignore[arg-type]  # texts of the query
    stretch = exports.plan(log, ADMIN, PLATFORM, query)
    whole = b"".join(text(log, stretch, query))
    file, note = tmp_path / "export", tmp_path / "export.resume"
    note.write_text(json.dumps({"since": BEGINNING, "format": form, "compression": compression}))
    different = []
    for cut in range(0, len(whole), 1 + len(whole) // 40):
        file.write_bytes(whole[:cut])
        resumed = wire.Export(since=BEGINNING, format=form, compression=compression, resume=audit_resume.begin(file, note)["resume"])
        rest = b"".join(text(log, stretch, resumed))
        if file.read_bytes() + rest != whole:
            different.append(cut)
    assert different == []


def test_what_cannot_be_resumed_says_so_and_the_file_stays(tmp_path: pathlib.Path) -> None:
    file, note = tmp_path / "export", tmp_path / "export.resume"
    file.write_bytes(b"half")
    note.write_text(json.dumps({"format": "jsonl", "compression": "zstd"}))
    with pytest.raises(failures.WrongUse, match="with compression zstd cannot be resumed"):
        audit_resume.begin(file, note)
    assert file.read_bytes() == b"half"


def test_the_database_writes_the_lines_that_the_domain_would(log: context.Plane) -> None:
    query = wire.Export(since=BEGINNING)
    stretch = exports.plan(log, ADMIN, PLATFORM, query)
    rows = [row for batch in exports.events(log, ADMIN, PLATFORM, stretch) for row in batch]
    lines = [line for line in b"".join(text(log, stretch, query)).splitlines(keepends=True) if line.startswith(b'{"event"')]
    assert lines == [audit_formats.event_line(row) for row in rows]


def test_a_spreadsheet_gets_every_event_and_no_formula(log: context.Plane) -> None:
    query = wire.Export(since=BEGINNING, type="tenant.updated")
    told = exported(log, type="tenant.updated", format="csv").decode()
    rows = list(csv.DictReader(io.StringIO(told, newline="")))
    stretch = exports.plan(log, ADMIN, PLATFORM, query)
    placed = [row for batch in exports.events(log, ADMIN, PLATFORM, stretch) for row in batch]
    events = [(str(row.seq), audit.together(row.body, row.personal).id, row.leaf.hex()) for row in placed]
    assert [(row["seq"], row["id"], row["leaf"]) for row in rows] == events
    assert {row["actor"] for row in rows} == {"plane", "'+eve"}
    assert {row["message"] for row in rows} == {"'=1+1", *SAYINGS[1:4]}


def test_others_forms_name_the_person_and_keep_what_was_written(log: context.Plane) -> None:
    clouds = [json.loads(line) for line in exported(log, format="cloudevents", actor=PERSON.id).splitlines()]
    assert {one["data"]["event"]["actor"]["name"] for one in clouds} == {"+eve"}
    assert clouds[0]["data"]["event"]["details"] == {"after": {"n": 1}}
    told = [json.loads(line) for line in exported(log, format="ocsf", actor=PERSON.id).splitlines()]
    assert [one["metadata"]["uid"] for one in told] == [one["id"] for one in clouds]
    assert {(one["src_endpoint"]["ip"], one["unmapped"]["details"]["after"]["n"] % 2) for one in told} == {("192.0.2.7", 1)}


def test_compressed_exports_read_as_one_file(log: context.Plane) -> None:
    plain, small = exported(log, end=10), exported(log, end=10, compression="gzip")
    assert gzip.decompress(small) == plain
    assert zlib.decompressobj(31).decompress(small) != plain  # several members
    assert verifying.verified(plain.decode().splitlines()).findings == []
