"""`plane version`."""

import click

from plane.cli import show
from plane.domain import version as release


@click.command()
@show.option("table", "json", "yaml")
def version(*, output: str) -> None:
    """Print the version of this program."""
    if not show.body({"version": release.VERSION}, output=output):
        click.echo(f"plane {release.VERSION}")
