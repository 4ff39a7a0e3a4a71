"""`plane app live|tree|events`: what is in the cluster at this moment, asked of the app's agent."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

import click
from rich import text as rich_text
from rich import tree as rich_tree

from plane.cli import client, console, failures, kinds, nouns, session, show, times
from plane.cli.running import app_views
from plane.domain.reading import yaml_text

Json = client.Json
name_argument = nouns.named(kinds.APP)
_LONGEST = 200  # letters of a message in the tree

_EVENTS = (
    kinds.Column("LAST", "last", "age"),
    kinds.Column("TYPE", "type"),
    kinds.Column("REASON", "reason"),
    kinds.Column("OBJECT", "object"),
    kinds.Column("COUNT", "count"),
    kinds.Column("MESSAGE", "message"),
)


def subject(function: session.Command) -> session.Command:
    """An optional object of the app, or of what descends from it."""
    function = click.option("-n", "--namespace", "place", default="", help="Namespace of the object, if its name is ambiguous.")(function)
    return click.argument("target", metavar="[[GROUP/]KIND/NAME]", default="")(function)


def named(target: str, place: str) -> Json:
    """`apps/Deployment/web` as query parameters."""
    if not target:
        return {}
    *group, kind, name = target.split("/") if "/" in target else ["", target]
    if not kind or not name or len(group) > 1:
        raise failures.WrongUse(f"{target!r} is no object; write KIND/NAME, or GROUP/KIND/NAME, for example Deployment/web")
    return {"group": "".join(group), "kind": kind, "name": name, "namespace": place}


@click.command("live")
@name_argument
@subject
@show.option("yaml", "json")
@session.placed
def live(where: session.Session, *, name: str, target: str, place: str, output: str) -> None:
    """Print an app's live objects, or one object of its tree; secret values are masked."""
    found = where.api.get(_at(where, name, "live"), **named(target, place)).body
    items = found["items"]
    if output == "json":
        show.as_json(items[0] if target else {"items": items})
    else:
        click.echo("---\n".join(yaml_text.dump(each) for each in items), nl=False)
    warn(found)


@click.command("events")
@name_argument
@subject
@show.option("table", "json", "yaml")
@session.placed
def events(where: session.Session, *, name: str, target: str, place: str, output: str) -> None:
    """List the Kubernetes events of an app's tree, newest last."""
    found = where.api.get(_at(where, name, "kube-events"), **named(target, place)).body
    if not show.body(found, output=output):
        items = [item | {"object": app_views.key(item)} for item in found["items"]]
        show.listing(_EVENTS, items, nothing="Kubernetes says nothing; it forgets events after an hour.")
    warn(found)


@click.command("tree")
@name_argument
@show.option("table", "json", "yaml")
@session.placed
def tree(where: session.Session, *, name: str, output: str) -> None:
    """Show an app's live objects with everything they own, and the network path to them."""
    found = where.api.get(_at(where, name, "tree")).body
    if show.body(found, output=output):
        warn(found)
        return
    out = console.output()
    out.print(_drawn(name, found["nodes"], now=dt.datetime.now(dt.UTC)), soft_wrap=True)
    for line in traffic(found):
        out.print(console.cell(line), soft_wrap=True)
    warn(found)


def traffic(found: Json) -> Iterable[str]:
    """`Service web → Pod web-a, web-b`, a line per source."""
    nodes = {node["uid"]: node for node in found["nodes"] if node.get("uid")}
    ends: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for edge in found["edges"]:
        target = nodes[edge["target"]]
        ends[edge["source"]][target["kind"]].append(target["name"])
    for source, several in ends.items():
        node = nodes[source]
        for kind, names in several.items():
            yield f"{node['kind']} {node['name']} → {kind} {', '.join(names)}"


def warn(found: Json) -> None:
    """What the agent left out."""
    for sentence in found.get("warnings") or ():
        click.echo(failures.visible(f"Warning: {sentence}"), err=True)


def _drawn(name: str, nodes: list[Json], *, now: dt.datetime) -> rich_tree.Tree:
    root = rich_tree.Tree(rich_text.Text(f"app/{name}", style="bold"))
    branches: dict[str, rich_tree.Tree] = {}
    for node in nodes:
        above = next((branches[uid] for uid in node.get("parents") or () if uid in branches), root)
        drawn = above.add(_line(node, now=now))
        if node.get("uid"):
            branches[node["uid"]] = drawn
    return root


def _line(node: Mapping[str, object], *, now: dt.datetime) -> rich_text.Text:
    """`Pod web-1  Healthy  1/1  2 restarts  5m  registry.example/app:1`."""
    line = rich_text.Text(failures.visible(f"{node['kind']} {node['name']}"))
    restarts = f"{node['restarts']} restarts" if node.get("restarts") else ""
    age = times.age(str(node["created"]), now=now) if node.get("created") else ""
    words = [node.get("health"), node.get("sync"), node.get("ready"), restarts, age, *_listed(node.get("images"))]
    for word in filter(None, [*words, str(node.get("message") or "")[:_LONGEST]]):
        line.append("  ").append_text(console.cell(str(word)))
    return line


def _listed(images: object) -> list[object]:
    return list(images) if isinstance(images, list) else []


def _at(where: session.Session, name: str, view: str) -> str:
    return f"{kinds.path(kinds.APP, where, name)}/{view}"
