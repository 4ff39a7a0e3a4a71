"""`plane audit`: the record, for reading, for keeping and for proving."""

import click

from plane.cli import audit_files, audit_places, client, kinds, session, show

Json = client.Json

COLUMNS = (
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


audit.add_command(audit_files.export)
audit.add_command(audit_files.verify)
audit.add_command(audit_files.program)


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
    """Find events in the whole record, newest first."""
    _show(where, {**asked, "order": "newest"}, limit=limit, output=output)


def _show(where: session.Session, asked: dict[str, str], *, limit: int, output: str) -> None:
    items = list(where.api.items(audit_places.at(where), limit=limit, **asked))
    if not show.body({"items": items}, output=output):
        show.listing(COLUMNS, [event(item) for item in items], nothing=f"Nothing of that kind happened here since {asked['since']}.")


@audit.command("checkpoint")
@session.placed
def checkpoint(where: session.Session) -> None:
    """Print the newest signed state of the record, and on standard error the key that checks it."""
    found = where.api.get(f"{audit_places.at(where)}/checkpoint").body
    click.echo(found["note"], nl=False)
    click.echo(f"key: {found['verifierKey']}", err=True)


def event(item: Json) -> Json:
    """An event as it is read: what it leaves out went well."""
    found = item.get("event", item)
    return {"outcome": "success", **(found if isinstance(found, dict) else item)}
