"""`plane try plan`."""

import click
import msgspec

from plane.cli import table, trial_files
from plane.domain import kinds, objects, plan

APP = "local"  # stands for the app's id, which files do not tell


@click.command("plan")
@click.option("--desired", required=True, multiple=True, type=trial_files.FILE, help="Objects as Git wants them; a file, a folder or -.")
@click.option("--live", required=True, multiple=True, type=trial_files.FILE, help="Objects as the cluster returns them.")
@click.option("--inventory", type=trial_files.FILE, help="Keys or objects that this app applied before.")
@click.option("--prune/--no-prune", default=True, show_default=True, help="Whether what is no longer desired is deleted.")
@click.option("--allow-empty", is_flag=True, help="Prune even when nothing at all is desired.")
@trial_files.namespace_option
@trial_files.output_option("table", "json")
def command(output: str, desired: tuple[str, ...], live: tuple[str, ...], inventory: str | None, namespace: str, **switches: bool) -> None:
    """What an agent would do, in the order of work.

    Only this app's objects are ever pruned. Here those are the live objects that carry the label gitops-plane.io/app or
    the annotation gitops-plane.io/owner, and those that --inventory lists and nobody else marked. Where desired objects
    are live already, their label tells which app this is, and another app's objects are left alone.
    """
    with trial_files.refusals():
        wanted = trial_files.unique(desired)
        there = trial_files.unique(live)
        listed = trial_files.keys_in(inventory) if inventory else ()
        planned = make(
            wanted,
            there,
            listed,
            namespace=namespace,
            options=plan.Options(APP, prune=switches["prune"], allow_empty=switches["allow_empty"]),
        )
    if output == "json":
        trial_files.as_json(document(planned))
    else:
        table.show(["PHASE", "WAVE", "ACTION", "OBJECT", "WHY"], rows(planned))


def make(
    desired: tuple[objects.Manifest, ...],
    live: tuple[objects.Manifest, ...],
    listed: tuple[objects.ObjectKey, ...],
    *,
    namespace: str,
    options: plan.Options,
) -> plan.Plan:
    """The plan, with the marks on live objects standing in for the app's id."""
    known = kinds.defined((*desired, *live))
    wanted = [_placed(manifest, namespace, known) for manifest in desired]
    entries = [msgspec.structs.replace(plan.live(manifest.body), key=_placed(manifest, namespace, known).key) for manifest in live]
    names = {manifest.key for manifest in wanted}
    marks = {entry.owner for entry in entries if entry.key in names and entry.owner}
    inventory = frozenset(trial_files.placed(key, namespace, known) for key in listed)
    ours = frozenset(entry.key for entry in entries if _is_ours(entry, inventory, marks))
    there = {entry.key: msgspec.structs.replace(entry, owner=options.app_id if entry.key in ours else "") for entry in entries}
    written = {_placed(manifest, namespace, known).key: manifest.key for manifest in (*live, *desired)}
    return _as_written(plan.make(wanted, live=there, inventory=ours, options=options), written)


def document(planned: plan.Plan) -> dict[str, object]:
    """The plan as JSON data."""
    return {
        "phases": [
            {"phase": phase.name, "waves": [{"wave": wave.number, "steps": [_step(step) for step in wave.steps]} for wave in phase.waves]}
            for phase in planned.phases
        ]
    }


def rows(planned: plan.Plan) -> list[list[str]]:
    """The plan as a table."""
    return [
        [phase.name, str(wave.number), step.action, str(step.key), step.reason]
        for phase in planned.phases
        for wave in phase.waves
        for step in wave.steps
    ]


def _placed(manifest: objects.Manifest, namespace: str, known: dict[kinds.Kind, bool]) -> objects.Manifest:
    return msgspec.structs.replace(manifest, key=trial_files.placed(manifest.key, namespace, known))


def _is_ours(entry: plan.Live, inventory: frozenset[objects.ObjectKey], marks: set[str]) -> bool:
    if entry.owner and marks:
        return entry.owner in marks
    return bool(entry.owner or entry.mark) or entry.key in inventory


def _as_written(planned: plan.Plan, written: dict[objects.ObjectKey, objects.ObjectKey]) -> plan.Plan:
    """Keys as the files say them, whatever they were matched by."""

    def wave(found: plan.Wave) -> plan.Wave:
        return plan.Wave(found.number, tuple(msgspec.structs.replace(step, key=written.get(step.key, step.key)) for step in found.steps))

    return plan.Plan(tuple(plan.Phase(phase.name, tuple(wave(found) for found in phase.waves)) for phase in planned.phases))


def _step(step: plan.Step) -> dict[str, str]:
    return {"action": step.action, **msgspec.structs.asdict(step.key)}
