"""`plane try plan`."""

from typing import Any

import click
import msgspec

from plane.cli import table
from plane.cli.trying import trial_files
from plane.domain import kinds, objects, options
from plane.domain.comparing import diff
from plane.domain.planning import operation, plan, selection

APP = "local"  # stands for the app's id, and for the revision in names of hooks: files tell neither


@click.command("plan")
@click.option("--desired", required=True, multiple=True, type=trial_files.FILE, help="Desired objects: a file, a folder or -.")
@click.option("--live", required=True, multiple=True, type=trial_files.FILE, help="Live objects, as the API server returns them.")
@click.option("--inventory", type=trial_files.FILE, help="Keys or objects that the app applied before.")
@click.option("--prune/--no-prune", default=True, show_default=True, help="Delete what is no longer desired.")
@click.option("--allow-empty", is_flag=True, help="Prune even if nothing at all is desired.")
@click.option("--remove", "removing", is_flag=True, help="Plan the removal of the app, with its delete hooks.")
@click.option("--approved", is_flag=True, help="Assume that Prune=confirm and Delete=confirm were approved.")
@click.option("--strategy", type=click.Choice(["hook", "apply"]), default="hook", show_default=True, help="apply: run no hooks.")
@click.option("--sync-option", multiple=True, metavar="NAME=VALUE", help="As in the app's syncPolicy.syncOptions; repeatable.")
@click.option("--resource", multiple=True, metavar="GROUP:KIND:[NS/]NAME", help="Only these objects; `!` excludes, `*` is any; repeatable.")
@click.option("-l", "--selector", default="", help="Only objects that match this label selector.")
@trial_files.namespace_option
@trial_files.output_option("table", "json")
def command(output: str, desired: tuple[str, ...], live: tuple[str, ...], inventory: str | None, **told: Any) -> None:  # noqa: ANN401 click's options
    """Show what an agent would do, step by step.

    Only this app's objects are ever pruned. Here those are the live objects that carry the label gitops-plane.io/app or
    the annotation gitops-plane.io/owner, and those that --inventory lists and nobody else marked. Where desired objects
    are live already, their label tells which app this is, and another app's objects are left alone.
    """
    with trial_files.refusals():
        wanted = trial_files.unique(desired)
        there = trial_files.unique(live)
        listed = trial_files.keys_in(inventory) if inventory else ()
        for sentence in (*options.app_warnings(told["sync_option"]), *(line for one in wanted for line in options.warnings(one))):
            click.echo(f"Warning: {sentence}", err=True)
        planned = make(wanted, there, listed, namespace=told["namespace"], options=terms(**told))
    if output == "json":
        trial_files.as_json(plan.document(planned))
    else:
        table.show(["PHASE", "WAVE", "ACTION", "OBJECT", "WHY"], rows(planned))


def terms(*, namespace: str, sync_option: tuple[str, ...], resource: tuple[str, ...], selector: str, **told: Any) -> plan.Options:  # noqa: ANN401 named as the fields
    """What was typed, as a plan takes it."""
    sync = options.app(sync_option)
    return plan.Options(
        APP,
        chosen=selection.parse(resource, selector=selector) if resource or selector else None,
        namespace=operation.Namespace(namespace) if sync.create_namespace else None,
        sync=sync,
        revision=APP,
        **told,
    )


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
    if options.sync.apply_out_of_sync_only:
        options = msgspec.structs.replace(options, out_of_sync=_out_of_sync(wanted, live, namespace, known))
    written = {_placed(manifest, namespace, known).key: manifest.key for manifest in (*live, *desired)}
    return _as_written(plan.make(wanted, live=there, inventory=ours, options=options), written)


def rows(planned: plan.Plan) -> list[list[str]]:
    """The plan as a table."""
    return [
        [phase.name, str(wave.number), step.action, str(step.key), step.reason]
        for phase in planned.phases
        for wave in phase.waves
        for step in wave.steps
    ]


def _out_of_sync(
    wanted: list[objects.Manifest], live: tuple[objects.Manifest, ...], namespace: str, known: dict[kinds.Kind, bool]
) -> frozenset[objects.ObjectKey]:
    there = {_placed(manifest, namespace, known).key: manifest.body for manifest in live}
    return frozenset(one.key for one in wanted if one.key not in there or diff.compare(one.body, there[one.key]))


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
