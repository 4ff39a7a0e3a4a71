"""`plane healthcheck`: how kinds are judged."""

import pathlib

import click

from plane.cli import get, kinds, nouns, session, show

healthcheck = nouns.group(
    kinds.HEALTH_CHECK, "Health checks: scripts that say how a kind is; `-T -` for the platform's own, `-P` for a project's."
)


@healthcheck.command("create")
@click.argument("name")
@click.option("--group", default="", help="API group of the kind; none for the core group, * for any.")
@click.option("--kind", required=True, help="The kind; * for any.")
@click.option("--cluster", default="", help="Judge in this cluster alone, before checks of the same level that hold everywhere.")
@click.option(
    "--lua", "script", required=True, type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path), help="Argo CD's script."
)
@show.option("table", "json", "yaml", "name")
@session.placed
def create(where: session.Session, *, name: str, script: pathlib.Path, output: str, **spec: str) -> None:
    """Keep a Lua script as a health check; try it before with `plane try health --scripts`. CEL goes through `plane apply`."""
    get.create(where, kinds.HEALTH_CHECK, name, {"spec": {**spec, "lua": script.read_text(encoding="utf-8")}}, output=output)
