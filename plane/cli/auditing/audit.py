"""`plane audit`: the record, for reading, for keeping and for proving."""

import click

from plane import groups
from plane.cli import client, failures, session, show
from plane.cli.auditing import audit_files, audit_places, audit_reports, audit_stamps, audit_terms, audit_trail

Json = client.Json


@click.group(cls=groups.Group)
def audit() -> None:
    """The audit log of a tenant; `-T -` for the platform's own."""


audit.add_command(audit_files.export)
audit.add_command(audit_files.verify)
audit.add_command(audit_files.program)
audit.add_command(audit_stamps.show)
audit.add_command(audit_terms.terms)
audit.add_command(audit_terms.erase)
audit.add_command(audit_reports.report)
audit.add_command(audit_trail.trail)


@audit.command("list")
@audit_places.filtered(since="24h")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Show at most this many.")
@show.option("table", "json", "yaml")
@session.placed
def list_(where: session.Session, *, asked: dict[str, str], limit: int, output: str) -> None:
    """List events, oldest first."""
    _show(where, asked, limit=limit, output=output)


@audit.command("search")
@audit_places.filtered(since="400d")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Show at most this many.")
@show.option("table", "json", "yaml")
@session.placed
def search(where: session.Session, *, asked: dict[str, str], limit: int, output: str) -> None:
    """Search the whole log, newest first."""
    _show(where, {**asked, "order": "newest"}, limit=limit, output=output)


def _show(where: session.Session, asked: dict[str, str], *, limit: int, output: str) -> None:
    items = list(where.api.items(audit_places.at(where), limit=limit, **asked))
    if not show.body({"items": items}, output=output):
        show.listing(
            audit_places.COLUMNS,
            [audit_places.event(item) for item in items],
            nothing=f"Nothing of that kind happened here since {asked['since']}.",
        )


@audit.command("tail")
@audit_places.filtered(since="1h")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Begin with the last so many.")
@session.placed
def tail(where: session.Session, *, asked: dict[str, str], follow: bool, limit: int) -> None:
    """Print the last events, one per line; -f follows the log."""
    last = list(where.api.items(audit_places.at(where), limit=limit, order="newest", **asked))
    place = last[0]["seq"] if last else -1
    for one in reversed(last):
        click.echo(line(one))
    wanted = {name: value for name, value in asked.items() if name not in ("since", "until")}
    while follow:
        for told in where.api.events(f"{audit_places.at(where)}/events", after=place, **wanted):
            if told.name == "gone":
                raise failures.Failed(str(told.body.get("detail", "the stream ended")), code=failures.NOT_ALLOWED)
            place = told.body["seq"]
            click.echo(line(told.body))


def line(item: Json) -> str:
    """An event as one line."""
    one = audit_places.event(item)
    actor = one["actor"]["name"] or one["actor"]["id"]
    words = (one["time"][:19], one["type"], one["outcome"], actor, one.get("target", "-"), one.get("cluster", ""), one.get("message", ""))
    return " ".join(str(word).replace("\n", " ") for word in words if word)


@audit.command("checkpoint")
@session.placed
def checkpoint(where: session.Session) -> None:
    """Print the newest signed checkpoint of the log, and on stderr the key that verifies it."""
    found = where.api.get(f"{audit_places.at(where)}/checkpoint").body
    click.echo(found["note"], nl=False)
    click.echo(f"key: {found['verifierKey']}", err=True)


@audit.command("witnessed")
@session.placed
def witnessed(where: session.Session) -> None:
    """Print the newest checkpoint of every log that this plane witnesses, for `verify --witness`."""
    for item in where.api.get(f"{audit_places.at(where)}/witness").body["items"]:
        click.echo(item["note"], nl=False)
