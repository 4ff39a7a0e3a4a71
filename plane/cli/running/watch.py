"""Following a sync to its end, and waiting for an app to be well."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import NoReturn, TypedDict, Unpack

import click
import msgspec
from rich import status as rich_status
from rich import text as rich_text

from plane.cli import client, console, failures, kinds, news, nouns, session, show, times

Json = client.Json
STANDING = {"policy-refused", "source-failed", "empty-render", "cluster-unknown", "cluster-never-joined", "cluster-revoked"}
DECIDED_S = 3.0  # a worker decides within one; what stood before the request may be seen until then
DECIDING = "waiting for the plane's decision"
_WORD = 14  # HookSucceeded and a blank
RECENT = 20  # tasks of one app that can have come up between two looks


class Following(TypedDict):
    """How to follow an operation; None: on a terminal."""

    watch: bool | None
    timeout: str
    output: str


class Sight(msgspec.Struct, frozen=True):
    """One look: the app's document, and its task with results once there is one."""

    app: Json
    task: Json | None


def options(function: session.Command) -> session.Command:
    """--watch, --timeout and -o."""
    watching = click.option("--watch/--no-watch", "watch", default=None, help="Follow it to its end; default: on a terminal.")
    timeout = click.option("--timeout", default="5m", show_default=True, help="Stop following after this long.")
    return watching(timeout(show.option("table", "json")(function)))


def follow(where: session.Session, name: str, operation: Json, **how: Unpack[Following]) -> None:
    """Follow the operation as far as the person wants; Failed when it does not succeed."""
    watching = sys.stdout.isatty() if how["watch"] is None else how["watch"]
    if not watching:
        if not show.body(operation, output=how["output"]):
            click.echo(f"app/{name} syncing; follow it with `plane app wait {name}`")
        return
    generation = int(kinds.dig(operation, "status.generation") or operation.get("generation") or 0)
    task = _followed(where, name, after=generation, how=how)
    if how["output"] == "json":
        show.as_json(task)
    _conclude(name, task, quiet=how["output"] == "json")


@click.command("wait")
@nouns.named(kinds.APP)
@click.option("--health", is_flag=True, help="Wait until it is healthy.")
@click.option("--sync", is_flag=True, help="Wait until it is synced.")
@click.option("--deleted", is_flag=True, help="Wait until it is deleted.")
@click.option("--timeout", default="5m", show_default=True, help="How long to wait.")
@session.placed
def wait(where: session.Session, *, name: str, health: bool, sync: bool, deleted: bool, timeout: str) -> None:
    """Wait until an app is synced and healthy, or as the flags say: exit 0 then, 1 on timeout."""
    seconds, app = times.span(timeout).total_seconds(), {}
    with goes(name) if deleted else contextlib.nullcontext():
        for app in news.looks(where, name, seconds=seconds):
            if not deleted and settled(app, health=health or not sync, sync=sync or not health):
                click.echo(f"app/{name} {_state(app)}")
                return
        _give_up(name, app, timeout)


def _give_up(name: str, app: Json, timeout: str) -> NoReturn:
    why = kinds.dig(app, "status.decision.sentence") or kinds.dig(app, "status.message") or "no reason is known"
    raise failures.Failed(f"app/{name} is still {_state(app)} after {timeout}: {why}", details=(f"see `plane app explain {name}`",))


@contextlib.contextmanager
def goes(name: str) -> Iterator[None]:
    """For work at whose end the app may be gone: that is a good end."""
    try:
        yield
    except failures.Refused as refusal:
        if refusal.code != failures.NOT_FOUND:
            raise
        click.echo(f"app/{name} is gone")


def settled(app: Json, *, health: bool, sync: bool) -> bool:
    """Whether the app is as wanted, with nothing asked for or under way that would change it."""
    status = app["status"]
    operation = status.get("operation")
    busy = bool(status.get("requested")) or (operation is not None and not operation.get("outcome"))
    return not busy and (not health or status.get("health") == "Healthy") and (not sync or status.get("sync") == "Synced")


