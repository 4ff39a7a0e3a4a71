"""`plane audit report dora`: how commits come to clusters, in four figures over many of them."""

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec

from plane.cli import client, kinds, session, show
from plane.cli.auditing import audit_places

Json = client.Json
TYPES = "app.sync.started,app.sync.completed,app.rollback.asked"
ALL = "all"


def committed(event: Json) -> str:
    """When its commit was made, if the log says so."""
    details = event.get("details", {})
    return str(details.get("committed_at", "") if isinstance(details, dict) else "")


def seconds(begin: str, end: str) -> float:
    """Between two moments, to a tenth."""
    return round((dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(begin)).total_seconds(), 1)


class Delivery(msgspec.Struct):
    """What happened to the apps of one project, or of all: `leads` and `restores` in seconds."""

    deployments: int = 0
    changes: dict[tuple[str, str, int], bool] = msgspec.field(
        default_factory=dict
    )  # app, commit and how often it went back → whether it failed
    leads: list[float] = msgspec.field(default_factory=list)
    restores: list[float] = msgspec.field(default_factory=list)


class _App(msgspec.Struct):
    commit: str = ""
    broken: str = ""  # since when
    backs: int = 0  # rollbacks that came to their end: the same commit afterwards is another change


def _counts(one: Json) -> bool:
    """Dry runs, and syncs of some objects alone, bring no change to an end."""
    details = one.get("details", {})
    return not (details.get("partial") or details.get("dry_run"))


def figures(events: Iterable[Json]) -> dict[str, Delivery]:
    """By project, and of all, from events in order. A change fails when its sync does to the last, or when it is rolled back.

    Source: https://dora.dev/guides/dora-metrics-four-keys/; a rollback repairs a change and is none itself.
    """
    found: dict[str, Delivery] = {ALL: Delivery()}
    apps: dict[tuple[str, str], _App] = {}
    first: dict[str, str] = {}
    for one in filter(_counts, events):
        project, target = str(one.get("project", "")), one["target"]
        app = apps.setdefault((project, target), _App())
        seen = first.setdefault(one.get("commit", ""), committed(one) or one["time"])
        for of in (found[ALL], found.setdefault(project, Delivery())):
            _count(of, f"{project}/{target}", app, one, seen)
        _move(app, one)
    return found


def _count(of: Delivery, name: str, app: _App, one: Json, seen: str) -> None:
    if one["type"] == "app.sync.completed":
        good, commit = one["outcome"] == "success", one.get("commit", "")
        if good and app.broken:
            of.restores.append(seconds(app.broken, one["time"]))
        if _went_back(one):
            return
        of.changes[name, commit, app.backs] = not good
        if good and commit != app.commit:
            of.deployments += 1
            of.leads.append(seconds(seen, one["time"]))
    elif app.commit and _rolls_back(one):
        of.changes[name, app.commit, app.backs] = True


def _move(app: _App, one: Json) -> None:
    if one["type"] == "app.sync.completed" and one["outcome"] == "success":
        app.commit, app.broken = one.get("commit", ""), ""
        app.backs += _went_back(one)
    elif one["type"] == "app.sync.completed" or _rolls_back(one):
        app.broken = app.broken or one["time"]


def _went_back(one: Json) -> bool:
    """Whether the sync that ended is a rollback."""
    return bool(one.get("details", {}).get("trigger") == "rollback")


def _rolls_back(one: Json) -> bool:
    return one["type"] == "app.rollback.asked" or "rolled_back" in one.get("details", {})


def rows(found: dict[str, Delivery], days: float) -> list[dict[str, Any]]:
    """As a table shows them, all projects last; empty cells where nothing is to be counted."""
    names = [*sorted(name for name in found if name != ALL), ALL]
    return [
        {
            "project": name,
            "deployments": of.deployments,
            "perDay": round(of.deployments / days, 2),
            "leadSeconds": _median(of.leads),
            "failureRate": round(sum(of.changes.values()) / len(of.changes), 3) if of.changes else "",
            "restoreSeconds": _median(of.restores),
        }
        for name, of in ((name, found[name]) for name in names)
    ]


def _median(numbers: Sequence[float]) -> float | str:
    return round(statistics.median(numbers), 1) if numbers else ""


@click.command("dora")
@audit_places.filtered(since="30d")
@show.option("table", "json", "yaml")
@session.placed
def dora(where: session.Session, *, asked: dict[str, str], output: str) -> None:
    """Deployments, their lead time (median), the share of changes that failed, and the time to restore (median).

    A deployment is a sync that brought an app another commit, and no rollback; a change failed when its last sync did, or when it was
    rolled back. What a rollback brings back counts as restored when it has ended.
    """
    query: dict[str, Any] = {**asked, "type": TYPES}
    items = where.api.items(audit_places.at(where), **query)
    end = dt.datetime.fromisoformat(asked["until"]) if asked["until"] else dt.datetime.now(dt.UTC)
    days = max((end - dt.datetime.fromisoformat(asked["since"])).total_seconds() / 86400, 1 / 24)
    found = rows(figures(audit_places.event(one) for one in items), days)
    if show.body({"items": found}, output=output):
        return
    columns = (
        ("PROJECT", "project"), ("DEPLOYMENTS", "deployments"), ("PER DAY", "perDay"), ("LEAD TIME S", "leadSeconds"),
        ("FAILURE RATE", "failureRate"), ("RESTORE S", "restoreSeconds"),
    )  # fmt: skip
    show.listing([kinds.Column(*pair) for pair in columns], found, nothing="Nothing was deployed.")
