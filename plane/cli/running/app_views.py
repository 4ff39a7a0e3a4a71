"""`plane app diff|explain|history|resources|manifests`: looking at an app without changing anything."""

import datetime as dt
from typing import Any

import click

from plane.cli import apply, client, console, failures, kinds, nouns, session, show, times
from plane.cli.running import local
from plane.domain.reading import yaml_text

Json = client.Json
name_argument = nouns.named(kinds.APP)

_RESOURCE = "Only these objects; `!` excludes, `*` is any; repeatable."
_HISTORY = (
    kinds.Column("NUMBER", "number"),
    kinds.Column("WHEN", "finishedAt", "age"),
    kinds.Column("REVISION", "commit", "short"),
    kinds.Column("RELEASE", "release", "short"),
    kinds.Column("HEALTHY", "healthyAt", "age"),
    kinds.Column("TRIGGER", "trigger"),
    kinds.Column("BY", "actor"),
)
_CHANGES = (
    kinds.Column("WHEN", "at"),
    kinds.Column("OBJECT", "object"),
    kinds.Column("FROM", "before"),
    kinds.Column("TO", "after"),
    kinds.Column("BECAUSE", "message"),
)
_RESOURCES = (
    kinds.Column("GROUP", "group"),
    kinds.Column("KIND", "kind"),
    kinds.Column("NAMESPACE", "namespace"),
    kinds.Column("NAME", "name"),
    kinds.Column("SYNC", "sync"),
    kinds.Column("HEALTH", "health"),
    kinds.Column("DIFFERS", "fields", "words"),
    kinds.Column("EXTRA", "extra", "count"),
    kinds.Column("MESSAGE", "message"),
)


def terms(function: session.Command) -> session.Command:
    """--resource, --selector, --strategy and --sync-option: what one sync is told."""
    for option in reversed(_TERMS):
        function = option(function)
    return function


_TERMS = (
    click.option("--resource", "resources", multiple=True, metavar="GROUP:KIND:[NS/]NAME", help=_RESOURCE),
    click.option("-l", "--selector", "labels", default="", help="Only objects that match this label selector."),
    click.option("--strategy", type=click.Choice(["hook", "apply"]), default="hook", show_default=True, help="apply: run no hooks."),
    click.option(
        "--sync-option",
        "sync_options",
        multiple=True,
        metavar="NAME=VALUE",
        help="Override one of the app's syncOptions, once; repeatable.",
    ),
)


def wish(given: Json) -> Json:
    """Options of the command line as fields of the request."""
    return {_FIELDS.get(name, name): list(value) if isinstance(value, tuple) else value for name, value in given.items()}


_FIELDS = {"dry_run": "dryRun", "sync_options": "syncOptions"}


@click.command("diff")
@name_argument
@click.option("--show-ignored", "ignored", is_flag=True, help="Also show, dimmed, what ignoreDifferences hides.")
@local.option
@show.option("table", "json", "yaml")
@session.placed
def diff(where: session.Session, *, name: str, output: str, ignored: bool, folders: tuple[str, ...]) -> None:
    """Show what a sync would change in the cluster: exit 0 nothing, 1 something, 2 and above on an error.

    The API server's dry run is asked, so what it fills in or spells in another way is no difference. Objects that a sync
    takes over from kubectl, Helm, Argo CD or Flux say so. What others added is listed below and is no difference.
    """
    try:
        found = _compared(where, name, folders, ignored=ignored)
    except failures.Failed as failure:
        raise apply.exceeding(failure) from failure
    if not show.body(found, output=output):
        _print_differences(found)
    if found["items"]:
        raise click.exceptions.Exit(failures.DIFFERS)


def _compared(where: session.Session, name: str, folders: tuple[str, ...], *, ignored: bool) -> Json:
    if folders:
        found = where.api.call("POST", at(where, name, "diff-local"), body=local.body(folders) | {"ignored": ignored}).body
    else:
        found = where.api.get(at(where, name, "diff"), **({"ignored": "true"} if ignored else {})).body
    return dict(found)


@click.command("explain")
@name_argument
@show.option("table", "json", "yaml")
@session.placed
def explain(where: session.Session, *, name: str, output: str) -> None:
    """Explain an app's state: why it is not synced or healthy, and what to do."""
    found = where.api.get(at(where, name, "explain")).body
    if show.body(found, output=output):
        return
    console.output().print(console.cell(str(found["sentence"])), soft_wrap=True)
    show.facts(_facts(found))
    for judged in found.get("violations") or ():
        click.echo(failures.visible(f"  {_judged(judged)}"))
    for sentence in found.get("warnings") or ():
        click.echo(failures.visible(f"Warning: {sentence}"), err=True)


