"""`plane healthcheck`: how kinds are judged."""

import pathlib

import click

from plane.cli import get, kinds, nouns, session, show

healthcheck = nouns.group(kinds.HEALTH_CHECK, "Custom health checks and actions; `-T -` for the platform's own, `-P` for a project's.")


@healthcheck.command("create")
@click.argument("name")
@click.option("--group", default="", help="API group of the kind; default: the core group; * for any.")
@click.option("--kind", required=True, help="The kind; * for any.")
@click.option("--cluster", default="", help="Only in this cluster; takes precedence over a check for all clusters.")
@click.option(
    "--lua",
    "script",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path),
    help="Lua script with Argo CD's interface.",
)
@show.option("table", "json", "yaml", "name")
@session.placed
def create(where: session.Session, *, name: str, script: pathlib.Path, output: str, **spec: str) -> None:
    """Create a health check from a Lua script; test it with `plane try health --scripts`. For CEL use `plane apply`."""
    get.create(where, kinds.HEALTH_CHECK, name, {"spec": {**spec, "lua": script.read_text(encoding="utf-8")}}, output=output)
