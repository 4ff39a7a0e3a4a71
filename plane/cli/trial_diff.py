"""`plane try diff`."""

import sys

import click

from plane.cli import failures, table, trial_files
from plane.domain import diff, kinds, objects, waves

Pair = tuple[objects.Manifest | None, objects.Manifest | None]  # desired, live


@click.command("diff")
@click.option("--desired", required=True, multiple=True, type=trial_files.FILE, help="Objects as Git wants them; a file, a folder or -.")
@click.option("--live", required=True, multiple=True, type=trial_files.FILE, help="Objects as the cluster returns them.")
@trial_files.namespace_option
@trial_files.output_option("table", "diff", "json")
def command(desired: tuple[str, ...], live: tuple[str, ...], namespace: str, output: str) -> None:
    """What an apply would change.

    What the API server fills in, and what somebody else added, is no difference. Live objects that are not desired
    would be deleted; hooks are not compared. Exit code 0: nothing differs, 1: something does, 2: wrong use.
    """
    with trial_files.refusals():
        pairs = matched(trial_files.unique(desired), trial_files.unique(live), namespace)
    found = [(change, pair) for pair in pairs if (change := changed(pair))]
    if output == "json":
        trial_files.as_json([change for change, _ in found])
    elif output == "diff":
        for _, (wanted, there) in found:
            click.echo(diff.text(wanted.body if wanted else None, there.body if there else None))
    elif found:
        table.show(["OBJECT", "ACTION", "FIELDS"], [[str(change.key), change.action, ", ".join(change.fields)] for change, _ in found])
    sys.exit(failures.DIFFERS if found else 0)


def matched(desired: tuple[objects.Manifest, ...], live: tuple[objects.Manifest, ...], namespace: str) -> list[Pair]:
    """Desired objects with their live ones in order, then the live ones nobody wants; without hooks and what is skipped."""
    known = kinds.defined((*desired, *live))
    there = {trial_files.placed(manifest.key, namespace, known): manifest for manifest in live if not _is_hook(manifest)}
    pairs: list[Pair] = []
    for manifest in desired:
        found = there.pop(trial_files.placed(manifest.key, namespace, known), None)
        turn = waves.turn(manifest)
        if turn.phases and not turn.hook:
            pairs.append((manifest, found))
    return [*pairs, *((None, manifest) for manifest in there.values())]


def _is_hook(manifest: objects.Manifest) -> bool:
    return waves.is_hook(manifest.body["metadata"].get("annotations") or {})


def changed(pair: Pair) -> diff.Change | None:
    """How the two differ."""
    desired, live = pair
    if desired is None:
        return diff.Change(live.key, "delete") if live else None
    return diff.compare(desired.body, live.body if live else None)
