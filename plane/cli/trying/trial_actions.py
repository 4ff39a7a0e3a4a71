"""`plane try actions`."""

import contextlib
import datetime as dt
import pathlib
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from plane.adapters.scripting import custom_actions, scripts
from plane.cli import params as words
from plane.cli import table
from plane.cli.trying import trial_files
from plane.domain import errors, levels, objects
from plane.domain.acting import action_scripts, actions
from plane.domain.health import health_scripts

FOLDER = click.Path(exists=True, file_okay=False)
LAYOUT = "lay scripts out as GROUP/KIND/actions/discovery.lua and GROUP/KIND/actions/NAME/action.lua, with _ for any group or kind"


class Listed(msgspec.Struct, frozen=True):
    """One object's actions."""

    key: objects.ObjectKey
    actions: tuple[actions.Action, ...]


class Done(msgspec.Struct, frozen=True):
    """What an action would do to one object."""

    key: objects.ObjectKey
    patch: dict[str, Any]
    create: tuple[dict[str, Any], ...]


@click.command("actions")
@click.argument("files", nargs=-1, required=True, type=trial_files.FILE, metavar="FILE|DIR|-…")
@click.option(
    "--scripts", "folder", type=FOLDER, help="Custom actions, laid out as Argo CD's; they replace the built-in ones of their kind."
)
@click.option("--run", "action", default="", metavar="NAME", help="Show what this action would do.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Parameter of the action; repeatable.")
@trial_files.output_option("table", "json")
def command(files: tuple[str, ...], folder: str | None, action: str, params: tuple[str, ...], output: str) -> None:
    """List the actions on live objects in FILES; with --run, show what an action writes and creates."""
    given = words.read(params)
    with trial_files.refusals(), contextlib.closing(scripts.Scripts()) as runner:
        own = tuple(_read(folder)) if folder else ()
        found = [(one.key, levels.find(own, one.key.group, one.key.kind), one.body) for one in trial_files.objects_in(files)]
        if action:
            now = dt.datetime.now(dt.UTC)
            changes = [(key, custom_actions.change(runner, source, body, action, given, now=now)) for key, source, body in found]
            _show_done([Done(key, change.patch, change.create) for key, change in changes], output=output)
        else:
            _show_listed([Listed(key, custom_actions.of(runner, source, body)) for key, source, body in found], output=output)


def _read(folder: str) -> Iterator[action_scripts.Source]:
    """The scripts below a folder.

    Raises:
        Invalid: scripts that lie in no kind's folder, or cannot be read; or none at all.
    """
    root = pathlib.Path(folder)
    paths = sorted(root.rglob("actions/discovery.lua"))
    if not paths:
        raise errors.Invalid({folder: f"holds no actions; {LAYOUT}"})
    for path in paths:
        kind = health_scripts.placed(path.relative_to(root).parts[:-2])
        if kind is None:
            raise errors.Invalid({str(path): LAYOUT})
        definitions = {one.parent.name: _text(one) for one in sorted(path.parent.glob("*/action.lua"))}
        yield action_scripts.Source(*kind, _text(path), definitions, name=str(path.parent))


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as e:
        raise errors.Invalid({str(path): "cannot be read as text"}) from e


def _show_listed(found: list[Listed], *, output: str) -> None:
    if output == "json":
        trial_files.as_json(found)
        return
    rows = [
        [str(one.key), each.name, _told(each), each.reason or ("yes" if each.disabled else "")] for one in found for each in one.actions
    ]
    table.show(["OBJECT", "ACTION", "PARAMETERS", "NOT NOW"], rows)


def _told(action: actions.Action) -> str:
    return ", ".join(f"{each.name}={each.default}" if each.default else each.name for each in action.parameters)


def _show_done(found: list[Done], *, output: str) -> None:
    if output == "json":
        trial_files.as_json(found)
        return
    for one in found:
        click.echo(f"{one.key}: patch {msgspec.json.encode(one.patch).decode()}" if one.patch else f"{one.key}: nothing to patch")
        for made in one.create:
            click.echo(f"{one.key}: create {objects.key_of(made)}")
