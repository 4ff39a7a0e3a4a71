"""`plane app actions|patch-object|delete-object`: changing one live object by hand."""

import sys
from typing import Any

import click
import msgspec

from plane import groups
from plane.cli import client, failures, kinds, nouns, params, session, show, table
from plane.cli.running import app_views, live
from plane.domain.reading import documents

Json = client.Json
name_argument = nouns.named(kinds.APP)
QUEUED = 202


def target(function: session.Command) -> session.Command:
    """The object, which must be named."""
    function = click.option("-n", "--namespace", "place", default="", help="Namespace of the object, if its name is ambiguous.")(function)
    return click.argument("target", metavar="[GROUP/]KIND/NAME")(function)


_version = click.option("--resource-version", default="", metavar="VERSION", help="Fail if the object has another resourceVersion by now.")


@click.group("actions", cls=groups.Group)
def group() -> None:
    """Resource actions: restart, scale, pause and others."""


@group.command("list")
@name_argument
@live.subject
@show.option("table", "json", "yaml")
@session.placed
def list_(where: session.Session, *, name: str, target: str, place: str, output: str) -> None:
    """List the actions available on an app's objects, or on one object of its tree."""
    found = where.api.get(_at(where, name, "actions"), **live.named(target, place)).body
    if not show.body(found, output=output):
        rows = [_row(item, action) for item in found["items"] for action in item["actions"]]
        if rows:
            table.show(["OBJECT", "ACTION", "PARAMETERS", "NOT NOW"], rows)
        else:
            click.echo("Nothing can be done to it; patch it, or change it in Git." if target else "No object of the app has actions.")
    live.warn(found)


@group.command("run")
@name_argument
@click.argument("action")
@target
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Parameter of the action; repeatable.")
@_version
@show.option("table", "json", "yaml")
@session.placed
def run(where: session.Session, *, name: str, action: str, **given: Any) -> None:  # noqa: ANN401 each option of its own type
    """Run ACTION on one object of an app's tree: `plane app actions run web scale Deployment/web --param replicas=3`."""
    told = params.read(given["params"])
    found = _found(where, name, given)
    order = _order(found, given) | {"action": action, "parameters": told}
    _tell(name, _send(where, name, "actions", order), f"{action} of {app_views.key(found)}", output=given["output"])


@click.command("patch-object")
@name_argument
@target
@click.option("-p", "--patch", "text", default="", metavar="JSON|YAML", help="The patch.")
@click.option("--patch-file", type=click.File("rb"), help="File that holds the patch; - for stdin.")
@click.option("--type", "kind", type=click.Choice(["merge", "json", "strategic"]), default="merge", show_default=True, help="Patch type.")
@click.option("--dry-run", is_flag=True, help="Show the result and change nothing.")
@_version
@show.option("table", "json", "yaml")
@session.placed
def patch(where: session.Session, *, name: str, **given: Any) -> None:  # noqa: ANN401 each option of its own type
    """Patch one live object of an app's tree. Git does not change: the next sync or self-heal reverts it."""
    body = _patch(given["text"], given["patch_file"])
    found = _found(where, name, given)
    order = _order(found, given) | {"patch": body, "type": given["kind"], "dryRun": given["dry_run"]}
    what = f"patch of {app_views.key(found)}{' (dry run)' if given['dry_run'] else ''}"
    _tell(name, _send(where, name, "patches", order), what, output=given["output"])


@click.command("delete-object")
@name_argument
@target
@click.option(
    "--propagation",
    type=click.Choice(["background", "foreground", "orphan"]),
    default="background",
    show_default=True,
    help="What happens to its dependents.",
)
@click.option("--grace-period", "grace", type=click.IntRange(0, 86400), metavar="SECONDS", help="Termination grace period.")
@click.option("--force", is_flag=True, help="Grace period 0.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@_version
@show.option("table", "json", "yaml")
@session.placed
def delete(where: session.Session, *, name: str, **given: Any) -> None:  # noqa: ANN401 each option of its own type
    """Delete one live object of an app's tree. What is in Git comes back with the next sync or self-heal."""
    if given["force"] and given["grace"]:
        raise failures.WrongUse("--force does not wait, so --grace-period has nothing to say; leave one of them out")
    found = _found(where, name, given)
    _agree(f"Delete {app_views.key(found)} of app/{name}?", yes=given["yes"])
    grace = {"graceSeconds": 0} if given["force"] else {} if given["grace"] is None else {"graceSeconds": given["grace"]}
    order = _order(found, given) | {"propagation": given["propagation"], **grace}
    _tell(name, _send(where, name, "deletions", order), f"deletion of {app_views.key(found)}", output=given["output"])


def _found(where: session.Session, name: str, given: Json) -> Json:
    """The one object that a person's words name."""
    items = where.api.get(_at(where, name, "actions"), **live.named(given["target"], given["place"])).body["items"]
    one: Json = items[0]
    return one


def _order(found: Json, given: Json) -> Json:
    """The object that was found, and no other of its name."""
    held = {"resourceVersion": given["resource_version"]} if given["resource_version"] else {}
    return {field: found[field] for field in ("group", "kind", "namespace", "name", "uid")} | held


def _send(where: session.Session, name: str, verb: str, order: Json) -> client.Reply:
    return where.api.call("POST", _at(where, name, verb), body=order)


def _tell(name: str, reply: client.Reply, what: str, *, output: str) -> None:
    """What came of it. Exit 1 while nobody knows."""
    found = reply.body if isinstance(reply.body, dict) else {}
    if not show.body(found, output=output):
        click.echo(failures.visible(f"{what}: {_summary(found, name)}"))
        for created in found.get("created") or ():
            click.echo(failures.visible(f"created {app_views.key(created)}"))
    live.warn(found)
    if reply.status == QUEUED:
        raise click.exceptions.Exit(failures.DIFFERS)


def _summary(found: Json, name: str) -> str:
    if found.get("state") != "done":
        return f"the agent has not answered yet; see `plane task get {name} {found.get('task', '')}`"
    if found.get("fields"):
        return f"changed {', '.join(found['fields'])}"
    return "done" if found.get("created") or not found.get("resourceVersion") else "nothing to change, or on its way"


def _patch(text: str, file: Any) -> Any:  # noqa: ANN401 an open file, any JSON data
    if bool(text) == (file is not None):
        raise failures.WrongUse("give the patch by --patch or by --patch-file")
    raw, name = (text.encode(), "--patch") if text else (file.read(), file.name)
    try:
        values = [one.value for one in documents.read(raw, file=name) if one.value is not None]
    except documents.Unreadable as e:
        raise failures.WrongUse(str(e)) from e
    if len(values) != 1:
        raise failures.WrongUse(f"{name} must hold one patch, JSON or YAML")
    return msgspec.to_builtins(values[0])


def _agree(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise failures.WrongUse(f"{question} There is nobody to ask; say --yes")
    if not click.confirm(failures.visible(question)):
        raise click.exceptions.Exit(failures.DIFFERS)


def _row(item: Json, action: Json) -> list[str]:
    known = ", ".join(f"{one['name']}={one['default']}" if one["default"] else one["name"] for one in action["parameters"])
    return [app_views.key(item), action["name"], known, action["reason"] or ("yes" if action["disabled"] else "")]


def _at(where: session.Session, name: str, verb: str) -> str:
    return f"{kinds.path(kinds.APP, where, name)}/{verb}"
