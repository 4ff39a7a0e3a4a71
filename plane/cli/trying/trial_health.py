"""`plane try health`."""

import contextlib
import functools

import click
import msgspec

from plane.adapters.scripting import scripts
from plane.cli import table
from plane.cli.trying import trial_files, trial_scripts
from plane.domain import objects
from plane.domain.health import health

FOLDER = click.Path(exists=True, file_okay=False)


class Judged(msgspec.Struct, frozen=True):
    """One object's line."""

    key: objects.ObjectKey
    status: health.Status
    message: str


@click.command("health")
@click.argument("files", nargs=-1, required=True, type=trial_files.FILE, metavar="FILE|DIR|-…")
@click.option("--scripts", "folder", type=FOLDER, help="Custom scripts: GROUP/KIND/health.lua as in Argo CD, or health.yaml with CEL.")
@trial_files.output_option("table", "json")
def command(files: tuple[str, ...], folder: str | None, output: str) -> None:
    """Judge the health of live objects in FILEs.

    Every document is judged on its own, in the order of input; the same object may come twice. A script for an
    object's kind is asked before the plane's own rules; `_` in its path stands for any group or kind.
    """
    with trial_files.refusals():
        found = trial_files.objects_in(files)
        own = trial_scripts.read(folder) if folder else ()
    with contextlib.closing(scripts.Scripts()) as runner:
        custom = functools.partial(runner.judge, own)
        judged = [_judged(manifest, custom) for manifest in found]
    if output == "json":
        trial_files.as_json(judged)
    else:
        table.show(["OBJECT", "HEALTH", "MESSAGE"], [[str(entry.key), entry.status, entry.message] for entry in judged])


def _judged(manifest: objects.Manifest, custom: health.Custom) -> Judged:
    outcome = health.judge(manifest.body, custom)
    return Judged(manifest.key, outcome.status, outcome.message)
