"""`plane audit trail COMMIT`: how long a commit took to each cluster, and on what."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import click

from plane.cli import client, failures, kinds, session, show
from plane.cli.auditing import audit_delivery, audit_places

Json = client.Json
# after the commit, in order. What it waited for its push lies in the first that is known, and is nobody's fault.
PHASES = ("seen", "released", "approved", "dispatched", "begun", "applied", "healthy")
MOVED = "repository.moved"
MOST = 100  # entries of an app's history in which its health is looked up


@click.command("trail")
@click.argument("commit")
@click.option("--since", default="400d", show_default=True, metavar="TIME", help="Look no further back.")
@show.option("table", "json", "yaml")
@session.placed
def trail(where: session.Session, *, commit: str, since: str, output: str) -> None:
    """Follow a commit to every cluster: how many seconds each phase took, and which was the slowest.

    SEEN is from the commit itself, as the committer's clock has it, until a look at the repository found it, RELEASED until it was fetched,
    rendered and judged, APPROVED until somebody agreed, DISPATCHED until the task
    was made, BEGUN until the agent took it up, APPLIED until it was done, HEALTHY until all of it was; LEAD is the time from the commit to
    its being applied, or from the first sync of it where the log does not know when it was made. PUSH is from its push to its being
    healthy: no log knows that moment, but two looks at the repository do, before and after, and so the least and the most.
    """
    asked: dict[str, Any] = {"commit": commit, "since": audit_places.moment(since), "type": "app.sync.*,repository.moved"}
    events = [audit_places.event(one) for one in where.api.items(audit_places.at(where), **asked)]
    steps = journeys(events, healthy(where, events))
    if show.body({"items": steps}, output=output):
        return
    columns = [kinds.Column("APP", "app"), kinds.Column("CLUSTER", "cluster"), kinds.Column("OUTCOME", "outcome")]
    columns += [kinds.Column(name.upper(), f"phases.{name}") for name in PHASES]
    columns += [
        kinds.Column("LEAD", "lead"),
        kinds.Column("PUSH", "push"),
        kinds.Column("SLOWEST", "slowest"),
        kinds.Column("EVENT", "proof"),
    ]
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
    every = list(events)
    syncs, seen = [one for one in every if one.get("type") != MOVED], _seen(every)
    first = next(filter(None, map(audit_delivery.committed, syncs)), syncs[0]["time"] if syncs else "")
    for one in syncs:
        task = str(one.get("correlation", one["id"]))
        found = seen.get((one.get("project", ""), one.get("commit", "")), {})
        step = steps.setdefault(task, {"app": one["target"], "project": one.get("project", ""), "cluster": one.get("cluster", ""),
                                       "outcome": "under way", "lead": "", "moments": {"committed": first} | found})  # fmt: skip
        step["proof"] = one["id"]
        if one.get("stage") == "intent":
            step["moments"] |= _begun(one)
        elif one.get("stage") == "outcome":
            step |= {"outcome": one["outcome"], "lead": audit_delivery.seconds(first, one["time"])}
            step["moments"] |= _ended(one) | ({"healthy": healthy_at[task]} if task in healthy_at else {})
    return [step | _lasted(step["moments"]) | {"push": _since_push(step["moments"])} for step in steps.values()]


def _seen(events: Iterable[Json]) -> dict[tuple[str, str], dict[str, str]]:
    """By project and commit: when a look at its repository found it first, and when the one before had not."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for one in events:
        if one.get("type") == MOVED:
            moments = {"seen": one["time"], "unseen": str(one.get("details", {}).get("looked_at", ""))}
            found.setdefault((one.get("project", ""), one.get("commit", "")), {name: at for name, at in moments.items() if at})
    return found


def _since_push(moments: Mapping[str, str]) -> str:
    """Seconds until it was healthy, the least and the most; empty where one of both looks is not known."""
    if not {"seen", "unseen", "healthy"} <= moments.keys():
        return ""
    least, most = (max(0.0, audit_delivery.seconds(moments[name], moments["healthy"])) for name in ("seen", "unseen"))
    return f"{least}-{most}"


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
    """Seconds of each phase that is known, from the end of the one before it; the slowest of those after the first."""
    phases: dict[str, float] = {}
    before = moments["committed"]
    for name in PHASES:
        if at := moments.get(name):
            phases[name] = max(0.0, audit_delivery.seconds(before, at))
            before = at if audit_delivery.seconds(before, at) > 0 else before
    after = {name: took for name, took in phases.items() if name != next(iter(phases))}
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
    """Seconds after the first phase that is known, which holds the wait for the push."""
    phases: dict[str, float] = step["phases"]
    return sum(list(phases.values())[1:])
