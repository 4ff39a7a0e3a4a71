"""`plane app logs`: what an app's containers say."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from plane.cli import client, failures, kinds, nouns, session, times
from plane.cli.running import live

Json = client.Json
name_argument = nouns.named(kinds.APP)

_CHOICES = (
    click.option("-c", "--container", default="", help="Container; default: the one kubectl would choose."),
    click.option("--all-containers", is_flag=True, help="All containers of each Pod."),
    click.option("-p", "--previous", is_flag=True, help="Logs of the previous container instance."),
    click.option("--since", default="", metavar="SPAN", help="Lines newer than 90s, 5m, 1h30m."),
    click.option("--since-time", default="", metavar="TIME", help="Lines since this time, RFC 3339."),
    click.option("--tail", type=click.IntRange(0), help="The last N lines of each container."),
    click.option("--filter", "text", default="", metavar="TEXT", help="Only lines that contain the text; !TEXT: only those that do not."),
    click.option("-f", "--follow", is_flag=True, help="Stream new lines."),
    click.option("--timestamps", is_flag=True, help="Prefix each line with its time."),
    click.option("--max-pods", type=click.IntRange(1, 50), default=20, show_default=True, help="Read at most this many Pods, the newest."),
)


def _choices(function: session.Command) -> session.Command:
    for option in reversed(_CHOICES):
        function = option(function)
    return function


@click.command("logs")
@name_argument
@live.subject
@_choices
@click.option("--prefix/--no-prefix", default=None, help="Prefix each line with Pod and container; default: when there are several.")
@session.placed
def logs(where: session.Session, *, name: str, target: str, place: str, prefix: bool | None, **given: Any) -> None:  # noqa: ANN401 each option of its own type
    """Print the logs of an app's Pods, or of one object's Pods, merged by time; needs the permission app:logs."""
    if given["since"] and given["since_time"]:
        raise failures.WrongUse("--since and --since-time exclude each other")
    path = f"{kinds.path(kinds.APP, where, name)}/logs"
    for line in lines(where.api.events(path, **live.named(target, place), **_asked(**given)), prefix=prefix):
        click.echo(line)


def lines(events: Iterable[client.Event], *, prefix: bool | None) -> Iterator[str]:
    """The lines of a stream as a person reads them; warnings go to stderr.

    Raises:
        Failed: the stream ended before the logs did.
    """
    prefixes: Sequence[str] = ()
    for event in events:
        if event.name == "gone":
            raise failures.Failed(str(event.body["detail"]))
        sources = event.body.get("sources")
        if sources:
            prefixes = [f"[pod/{one['pod']}/{one['container']}] " for one in sources]
            prefixes = prefixes if prefix or (prefix is None and len(sources) > 1) else [""] * len(sources)
        for run in event.body.get("runs") or ():
            yield from (failures.visible(prefixes[run["source"]] + line) for line in run["lines"])
        live.warn(event.body)
        if event.name == "done":
            return
    raise failures.Away("the plane closed the stream before the logs ended; ask again")


def _asked(*, since: str, text: str, tail: int | None, **given: Any) -> Json:  # noqa: ANN401 each option of its own type
    """As query parameters."""
    flags = {name: "true" for name in ("all_containers", "previous", "follow", "timestamps") if given[name]}
    asked = {
        "container": given["container"],
        "since_time": _instant(given["since_time"]),
        "filter": text,
        "tail": tail,
        "max_pods": given["max_pods"],
        "since_seconds": max(1, int(times.span(since).total_seconds())) if since else None,
        **flags,
    }
    return {_camel(name): value for name, value in asked.items()}


def _instant(text: str) -> str:
    return times.since(text, now=dt.datetime.now(dt.UTC)) if text else ""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
