"""`plane at TIME app|cluster|project NAME`: what was so then, and the events that prove it."""

import datetime as dt
from typing import Any

import click

from plane.cli import client, failures, kinds, session, show
from plane.cli.auditing import audit_places

Json = client.Json
_COLUMNS = (
    kinds.Column("APP", "app"),
    kinds.Column("CLUSTER", "cluster"),
    kinds.Column("COMMIT", "commit", "short"),
    kinds.Column("RELEASE", "release", "short"),
    kinds.Column("SINCE", "since"),
    kinds.Column("BY", "by"),
    kinds.Column("STATE", "state"),
    kinds.Column("HEALTH", "health"),
    kinds.Column("IMAGES", "images"),
    kinds.Column("HELD", "held"),
    kinds.Column("EVENT", "proof"),
)


@click.command("at")
@click.argument("time")
@click.argument("kind", type=click.Choice(["app", "cluster", "project"]))
@click.argument("name")
@show.option("table", "json", "yaml")
@session.placed
def at(where: session.Session, *, time: str, kind: str, name: str, output: str) -> None:
    """Show what ran at TIME: commit, release, images, health and holds, since when and by whom.

    EVENT is the place in the log that says so, and that `plane audit verify` proves.
    """
    audit_places.tenant(where)
    asked: dict[str, Any] = {"time": audit_places.moment(time), kind: name}
    if dt.datetime.fromisoformat(asked["time"]) > dt.datetime.now(dt.UTC):
        raise failures.WrongUse(f"{asked['time']} is still to come; give a time that was, or look at what is with `plane get apps`")
    if kind == "app":
        asked["project"] = where.context.project
    found = list(where.api.items(f"{audit_places.at(where)}/at", **asked))
    if not show.body({"items": found}, output=output):
        show.listing(_COLUMNS, [shown(one) for one in found], nothing=f"Nothing had run there by {asked['time']}.")


def shown(one: Json) -> Json:
    """A row: what is not known is said to be so."""
    images = ", ".join(one["images"]) if one["releaseKept"] else "?"
    held = "; ".join(f"{hold['target']}: {hold['reason']} ({hold['proof']})" for hold in one["holds"])
    return {**one, "app": f"{one['project']}/{one['app']}", "images": images, "health": one["health"] or "?", "held": held}
