"""`plane try health`."""

import click
import msgspec

from plane.cli import table, trial_files
from plane.domain import health, objects


class Judged(msgspec.Struct, frozen=True):
    """One object's line."""

    key: objects.ObjectKey
    status: health.Status
    message: str


@click.command("health")
@click.argument("files", nargs=-1, required=True, type=trial_files.FILE, metavar="FILE|DIR|-…")
@trial_files.output_option("table", "json")
def command(files: tuple[str, ...], output: str) -> None:
    """How the objects in FILEs are, as the cluster returned them.

    Every document is judged on its own, in the order of input; the same object may come twice.
    """
    with trial_files.refusals():
        found = trial_files.objects_in(files)
    judged = [_judged(manifest) for manifest in found]
    if output == "json":
        trial_files.as_json(judged)
    else:
        table.show(["OBJECT", "HEALTH", "MESSAGE"], [[str(entry.key), entry.status, entry.message] for entry in judged])


def _judged(manifest: objects.Manifest) -> Judged:
    outcome = health.judge(manifest.body)
    return Judged(manifest.key, outcome.status, outcome.message)
