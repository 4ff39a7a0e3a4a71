"""`plane at TIME app|cluster|project NAME`: what was so then, and the events that prove it."""

from typing import Any

import click

from plane.cli import audit_places, client, kinds, session, show

Json = client.Json
_COLUMNS = (
    kinds.Column("APP", "app"),
    kinds.Column("CLUSTER", "cluster"),
    kinds.Column("COMMIT", "commit", "short"),
    kinds.Column("RELEASE", "release", "short"),
    kinds.Column("SINCE", "since"),
    kinds.Column("BY", "by"),
    kinds.Column("STATE", "state"),
    kinds.Column("EVENT", "proof"),
)
_BACK = "1970-01-01"


@click.command("at")
@click.argument("time")
@click.argument("kind", type=click.Choice(["app", "cluster", "project"]))
@click.argument("name")
@show.option("table", "json", "yaml")
@session.placed
def at(where: session.Session, *, time: str, kind: str, name: str, output: str) -> None:
    """Show which commit and release ran at TIME, since when and by whom; EVENT is the place in the log that `plane audit verify` proves."""
    asked = {"project": where.context.project if kind == "app" else ""} | ({kind: name} if kind != "project" else {"project": name})
    wanted: dict[str, Any] = {"since": audit_places.moment(_BACK), "until": audit_places.moment(time), "order": "newest", **asked}
    kinds_ = "app.sync.completed,app.removal.completed,app.sync.started,app.drift.*,app.removed"
    found = standing([(one["seq"], audit_places.event(one)) for one in where.api.items(audit_places.at(where), type=kinds_, **wanted)])
    if not show.body({"items": found}, output=output):
        show.listing(_COLUMNS, found, nothing=f"Nothing had run there by {wanted['until']}.")


def standing(events: list[tuple[int, Json]]) -> list[dict[str, Any]]:
    """How each app stood, from its events newest first: the last sync that succeeded, and what happened since."""
    apps: dict[tuple[str, str], dict[str, Any]] = {}
    for seq, one in events:
        key = (str(one.get("project", "")), one["target"])
        app = apps.setdefault(key, {"app": f"{key[0]}/{key[1].partition('/')[2]}", "state": "", "done": False})
        if not app["done"]:
            _take(app, seq, one)
    return [{name: value for name, value in app.items() if name != "done"} for app in apps.values() if app.get("proof") is not None]


def _take(app: dict[str, Any], seq: int, one: Json) -> None:
    kind, good = one["type"], one["outcome"] == "success"
    if kind in ("app.removal.completed", "app.removed") and good:
        app |= {"state": "removed", "since": one["time"], "by": one["actor"]["name"], "proof": seq, "done": True}
    elif kind == "app.sync.completed" and good:
        told = {name: one.get(name, "") for name in ("cluster", "commit", "release")}
        asked = one.get("details", {}).get("asked_by", "")
        app |= {**told, "since": one["time"], "by": asked or one["actor"]["name"], "proof": seq, "done": True}
        app["state"] = app["state"] or "in sync"
    elif not app["state"]:
        app["state"] = {
            "app.sync.completed": "a later sync had failed",
            "app.sync.started": "a sync was under way",
            "app.drift.detected": "changed beside Git",
        }.get(kind, "")
