"""`plane audit report NAME` and `plane audit trail COMMIT`: the questions that auditors and engineers ask again and again."""

import datetime as dt
import statistics
from collections.abc import Callable, Iterable
from typing import Any

import click

from plane.cli import audit_places, client, kinds, session, show

Json = client.Json
Filters = dict[str, str]
# name → what it answers, and the filters that answer it
REPORTS: dict[str, tuple[str, Filters]] = {
    "refused-access": ("Who tried what they may not.", {"outcome": "denied"}),
    "privileged-actions": (
        "Changes of people, roles, tokens, policies, sinks, clusters and credentials.",
        {"type": "access.*,rolebinding.*,token.*,user.*,policy.*,sink.*,cluster.*,credential.*,agent.*,tenant.*,audit.*"},
    ),
    "deletions": (
        "What was deleted.",
        {"type": "app.deleted,app.removed,app.removal.*,project.deleted,cluster.deleted,credential.deleted,repository.deleted,"
                 "policy.deleted,user.deleted,rolebinding.deleted,tenant.deleted,sink.deleted"},
    ),
    "drift-repaired": ("What was changed beside Git, and put back.", {"type": "app.drift.*"}),
    "failed-changes": ("Syncs and other changes that failed.", {"outcome": "failure"}),
    "changes": ("Everything that was begun or changed in clusters.", {"type": "app.sync.*,app.removal.*,app.rollback*"}),
    "policy-changes": ("Rules and their exceptions.", {"type": "policy.*,waiver.*"}),
    "log-access": ("Who took the log away, and changes of where it goes.", {"type": "audit.*,sink.*"}),
    "gaps": ("Changes in clusters of which no end was ever told.", {"type": "audit.gap*"}),
}  # fmt: skip
_PEOPLE = (
    kinds.Column("NAME", "name"),
    kinds.Column("TYPE", "kind"),
    kinds.Column("STATE", "state"),
    kinds.Column("ROLES", "roles", "roles"),
)
_MAY_DEPLOY = frozenset({"editor", "admin", "platform-admin"})


@click.group("report")
def report() -> None:
    """Saved questions, one command each; `--since`, `--until` and the other filters narrow them."""


def _command(name: str, doc: str, filters: Filters) -> click.Command:
    @click.command(name, help=doc)
    @audit_places.filtered(since="90d")
    @show.option("table", "json", "yaml")
    @session.placed
    def command(where: session.Session, *, asked: Filters, output: str) -> None:
        given = {key: value for key, value in asked.items() if value}
        items = list(where.api.items(audit_places.at(where), order="newest", **_query({**filters, **given})))
        if not show.body({"items": items}, output=output):
            show.listing(audit_places.COLUMNS, [audit_places.event(one) for one in items], nothing=f"Nothing since {asked['since']}.")

    return command


def _query(filters: Filters) -> dict[str, Any]:
    return dict(filters)


for _name, (_doc, _filters) in REPORTS.items():
    report.add_command(_command(_name, _doc, _filters))


def _people(name: str, doc: str, wanted: Callable[[Json], bool]) -> click.Command:
    @click.command(name, help=doc)
    @show.option("table", "json", "yaml")
    @session.placed
    def command(where: session.Session, *, output: str) -> None:
        place = f"/tenants/{where.context.tenant}/people" if where.context.tenant else "/people"
        items = [one for one in where.api.items(place) if wanted(one)]
        shown = [{**one, "state": "disabled" if one["disabled"] else "active"} for one in items]
        if not show.body({"items": items}, output=output):
            show.listing(_PEOPLE, shown, nothing="Nobody.")

    return command


def _deploys(person: Json) -> bool:
    return not person["disabled"] and any(role["role"] in _MAY_DEPLOY for role in person["roles"])


report.add_command(_people("access-review", "Everybody and what they hold, now.", lambda _: True))
report.add_command(_people("deployers", "Who can bring changes into clusters, now.", _deploys))


@click.command("trail")
@click.argument("commit")
@click.option("--since", default="400d", show_default=True, metavar="TIME", help="Look no further back.")
@show.option("table", "json", "yaml")
@session.placed
def trail(where: session.Session, *, commit: str, since: str, output: str) -> None:
    """Follow a commit to every cluster: when each app began with it, when it ended, how long it took."""
    asked: dict[str, Any] = {"commit": commit, "since": audit_places.moment(since), "type": "app.sync.*"}
    steps = journeys([audit_places.event(one) for one in where.api.items(audit_places.at(where), **asked)])
    if show.body({"items": steps}, output=output):
        return
    columns = ("APP", "app"), ("CLUSTER", "cluster"), ("BEGAN", "began"), ("ENDED", "ended"), ("OUTCOME", "outcome"), ("SECONDS", "seconds")
    show.listing([kinds.Column(*pair) for pair in columns], steps, nothing=f"No app has had the commit {commit}.")
    ended = [float(step["seconds"]) for step in steps if step["seconds"] != ""]
    if ended:
        failed = sum(step["outcome"] == "failure" for step in steps)
        click.echo(f"{len(ended)} of {len(steps)} ended, {failed} failed; median {statistics.median(ended):.1f} s, last {max(ended):.1f} s")


def journeys(events: Iterable[Json]) -> list[dict[str, Any]]:
    """One step per task: its intent and its outcome, by the correlation that ties them."""
    steps: dict[str, dict[str, Any]] = {}
    for one in events:
        blank = {"app": one["target"], "cluster": one.get("cluster", ""), "began": "", "ended": "", "outcome": "under way", "seconds": ""}
        step = steps.setdefault(str(one.get("correlation", one["id"])), blank)
        if one.get("stage") == "intent":
            step["began"] = one["time"]
        elif one.get("stage") == "outcome":
            step |= {"ended": one["time"], "outcome": one["outcome"]}
        if step["began"] and step["ended"]:
            took = dt.datetime.fromisoformat(step["ended"]) - dt.datetime.fromisoformat(step["began"])
            step["seconds"] = round(took.total_seconds(), 1)
    return list(steps.values())
