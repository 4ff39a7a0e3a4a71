"""`plane audit report NAME`: the questions that auditors and engineers ask again and again."""

from collections.abc import Callable
from typing import Any

import click

from plane import groups
from plane.cli import client, failures, kinds, session, show
from plane.cli.auditing import audit_delivery, audit_places
from plane.domain.auditing import audit_types

Json = client.Json
Filters = dict[str, str]
# name → what it answers, and the filters that answer it
REPORTS: dict[str, tuple[str, Filters]] = {
    "failed-logins": (
        "Tokens, keys and proofs that did not hold; those that are no tenant's are in the platform's record, `-T -`.",
        {"type": "access.login.refused,login.locked,agent.enrol.refused"},
    ),
    "refused-access": ("Attempts to do what was not allowed.", {"outcome": "denied"}),
    "privileged-actions": (
        "Changes of people, roles, tokens, policies, sinks, clusters and credentials, and log-ins.",
        {"type": "access.*,login.*,role.*,rolebinding.*,token.*,user.*,identityprovider.*,policy.*,policybinding.*,resourcerule.*,"
                 "healthcheck.*,sink.*,cluster.*,credential.*,agent.*,tenant.*,audit.*,app.fence.overruled"},
    ),
    "deletions": (
        "What was deleted.",
        {"type": ",".join(["app.removed", "app.removal.*", *sorted(one for one in audit_types.TYPES if one.endswith(".deleted"))])},
    ),
    "drift-repaired": ("Drift that was reverted.", {"type": "app.drift.*"}),
    "failed-changes": ("Syncs and other changes that failed.", {"outcome": "failure"}),
    "changes": ("Everything that was started or changed in clusters.", {"type": "app.sync.*,app.removal.*,app.rollback*,object.*"}),
    "policy-changes": ("Changes of policies and rules.", {"type": "policy.*,policybinding.*,resourcerule.*"}),
    "waiver-changes": ("Exceptions to policies: asked for, approved, ended.", {"type": "waiver.*"}),
    "log-access": ("Exports of the log, and changes of its sinks.", {"type": "audit.*,sink.*"}),
    "gaps": ("Changes in clusters whose outcome was never reported.", {"type": "audit.gap*"}),
}  # fmt: skip
_PEOPLE = (
    kinds.Column("NAME", "name"),
    kinds.Column("TYPE", "kind"),
    kinds.Column("STATE", "state"),
    kinds.Column("ROLES", "roles", "roles"),
)


@click.group("report", cls=groups.Group)
def report() -> None:
    """Ready-made reports; `--since`, `--until` and the other filters narrow them."""


def _command(name: str, doc: str, filters: Filters, kept: Callable[[Json], bool] = lambda _: True) -> click.Command:
    @click.command(name, help=doc)
    @audit_places.filtered(since="90d")
    @show.option("table", "json", "yaml")
    @session.placed
    def command(where: session.Session, *, asked: Filters, output: str) -> None:
        given = {key: value for key, value in asked.items() if value}
        found = where.api.items(audit_places.at(where), order="newest", **_query({**filters, **given}))
        items = [one for one in found if kept(audit_places.event(one))]
        if not show.body({"items": items}, output=output):
            show.listing(audit_places.COLUMNS, [audit_places.event(one) for one in items], nothing=f"Nothing since {asked['since']}.")

    return command


def _query(filters: Filters) -> dict[str, Any]:
    return dict(filters)


for _name, (_doc, _filters) in REPORTS.items():
    report.add_command(_command(_name, _doc, _filters))


def _unapproved(event: Json) -> bool:
    details = event.get("details", {})
    return not (details.get("approved") or details.get("approvals") or details.get("dry_run"))


report.add_command(_command("unapproved-syncs", "Syncs without an approval.", {"type": "app.sync.started"}, _unapproved))
report.add_command(audit_delivery.dora)
# what the log has of somebody or something: as the one who did it, and as what it was done to
ABOUT: dict[str, tuple[str, ...]] = {
    "app": ("app={0}",),
    "person": ("actor={0}", "target=person/{0}", "target=user/{0}"),
    "cluster": ("cluster={0}", "target=cluster/{0}"),
    "commit": ("commit={0}",),
}


