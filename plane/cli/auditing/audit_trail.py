"""`plane audit trail COMMIT`: how long a commit took to each cluster, and on what."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import click

from plane.cli import client, failures, kinds, session, show
from plane.cli.auditing import audit_delivery, audit_places

Json = client.Json
# after the commit, in order; a commit does not say when it was pushed: what it waited for that lies in `released`, and is nobody's fault
PHASES = ("released", "approved", "dispatched", "begun", "applied", "healthy")
MOST = 100  # entries of an app's history in which its health is looked up


@click.command("trail")
@click.argument("commit")
@click.option("--since", default="400d", show_default=True, metavar="TIME", help="Look no further back.")
@show.option("table", "json", "yaml")
@session.placed
def trail(where: session.Session, *, commit: str, since: str, output: str) -> None:
    """Follow a commit to every cluster: how many seconds each phase took, and which was the slowest.

    RELEASED is from the commit itself until it was fetched, rendered and judged, APPROVED until somebody agreed, DISPATCHED until the task
    was made, BEGUN until the agent took it up, APPLIED until it was done, HEALTHY until all of it was; LEAD is the time from the commit to
    its being applied, or from the first sync of it where the log does not know when it was made.
    """
    asked: dict[str, Any] = {"commit": commit, "since": audit_places.moment(since), "type": "app.sync.*"}
    events = [audit_places.event(one) for one in where.api.items(audit_places.at(where), **asked)]
    steps = journeys(events, healthy(where, events))
    if show.body({"items": steps}, output=output):
        return
    columns = [kinds.Column("APP", "app"), kinds.Column("CLUSTER", "cluster"), kinds.Column("OUTCOME", "outcome")]
    columns += [kinds.Column(name.upper(), f"phases.{name}") for name in PHASES]
    columns += [kinds.Column("LEAD", "lead"), kinds.Column("SLOWEST", "slowest"), kinds.Column("EVENT", "proof")]
    show.listing(columns, steps, nothing=f"No app has had the commit {commit}.")
    if steps:
        click.echo(summary(steps))


def healthy(where: session.Session, events: Iterable[Json]) -> dict[str, str]:
    """By task: when what it applied was first seen healthy, which the app's history knows and the log does not."""
    ended = (one for one in events if one.get("stage") == "outcome" and one["outcome"] == "success" and where.context.tenant)
    apps = dict.fromkeys((one.get("project", ""), str(one["target"]).removeprefix("app/")) for one in ended)
    return {task: at for project, app in apps for task, at in _history(where, project, app)}


def _history(where: session.Session, project: str, app: str) -> list[tuple[str, str]]:
    try:
        found = list(where.api.items(f"/tenants/{where.context.tenant}/projects/{project}/apps/{app}/history", limit=MOST))
    except failures.Refused:  # the app is gone, or whoever reads the log may not see it
        return []
    return [(entry["task"], entry["healthyAt"]) for entry in found if entry.get("healthyAt")]


def journeys(events: Iterable[Json], healthy_at: Mapping[str, str]) -> list[Json]:
    """One step per task: its intent and its outcome, by the correlation that ties them. `proof`: the event that told the last of it."""
    steps: dict[str, Json] = {}
    first = ""
    for one in events:
        first = first or audit_delivery.committed(one) or one["time"]
        task = str(one.get("correlation", one["id"]))
        step = steps.setdefault(task, {"app": one["target"], "project": one.get("project", ""), "cluster": one.get("cluster", ""),
                                       "outcome": "under way", "lead": "", "moments": {"committed": first}})  # fmt: skip
        step["proof"] = one["id"]
        if one.get("stage") == "intent":
            step["moments"] |= _begun(one)
        elif one.get("stage") == "outcome":
            step |= {"outcome": one["outcome"], "lead": audit_delivery.seconds(first, one["time"])}
            step["moments"] |= _ended(one) | ({"healthy": healthy_at[task]} if task in healthy_at else {})
    return [step | _lasted(step["moments"]) for step in steps.values()]


def _begun(event: Json) -> dict[str, str]:
    details = event.get("details", {})
    agreed = sorted(one["at"] for one in details.get("approvals", ()))
    known = {"released": details.get("released_at", ""), "approved": agreed[-1] if agreed else "", "dispatched": event["time"]}
    return {name: at for name, at in known.items() if at}


def _ended(event: Json) -> dict[str, str]:
    """By the plane's clock alone: the agent says how long it took."""
    took = event.get("details", {}).get("duration_s")
    begun = dt.datetime.fromisoformat(event["time"]) - dt.timedelta(seconds=took or 0)
    return {"applied": event["time"]} | ({} if took is None else {"begun": begun.isoformat().replace("+00:00", "Z")})


def _lasted(moments: Mapping[str, str]) -> Json:
    """Seconds of each phase that is known, from the end of the one before it; the slowest of those after the release was there."""
    phases: dict[str, float] = {}
    before = moments["committed"]
    for name in PHASES:
        if at := moments.get(name):
            phases[name] = max(0.0, audit_delivery.seconds(before, at))
            before = at if audit_delivery.seconds(before, at) > 0 else before
    after = {name: took for name, took in phases.items() if name != "released"}
    return {"phases": phases, "slowest": max(after, key=lambda name: after[name]) if after else ""}


def summary(steps: list[Json]) -> str:
    """How far it has come, and who was last with what."""
    ended = [step for step in steps if step["lead"] != ""]
    failed = sum(step["outcome"] == "failure" for step in ended)
    said = f"{len(ended)} of {len(steps)} ended, {failed} failed"
    if not ended:
        return said
    last = max(ended, key=_took)
    where = f"{last['app']} on {last['cluster']}" if last["cluster"] else last["app"]
    return f"{said}; the slowest was {where}: {_took(last):.1f} s, of them {last['phases'][last['slowest']]:.1f} s until {last['slowest']}"


def _took(step: Json) -> float:
    """Seconds since the release was there."""
    phases: dict[str, float] = step["phases"]
    return sum(took for name, took in phases.items() if name != "released")
