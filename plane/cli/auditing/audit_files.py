"""`plane audit export|verify|verifier`: files of the record, and whether they hold."""

import base64
import contextlib
import pathlib
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import click
import msgspec

from plane.cli import failures, session
from plane.cli.auditing import audit_parallel, audit_places, audit_resume, audit_stamps, verifier
from plane.domain.auditing import audit, proof_checks

BEGINNING = "1970-01-01"
Asked = dict[str, Any]


@click.command("export")
@audit_places.filtered(since="24h")
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv", "ocsf", "cloudevents", "parquet"]), default="jsonl", show_default=True,
    help="jsonl carries its proof in itself; beside a file in another format a signed manifest is written.",
)  # fmt: skip
@click.option("--compress", type=click.Choice(["none", "gzip", "zstd"]), default="none", show_default=True, help="Compress it.")
@click.option("--resume", is_flag=True, help="Go on with FILE where an export broke off, with the filters it began with.")
@click.option("-o", "--output", "file", metavar="FILE", help="File to write; standard output otherwise.")
@session.placed
def export(where: session.Session, *, asked: Asked, form: str, compress: str, resume: bool, file: str | None) -> None:
    """Export the log to a file that proves itself: from the checkpoint before --since to the one after --until."""
    asked = {**asked, "format": form, "compression": compress}
    if file is None or file == "-":
        _report(_copied(where, asked, contextlib.nullcontext(sys.stdout.buffer)), asked)
        return
    path = pathlib.Path(file)
    note = path.with_name(f"{path.name}.resume")
    with audit_resume.broken_off(path, note):
        if resume:
            asked = audit_resume.begin(path, note)
        headers = _copied(where, asked, _file(path, note, resume=resume), note=note)
        if asked["format"] != "jsonl" and headers["events"]:
            _manifest(where, {**asked, "end": headers["end"], "resume": 0}, path)
    note.unlink(missing_ok=True)
    _report(headers, asked, where=f" in {file}")


@contextlib.contextmanager
def _file(path: pathlib.Path, note: pathlib.Path, *, resume: bool) -> Iterator[BinaryIO]:
    if not resume:
        note.unlink(missing_ok=True)  # of an export in whose place this one comes
    with path.open("ab" if resume else "wb") as file:
        yield file


def _copied(
    where: session.Session, asked: Asked, to: contextlib.AbstractContextManager[BinaryIO], *, note: pathlib.Path | None = None
) -> dict[str, int]:
    """Write what comes, to what is opened when it comes; `note` remembers what was asked until it is all there."""
    with where.api.opened(f"{audit_places.at(where)}/export", **asked) as answer, to as sink:
        found = {"events": int(answer.headers.get("Audit-Events", 0)), "end": int(answer.headers.get("Audit-End", 0))}
        if note:
            audit_resume.remember(note, {**asked, "end": found["end"]})
        last, size = b"", 0
        for piece in answer.iter_bytes():
            sink.write(piece)
            last, size = (last + piece)[-(1 << 16) :], size + len(piece)
            _progress(size, found["events"])
    if asked["format"] == "jsonl" and asked["compression"] == "none" and found["end"] and not _whole(last):
        raise failures.Away("the export ended before its manifest: it is not whole; run it again")
    return found


def _progress(size: int, events: int) -> None:
    """For somebody who looks on; the last line that is said takes its place."""
    if sys.stderr.isatty():
        click.echo(f"{size / 1e6:.1f} MB of {events} events …\r", nl=False, err=True)


def _whole(tail: bytes) -> bool:
    return tail.endswith(b"}\n") and tail.rstrip(b"\n").rpartition(b"\n")[2].startswith(b'{"manifest":')


def _manifest(where: session.Session, asked: Asked, path: pathlib.Path) -> None:
    lines = list(where.api.lines(f"{audit_places.at(where)}/export", **{**asked, "format": "manifest", "compression": "none"}))
    path.with_name(f"{path.name}.manifest.json").write_text(f"{lines[0]}\n", encoding="utf-8")


def _report(found: dict[str, int], asked: Asked, *, where: str = "") -> None:
    click.echo(
        f"{found['events']} events since {asked['since']}{where}, up to the signed state of {found['end']} events",
        err=True,
    )