@report.command("about")
@click.argument("kind", type=click.Choice(list(ABOUT)))
@click.argument("name")
@click.option("--since", default="400d", show_default=True, metavar="TIME", help="Look no further back.")
@click.option("--only-in", default="", metavar="PROJECT", help="Only events of this project: the names of apps are unique in one alone.")
@show.option("table", "json", "yaml")
@session.placed
def about(where: session.Session, *, kind: str, name: str, since: str, only_in: str, output: str) -> None:
    """Everything about one app, person, cluster or commit, newest first; also of somebody who is gone, as far as it was done to them."""
    asked: dict[str, Any] = {"since": audit_places.moment(since), "order": "newest", "project": only_in}
    filters: list[dict[str, Any]] = [dict([one.format(name).split("=", 1)]) for one in ABOUT[kind]]
    found = {one["seq"]: one for each in filters for one in _told(where, asked | each)}
    items = [found[seq] for seq in sorted(found, reverse=True)]
    if not show.body({"items": items}, output=output):
        nothing = f"Nothing about the {kind} {name} since {asked['since']}."
        show.listing(audit_places.COLUMNS, [audit_places.event(one) for one in items], nothing=nothing)


def _told(where: session.Session, asked: dict[str, Any]) -> list[Json]:
    """Events, newest first; none for an actor whom nobody here knows by that name any more."""
    try:
        return list(where.api.items(audit_places.at(where), **asked))
    except failures.Refused as refused:
        if "actor" not in refused.fields:
            raise
        return []


@report.command("waivers")
@click.option("--all", "every", is_flag=True, help="Those that are over too.")
@show.option("table", "json", "yaml")
@session.placed
def waivers(where: session.Session, *, every: bool, output: str) -> None:
    """Exceptions to policies in force now, in all projects, and how many releases each let through; `waiver-changes` is their past."""
    tenant = audit_places.tenant(where)
    projects = [one["metadata"]["name"] for one in where.api.items(f"{tenant}/projects")]
    found = [one for name in projects for one in where.api.items(f"{tenant}/projects/{name}/waivers")]
    items = [one for one in found if every or one["status"]["state"] == "in-force"]
    if not show.body({"items": items}, output=output):
        columns = (kinds.Column("NAME", "metadata.name"), kinds.Column("PROJECT", "metadata.project"), *kinds.WAIVER.columns)
        show.listing(columns, items, nothing="No waiver is in force.")


@report.command("access-review")
@show.option("table", "json", "yaml")
@session.placed
def access_review(where: session.Session, *, output: str) -> None:
    """Everybody and what they hold, now."""
    _show_people(where, lambda _: True, output=output)


def _show_people(where: session.Session, wanted: Callable[[Json], bool], *, output: str) -> None:
    place = f"/tenants/{where.context.tenant}/people" if where.context.tenant else "/people"
    items = [one for one in where.api.items(place) if wanted(one)]
    shown = [{**one, "state": "disabled" if one["disabled"] else "active"} for one in items]
    if not show.body({"items": items}, output=output):
        show.listing(_PEOPLE, shown, nothing="Nobody.")


@report.command("deployers")
@click.option("--only-in", default="", metavar="PROJECT", help="To this project alone.")
@click.option("--cluster", default="", metavar="NAME", help="To this cluster: by the projects that have apps on it.")
@show.option("table", "json", "yaml")
@session.placed
def deployers(where: session.Session, *, only_in: str, cluster: str, output: str) -> None:
    """Who can sync the apps of which project, now or once something holds; as `plane auth who-can sync app` for each."""
    tenant, items = audit_places.tenant(where), []
    projects = [only_in] if only_in else sorted(_projects_on(where, cluster))
    for project in projects:
        found = where.api.get(f"{tenant}/who-can", verb="sync", resource="app", project=project).body["items"]
        items += [{"project": project, **one} for one in found]
    if not show.body({"items": items}, output=output):
        names = ("project", "name", "kind", "role", "now", "because")
        nothing = "Nobody." if projects else f"No project has an app on cluster {cluster}." if cluster else "There is no project here."
        show.listing([kinds.Column(name.upper(), name) for name in names], items, nothing=nothing)


def _projects_on(where: session.Session, cluster: str) -> set[str]:
    tenant = audit_places.tenant(where)
    names = [one["metadata"]["name"] for one in where.api.items(f"{tenant}/projects")]
    apps = {name: where.api.items(f"{tenant}/projects/{name}/apps") for name in names}
    return {name for name, of in apps.items() if not cluster or any(one["spec"]["destination"].get("cluster") == cluster for one in of)}
