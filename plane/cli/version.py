"""`plane version`."""

import click

from plane.cli import client, show


@click.command()
@show.option("table", "json", "yaml")
def version(*, output: str) -> None:
    """Print the version of this program."""
    found = client.version()
    if not show.body({"version": found}, output=output):
        click.echo(f"plane {found}")
