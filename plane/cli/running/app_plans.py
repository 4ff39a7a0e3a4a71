"""`plane app plan|plans`: what a sync would do, kept to be compared with, or to be done exactly."""

from typing import Any

import click

from plane.cli import client, failures, kinds, session, show, table
from plane.cli.running import app_views

Json = client.Json
_COLUMNS = (
    kinds.Column("NUMBER", "number"),
    kinds.Column("NAME", "name"),
    kinds.Column("COMMIT", "commit", "short"),
    kinds.Column("BY", "madeBy"),
    kinds.Column("AGE", "madeAt", "age"),
)


@click.command("plan")
@app_views.name_argument
@click.option("--prune", is_flag=True, help="Plan a sync with --prune.")
@app_views.terms
@click.option("--save", is_flag=True, help="Save the plan for `plane app sync --plan` and --compare; an app keeps its newest 20.")
@click.option("--as", "kept_as", default="", metavar="NAME", help="With --save: a name for the plan, besides its number.")
@click.option("--compare", default="", metavar="PLAN", help="Show how the sync differs by now from a saved PLAN; exit 1 if it does.")
@show.option("table", "json", "yaml")
@session.placed
def plan(where: session.Session, *, name: str, save: bool, kept_as: str, compare: str, output: str, **given: Any) -> None:  # noqa: ANN401 each option of its own type
    """Show what the next sync would do, step by step; asks the app's agent and changes nothing.

    The JSON is that of `plane try plan`, with the release, what a person would be asked to agree to first, and warnings.
    A plan that is kept with --save can be done exactly: `plane app sync --plan` refuses when anything of it changed.
    """
    wish = {field: value for field, value in app_views.wish(given).items() if value and value != "hook"}
    if compare and (wish or save):
        raise failures.WrongUse("--compare brings what the kept plan was told; leave the other options out")
    if kept_as and not save:
        raise failures.WrongUse("--as names a plan that is kept; add --save")
    if compare:
        _compare(where, name, compare, output=output)
    elif save:
        _save(where, name, {**wish, **({"name": kept_as} if kept_as else {})}, output=output)
    else:
        asked = {field: ",".join(value) if isinstance(value, list) else value for field, value in wish.items()}
        found = where.api.get(app_views.at(where, name, "plan"), **asked).body
        if not show.body(found, output=output):
            _print(found)


@click.command("plans")
@app_views.name_argument
@click.argument("plan", default="", metavar="[PLAN]")
@show.option("table", "json", "yaml")
@session.placed
def plans(where: session.Session, *, name: str, plan: str, output: str) -> None:
    """List an app's saved plans, newest first, or show one by number or name."""
    if not plan:
        found = where.api.get(app_views.at(where, name, "plans")).body
        if not show.body(found, output=output):
            show.listing(_COLUMNS, found["items"], nothing=f"No plan of app {name} is kept; `plane app plan {name} --save` keeps one.")
        return
    kept = where.api.get(app_views.at(where, name, f"plans/{kinds.checked('plan', plan)}")).body
    if not show.body(kept, output=output):
        _print(kept["plan"])


def _save(where: session.Session, name: str, body: Json, *, output: str) -> None:
    kept = where.api.call("POST", app_views.at(where, name, "plans"), body=body).body
    if show.body(kept, output=output):
        return
    _print(kept["plan"])
    click.echo(f"kept as plan {kept['number']}; `plane app sync {name} --plan {kept['number']}` does exactly this, or nothing")


def _compare(where: session.Session, name: str, plan: str, *, output: str) -> None:
    found = where.api.get(app_views.at(where, name, f"plans/{kinds.checked('plan', plan)}/comparison")).body
    if not show.body(found, output=output):
        _print_differences(found)
    if not found["same"]:
        raise click.exceptions.Exit(failures.DIFFERS)


def _print_differences(found: Json) -> None:
    kept, now = found["kept"], found["now"]
    if found["same"]:
        click.echo(f"a sync would do exactly what plan {kept['number']} says")
        return
    if kept["release"] != now["release"]:
        click.echo(failures.visible(f"plan {kept['number']} is of commit {kept['commit'][:12]}; Git wants {now['commit'][:12]} by now"))
    rows = [[one["phase"], one["change"], app_views.key(one), one["was"] or "-", one["now"] or "-"] for one in found["differences"]]
    if rows:
        table.show(["PHASE", "CHANGE", "OBJECT", "WAS", "NOW"], rows)
    else:
        click.echo("the steps are the same; what they would write differs")


def _print(found: Json) -> None:
    rows = [
        [phase["phase"], str(wave["wave"]), step["action"], app_views.key(step), step.get("reason") or "-"]
        for phase in found["phases"]
        for wave in phase["waves"]
        for step in wave["steps"]
    ]
    table.show(["PHASE", "WAVE", "ACTION", "OBJECT", "WHY"], rows)
    for sentence in found["needsApproval"]:
        click.echo(failures.visible(f"A person must agree first: {sentence}"))
    for sentence in found["warnings"]:
        click.echo(failures.visible(f"Warning: {sentence}"), err=True)
