"""`plane audit`: the record, for reading and for keeping."""

import contextlib
import datetime as dt
import json
import pathlib
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

import click

from plane.cli import client, failures, kinds, session, show, times

Json = client.Json

_COLUMNS = (
    kinds.Column("WHEN", "time", "age"),
    kinds.Column("EVENT", "type"),
    kinds.Column("OUTCOME", "outcome"),
    kinds.Column("BY", "actor.name"),
    kinds.Column("TARGET", "target"),
    kinds.Column("PROJECT", "project"),
    kinds.Column("COMMIT", "commit", "short"),
    kinds.Column("MESSAGE", "message"),
)


@click.group()
def audit() -> None:
    """Who did what, when and why; `-T -` for what the platform itself did."""


def _since(default: str) -> session.Decorator:
    return click.option(
        "--since", default=default, show_default=True, metavar="TIME", help="24h, 7d, a date or a time (UTC unless it says)."
    )


_only_in = click.option(
    "--only-in", default="", metavar="PROJECT", help="Only events of this project; such a file cannot prove that it is complete."
)


@audit.command("list")
@_since("24h")
@_only_in
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Show at most this many.")
@show.option("table", "json", "yaml")
@session.placed
def list_(where: session.Session, *, since: str, only_in: str, limit: int, output: str) -> None:
    """List events, oldest first."""
    items = list(where.api.items(_at(where), limit=limit, since=_moment(since), project=only_in))
    if not show.body({"items": items}, output=output):
        show.listing(_COLUMNS, [_event(item) for item in items], nothing=f"Nothing happened here since {_moment(since)}.")


@audit.command("export")
@_since("24h")
@_only_in
@click.option(
    "--format", expose_value=False, type=click.Choice(["jsonl"]), default="jsonl", show_default=True, help="One JSON document per line."
)
@click.option("-o", "--output", "file", metavar="FILE", help="File to write; standard output otherwise.")
@session.placed
def export(where: session.Session, *, since: str, only_in: str, file: str | None) -> None:
    """Write the record since TIME: sealed events, each with its place in the log, and the checkpoint that proves them complete.

    How many events there were, and the checkpoint, are said on standard error.
    """
    lines = where.api.lines(f"{_at(where)}/export", since=_moment(since), project=only_in)
    with _sink(file) as sink:
        count, checkpoint = _copy(lines, sink)
    click.echo(f"{count} events since {_moment(since)}{f' in {file}' if file else ''}", err=True)
    if checkpoint is None:
        raise failures.Away("the export ended before its checkpoint: it is not complete; run it again")
    click.echo(
        f"checkpoint: {checkpoint.get('size')} events in the whole log, root {checkpoint.get('root')}, {checkpoint.get('time')}", err=True
    )


def _copy(lines: Iterable[str], sink: TextIO) -> tuple[int, Json | None]:
    """How many events went through, and the checkpoint that closes them."""
    count, checkpoint = 0, None
    for line in lines:
        if not line:
            continue
        found = json.loads(line)
        checkpoint = found.get("checkpoint", checkpoint)
        count += "event" in found
        sink.write(f"{line}\n")
    return count, checkpoint


@contextlib.contextmanager
def _sink(file: str | None) -> Iterator[TextIO]:
    if file is None or file == "-":
        yield sys.stdout
        return
    try:
        with pathlib.Path(file).open("w", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise failures.WrongUse(f"{file}: cannot be written ({error.strerror})") from error


def _at(where: session.Session) -> str:
    return f"/tenants/{where.context.tenant}/audit" if where.context.tenant else "/audit"


def _moment(since: str) -> str:
    return times.since(since, now=dt.datetime.now(dt.UTC))


def _event(item: Json) -> Json:
    """An event as it is read: what it leaves out went well."""
    found = item.get("event", item)
    return {"outcome": "success", **(found if isinstance(found, dict) else item)}
