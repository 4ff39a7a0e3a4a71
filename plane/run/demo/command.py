"""`plane demo`."""

import pathlib
import sys
import tempfile

import click

from plane.run.demo import story


@click.command("demo")
@click.option("--context", default="", help="Use this context of your kubeconfig instead of clusters of the demo's own.")
@click.option("--stay/--no-stay", default=None, help="Keep everything running at the end; the default on a terminal.")
def command(context: str, *, stay: bool | None) -> None:
    """Two tenants, two clusters, a Git host, a Vault: the whole flow on real parts, told line by line."""
    with tempfile.TemporaryDirectory(prefix="plane-demo-") as folder:
        story.play(pathlib.Path(folder), context=context, stay=sys.stdout.isatty() if stay is None else stay)