def _judged(judged: dict[str, Any]) -> str:
    """One violation with how it counts, and why it does not."""
    violation = judged.get("violation", judged)
    waived = f" (waived by {judged['waiver']})" if judged.get("waiver") else ""
    return f"{judged.get('mode', 'deny')}{waived}: {violation['policy']}/{violation['rule']}: {violation['message']}"


@click.command("history")
@name_argument
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show at most this many.")
@show.option("table", "json", "yaml")
@session.placed
def history(where: session.Session, *, name: str, limit: int, output: str) -> None:
    """List successful syncs, newest first; `plane app rollback` takes their numbers."""
    _list(where.api.items(at(where, name, "history"), limit=limit), _HISTORY, output=output, nothing=f"app/{name} has never been synced.")


@click.command("health")
@name_argument
@click.option("--since", default="", metavar="TIME", help="Changes since: 24h, 7d, 2026-11-21T10:00:00Z.")
@click.option("--kind", default="", help="Of objects of this kind.")
@click.option("--object", "called", default="", metavar="NAME", help="Of objects of this name.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many.")
@show.option("table", "json", "yaml")
@session.placed
def health(where: session.Session, *, name: str, since: str, limit: int, output: str, **asked: str) -> None:
    """List changes of the app's health and of its objects' health, newest first."""
    terms_ = {"since": times.since(since, now=dt.datetime.now(dt.UTC)) if since else "", "kind": asked["kind"], "name": asked["called"]}
    found = where.api.items(at(where, name, "health"), limit=limit, **{field: value for field, value in terms_.items() if value})
    shown = [{**item, "object": key(item) if item.get("kind") else f"app/{name}"} for item in found]
    _list(shown, _CHANGES, output=output, nothing=f"No change of health of app/{name} is known from that time.")


@click.command("resources")
@name_argument
@show.option("table", "json", "yaml")
@session.placed
def resources(where: session.Session, *, name: str, output: str) -> None:
    """List the app's objects with their sync status and health."""
    nothing = f"No agent has reported an object of app/{name}; `plane app explain {name}` says why."
    _list(where.api.items(at(where, name, "resources")), _RESOURCES, output=output, nothing=nothing)


@click.command("manifests")
@name_argument
@click.option("--release", default="", metavar="DIGEST", help="The release, as in `plane app history -o json`; default: the newest.")
@show.option("yaml", "json")
@session.placed
def manifests(where: session.Session, *, name: str, release: str, output: str) -> None:
    """Print the objects of a release in apply order; secret values show as fingerprints."""
    found = where.api.get(at(where, name, f"releases/{release}" if release else "manifests")).body
    if output == "json":
        show.as_json(found)
    else:
        click.echo("---\n".join(yaml_text.dump(each) for each in found["manifests"]), nl=False)


def key(item: Json) -> str:
    """`apps/Deployment/shop/web`."""
    return "/".join(part for part in (item.get("group"), item["kind"], item.get("namespace"), item["name"]) if part)


def _print_differences(found: Json) -> None:
    for item in found["items"]:
        if item.get("former"):
            click.echo(failures.visible(f"{key(item)}: taken over from {', '.join(item['former'])}"))
        apply.print_diff([f"--- cluster/{key(item)}", f"+++ git/{key(item)}", *_changes(item["diff"])])
    for item in found.get("ignored", ()):
        apply.print_diff([f"--- cluster/{key(item)}", f"+++ ignored/{key(item)}", *_changes(item["diff"])], dimmed=True)
    for item in found.get("extra", ()):
        for one in item["extra"]:
            click.echo(
                failures.visible(
                    f"extra: {key(item)}: {one['pointer'] or 'the whole object'} was added by {one['manager']}, last at {one['time']}"
                )
            )


def _changes(text: str) -> list[str]:
    """The lines of a unified diff below its two of header; which sides they are is said here."""
    return text.splitlines()[2:]


def at(where: session.Session, name: str, view: str) -> str:
    """The path of something about an app."""
    return f"{kinds.path(kinds.APP, where, name)}/{view}"


def _list(found: Any, columns: tuple[kinds.Column, ...], *, output: str, nothing: str) -> None:  # noqa: ANN401 any JSON
    items = list(found)
    if not show.body({"items": items}, output=output):
        show.listing(columns, items, nothing=nothing)


def _facts(found: Json) -> list[tuple[str, str]]:
    steps = [(str(step["name"]), f"{step['status']}: {step['sentence']}") for step in found.get("steps") or ()]
    health_since = f" since {found['healthSince']}" if found.get("healthSince") else ""
    because = f" because {found['healthMessage']}" if found.get("healthMessage") else ""
    known = {"since": found.get("since"), "sync": found.get("sync"), "health": f"{found.get('health')}{health_since}{because}"}
    named = [(name, str(value)) for name, value in known.items() if value]
    return [*named, *steps, *((str(name), str(value)) for name, value in (found.get("facts") or {}).items())]
