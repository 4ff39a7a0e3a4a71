"""`plane app`: what one does with an app."""

from typing import Any, Unpack

import click
import msgspec

from plane.cli import client, failures, get, kinds, nouns, session, show
from plane.cli.running import actions, app_plans, app_views, holds, live, local, logs, watch

Json = client.Json

app = nouns.group(kinds.APP, "Apps: each keeps a cluster in sync with a path in Git.")
name_argument = nouns.named(kinds.APP)

for view in (live.live, live.tree, live.events, logs.logs):
    app.add_command(view)
for change in (actions.group, actions.patch, actions.delete):
    app.add_command(change)
for view in (
    app_views.diff,
    app_plans.plan,
    app_plans.plans,
    app_views.explain,
    app_views.history,
    app_views.health,
    app_views.resources,
    app_views.manifests,
    watch.wait,
):
    app.add_command(view)
for order in holds.commands(kinds.APP, "an app"):
    app.add_command(order)


class Wish(msgspec.Struct, frozen=True):
    """An app as flags describe it."""

    repo: str
    path: str
    revision: str
    cluster: str
    namespace: str
    automated: bool
    prune: bool
    self_heal: bool

    def spec(self) -> Json:
        """As a document's spec."""
        destination = {"cluster": self.cluster, "namespace": self.namespace}
        spec: Json = {"source": {"repoURL": self.repo, "path": self.path, "targetRevision": self.revision}, "destination": destination}
        if self.automated:
            spec["syncPolicy"] = {"automated": {"prune": self.prune, "selfHeal": self.self_heal}}
        return spec


@app.command("create")
@click.argument("name")
@click.option("--repo", required=True, metavar="URL", help="URL of one of the project's repositories.")
@click.option("--path", default=".", show_default=True, help="Folder of the repository.")
@click.option("--revision", default="HEAD", show_default=True, help="Branch, tag or commit.")
@click.option("--cluster", required=True, help="Destination cluster.")
@click.option("--namespace", default="", help="Destination namespace, for objects that name none.")
@click.option("--automated", is_flag=True, help="Sync automatically.")
@click.option("--prune", is_flag=True, help="With --automated: delete objects that are no longer in Git.")
@click.option("--self-heal", is_flag=True, help="With --automated: revert drift in the cluster.")
@show.option("table", "json", "yaml", "name")
@session.placed
def create(where: session.Session, *, name: str, output: str, **flags: str) -> None:
    """Create an app from flags; for all fields, write a document and `plane apply` it."""
    wish = msgspec.convert(flags, Wish)
    if (wish.prune or wish.self_heal) and not wish.automated:
        raise failures.WrongUse("--prune and --self-heal say how to sync without a person; add --automated")
    get.create(where, kinds.APP, name, {"spec": wish.spec()}, output=output)


@app.command("delete")
@name_argument
@click.option("--keep-objects", is_flag=True, help="Leave its objects in the cluster, unmanaged.")
@session.placed
def delete(where: session.Session, *, name: str, keep_objects: bool) -> None:
    """Delete an app and its objects; `plane app wait --deleted` waits until they are gone."""
    get.remove(where, kinds.APP, name, cascade="false" if keep_objects else "")


@app.command("refresh")
@name_argument
@click.option("--hard", is_flag=True, help="Render again even if nothing changed in Git.")
@session.placed
def refresh(where: session.Session, *, name: str, hard: bool) -> None:
    """Look at the repository now instead of at the next poll."""
    act(where, name, "refresh", {"hard": hard})
    click.echo(f"app/{name} refreshing; see what comes of it with `plane app explain {name}`")


@app.command("sync")
@name_argument
@click.option("--prune", is_flag=True, help="Delete objects that are no longer in Git.")
@click.option("--dry-run", is_flag=True, help="Have the API server check everything and change nothing.")
@click.option("--force", is_flag=True, help="Delete and recreate objects that cannot be changed in place.")
@click.option("--revision", default="", metavar="REV", help="A branch, tag or commit instead of the app's own, once.")
@click.option(
    "--plan", default="", metavar="PLAN", help="A saved plan (`plane app plan --save`) by number or name: do exactly that, or nothing."
)
@local.option
@app_views.terms
@watch.options
@session.placed
def sync(where: session.Session, *, name: str, folders: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 each option of its own type
    """Sync an app: bring the cluster to what Git wants.

    With --resource or --selector only some objects: then no hook runs, and the sync is no entry of the history to roll back to.
    On a terminal, and with --watch, it follows the sync to its end: exit 0 when it succeeded, 1 when it failed or did not end in time.
    """
    following = {option: given.pop(option) for option in watch.Following.__annotations__}
    local.refuse_revision(given, folders)
    wish = app_views.wish(given) | local.body(folders)
    watch.follow(where, name, act(where, name, "sync-local" if folders else "sync", wish), **following)


@app.command("rollback")
@name_argument
@click.argument("number", type=click.IntRange(1))
@click.option("--prune", is_flag=True, help="Delete objects that the older release does not contain.")
@click.option("--dry-run", is_flag=True, help="Have the API server check everything and change nothing.")
@watch.options
@session.placed
def rollback(where: session.Session, *, name: str, number: int, prune: bool, dry_run: bool, **following: Unpack[watch.Following]) -> None:
    """Roll back to entry NUMBER of `plane app history`."""
    operation = act(where, name, "rollback", {"number": number, "prune": prune, "dryRun": dry_run})
    watch.follow(where, name, operation, **following)


@app.command("approve")
@name_argument
@click.option("--release", default="", metavar="DIGEST", help="The release to approve; default: the one that is waiting.")
@watch.options
@session.placed
def approve(where: session.Session, *, name: str, release: str, **following: Unpack[watch.Following]) -> None:
    """Approve what a sync or removal is waiting for: deletions, or a policy's require-approval."""
    operation = act(where, name, "approve", {"release": release})
    with watch.goes(name):
        watch.follow(where, name, operation, **following)


@app.command("terminate")
@name_argument
@session.placed
def terminate(where: session.Session, *, name: str) -> None:
    """Terminate the running sync; what it has done so far stays."""
    act(where, name, "terminate", None)
    click.echo(f"app/{name} terminating")


def act(where: session.Session, name: str, verb: str, body: Json | None) -> Json:
    """Ask for an operation on an app."""
    found = where.api.call("POST", f"{kinds.path(kinds.APP, where, name)}/{verb}", body=body).body
    return found if isinstance(found, dict) else {}