@click.command("verify")
@click.option("--offline", "file", metavar="FILE", help="Check this export, and ask nobody.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="VKEY",
    help="Trust this key, as `plane audit checkpoint` prints it, and later ones that the log tells of under it.",
)
@click.option("--against", metavar="FILE", help="An earlier export: names every row that differs from it.")
@click.option("--known", metavar="FILE", help="Remember the signed state in FILE; a log that does not continue it is found.")
@click.option("--part", is_flag=True, help="FILE is what a sink keeps: it has no manifest.")
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="PATH",
    help="Signed states that others keep, a file or a clone: each must be the log's.",
)
@click.option("--authority", metavar="FILE", help="Check the record's time stamps: certificates in PEM of who vouches for them.")
@session.placed
def verify(where: session.Session, *, file: str | None, part: bool, keys: tuple[str, ...], **kept: Any) -> None:  # noqa: ANN401 - options
    """Verify every event, hash and signature of the log: exit 0 if nothing is wrong, else 1 with one line per finding.

    Without --offline the whole record is read from the plane, and its database is asked for what an export cannot show.
    """
    against, known, authority = kept["against"], kept["known"], kept["authority"]
    if file and known:
        raise failures.WrongUse(
            "--known has the plane prove that the log continues, and --offline asks nobody; give --against with an earlier export instead"
        )
    try:
        before = verifier.leaves(audit_parallel.parts_of(against)) if against else verifier.NONE
        authorities = pathlib.Path(authority).read_text(encoding="utf-8") if authority else ""
        stamped = audit_stamps.found(where, file, kept["witnesses"]) if authority else []
        held = {**verifier.witnessed(kept["witnesses"]), **audit_stamps.states(stamped)}
        found = verifier.Verifier(keys, before, held, part=part)
        found.take(audit_parallel.parts_of(file) if file else _whole_log(where))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise failures.WrongUse(f"{getattr(error, 'filename', None) or file or against}: cannot be read ({reason})") from error
    if not file:
        found.findings += _asked(where)
    if known:
        found.findings += _continued(where, pathlib.Path(known), found)
    wrong, times = audit_stamps.judged(stamped, authorities)
    found.findings += wrong
    click.echo("\n".join([*([times] if authority else []), str(found)]))
    if found.findings:
        sys.exit(1)


def _whole_log(where: session.Session) -> Iterator[verifier.Part]:
    with where.api.opened(f"{audit_places.at(where)}/export", since=audit_places.moment(BEGINNING)) as answer:
        yield from verifier.parts(answer.iter_bytes())


def _asked(where: session.Session) -> Iterator[str]:
    """What only the database shows, a stretch of the log at a time: all at once would take longer than an answer may."""
    looked, found = 0, {"next": ""}
    while looked == 0 or found["next"]:
        found = where.api.get(f"{audit_places.at(where)}/check", cursor=found["next"]).body
        yield from (f"event {event} was inserted: it lies among sealed events and has no place" for event in found["strays"])
        looked += found["looked"]
        if sys.stderr.isatty():
            click.echo(f"{looked} events looked at in the database …\r", nl=False, err=True)
        if not found["looked"]:
            break
    if found["cut"]:
        yield f"the log was cut or put back: {found['cut']}"


def _continued(where: session.Session, path: pathlib.Path, found: verifier.Verifier) -> Iterator[str]:
    """Whether the log goes on from the state in the file; then the file holds the newest."""
    if path.is_file():
        origin, size, root = _remembered(path)
        if origin != found.state["origin"]:
            yield f"{path} remembers the log {origin}, this is {found.state['origin']}"
            return
        if size > found.state["size"]:
            yield f"the log was cut or put back: {path} remembers {size} events, now there are {found.state['size']}"
            return
        if not _consistent(where, (size, root), found):
            yield f"the first {size} events are not those that {path} remembers: the log was rewritten"
            return
    path.write_text(msgspec.convert(found.state, audit.Checkpoint).note(), encoding="utf-8")


def _remembered(path: pathlib.Path) -> tuple[str, int, bytes]:
    """Origin, size and root of the signed state in a file; WrongUse."""
    try:
        origin, size, root, *_ = path.read_text(encoding="utf-8").splitlines()
        return origin, int(size), base64.b64decode(root, validate=True)
    except ValueError as error:
        raise failures.WrongUse(f"{path} holds no signed state of a log; name a file that --known may write") from error


def _consistent(where: session.Session, old: tuple[int, bytes], found: verifier.Verifier) -> bool:
    size, root = found.state["size"], bytes.fromhex(found.state["root"])
    told = where.api.get(f"{audit_places.at(where)}/consistency", old=old[0], size=size).body
    return proof_checks.continues(old, (size, root), [bytes.fromhex(one) for one in told["path"]])


@click.command("verifier")
def program() -> None:
    """Print a stand-alone verifier: one Python file that needs only `cryptography`, for those who do not trust this program."""
    click.echo(pathlib.Path(verifier.__file__).read_text(encoding="utf-8"), nl=False)
