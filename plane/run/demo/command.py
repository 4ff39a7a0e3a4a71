"""`plane demo`."""

import pathlib
import sys
import tempfile

import click

from plane.run.demo import story


@click.command("demo")
@click.option("--context", default="", help="Use this kubeconfig context instead of starting two clusters.")
@click.option("--stay/--no-stay", default=None, help="Keep everything running at the end; default: on a terminal.")
def command(context: str, *, stay: bool | None) -> None:
    """Play the whole flow on this machine: two tenants, two clusters, a Git host, a Vault."""
    with tempfile.TemporaryDirectory(prefix="plane-demo-") as folder:
        story.play(pathlib.Path(folder), context=context, stay=sys.stdout.isatty() if stay is None else stay)