def _followed(where: session.Session, name: str, *, after: int, how: Following) -> Json:
    """The finished task; prints what happens meanwhile."""
    out = console.output(err=how["output"] == "json")
    seconds, begun, said = times.span(how["timeout"]).total_seconds(), time.monotonic(), Said()
    with rich_status.Status(f"app/{name}: {DECIDING}", console=out) as line:
        for app in news.looks(where, name, seconds=seconds):
            sight = Sight(app, _task(where, name, after=after))
            for text in said.fresh(sight.task):
                out.print(text, soft_wrap=True)
            if sight.task and sight.task["state"] == "done":
                return sight.task
            _check_refused(sight, after)
            if time.monotonic() - begun > DECIDED_S:
                _check_standing(name, sight)
            line.update(_line(name, sight))
    raise failures.Failed(f"app/{name} is still syncing after {how['timeout']}; it goes on: see `plane app explain {name}`")


class Said:
    """Which results were printed already."""

    def __init__(self) -> None:
        self._known: set[tuple[object, ...]] = set()
        self._heading: tuple[str, int] | None = None

    def fresh(self, task: Json | None) -> list[rich_text.Text]:
        """Lines for the results that are new, a heading before each phase and wave."""
        lines: list[rich_text.Text] = []
        for result in (task or {}).get("results") or ():
            seen = tuple(result.get(field, "") for field in ("phase", "wave", "group", "kind", "namespace", "name", "result", "message"))
            if seen in self._known:
                continue
            self._known.add(seen)
            heading = (str(result.get("phase") or "Sync"), int(result.get("wave") or 0))
            if heading != self._heading:
                self._heading = heading
                lines.append(rich_text.Text(f"{heading[0]}, wave {heading[1]}"))
            lines.append(_result(result))
        return lines


def _result(result: Json) -> rich_text.Text:
    word = console.cell(str(result["result"]))
    word.truncate(_WORD, pad=True)
    place = "/".join(part for part in (result.get("namespace"), result["name"]) if part)
    message = f": {result['message']}" if result.get("message") else ""
    return rich_text.Text("  ").append_text(word).append_text(console.cell(f"{result['kind']} {place}{message}"))


def _task(where: session.Session, name: str, *, after: int) -> Json | None:
    """The app's first task above a generation."""
    path = f"{kinds.path(kinds.APP, where, name)}/tasks"
    found = [task for task in where.api.items(path, limit=RECENT) if task["generation"] > after and task["kind"] in {"apply", "remove"}]
    if not found:
        return None
    body: Json = where.api.get(f"{path}/{min(found, key=lambda task: int(task['generation']))['id']}").body
    return body


def _check_refused(sight: Sight, after: int) -> None:
    """The request itself could not be done, and is forgotten."""
    status = sight.app["status"]
    decision = status.get("decision") or {}
    if decision.get("code") == "request-refused" and int(status["generation"]) > after:
        raise failures.Failed(str(decision.get("sentence")))


def _check_standing(name: str, sight: Sight) -> None:
    """A decision that no waiting will change."""
    decision = kinds.dig(sight.app, "status.decision") or {}
    if sight.task is None and decision.get("code") in STANDING:
        stays = f"the request stays and is done once that is mended; `plane app terminate {name}` takes it back"
        raise failures.Failed(str(decision.get("sentence")), details=(stays,))


def _line(name: str, sight: Sight) -> rich_text.Text:
    """What lives at the foot of the terminal: one line, whatever it says."""
    decision, task = kinds.dig(sight.app, "status.decision") or {}, sight.task
    if task:
        said = f"{task.get('phase') or task['state']}, {len(task.get('results') or ())} objects done {task.get('message') or ''}"
    else:
        said = str(decision["sentence"]) if decision.get("code") in STANDING else DECIDING
    return rich_text.Text(failures.visible(f"app/{name}: {said}"), no_wrap=True, overflow="ellipsis")


def _conclude(name: str, task: Json, *, quiet: bool) -> None:
    results = task.get("results") or []
    counts = ", ".join(
        f"{sum(each['result'] == word for each in results)} {word}" for word in dict.fromkeys(each["result"] for each in results)
    )
    if task["outcome"] == "succeeded":
        click.echo(f"app/{name} synced to {task['commit'][:12]}: {counts or 'nothing to do'}", err=quiet)
        return
    broken = tuple(f"{each['kind']} {each['name']}: {each.get('message', '')}" for each in results if each["result"].endswith("Failed"))
    raise failures.Failed(f"app/{name}: the sync {task['outcome'] or 'ended'}: {task['message'] or 'no reason given'}", details=broken)


def _state(app: Json) -> str:
    status = app.get("status") or {}
    return f"{status.get('sync', 'Unknown')} and {status.get('health', 'Unknown')}"
