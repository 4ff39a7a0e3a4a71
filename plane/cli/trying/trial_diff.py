"""`plane try diff`."""

import contextlib
import sys
from collections.abc import Iterator

import click
import msgspec

from plane.adapters.scripting import scripts
from plane.cli import failures, table
from plane.cli.trying import trial_files
from plane.domain import annotations, apps, errors, kinds, objects, options
from plane.domain.comparing import adoption, diff, ignoring, ownership
from plane.domain.planning import waves

Pair = tuple[objects.Manifest | None, objects.Manifest | None]  # desired, live
RULES = "spec.ignoreDifferences"


class Finding(msgspec.Struct, frozen=True):
    """What one somebody else added to an object of ours, or owns of an object that an apply takes over, so that it goes."""

    key: objects.ObjectKey
    action: str
    fields: tuple[str, ...]  # JSON pointers into the live object
    manager: str
    time: str


@click.command("diff")
@click.option("--desired", required=True, multiple=True, type=trial_files.FILE, help="Desired objects: a file, a folder or -.")
@click.option("--live", required=True, multiple=True, type=trial_files.FILE, help="Live objects, as the API server returns them.")
@click.option("--app", type=trial_files.FILE, help="An App or Argo CD Application whose ignoreDifferences apply.")
@click.option("--foreign", is_flag=True, help="Also show fields that other managers added; they do not count as a difference.")
@trial_files.namespace_option
@trial_files.output_option("table", "diff", "json")
def command(output: str, desired: tuple[str, ...], live: tuple[str, ...], app: str | None, namespace: str, *, foreign: bool) -> None:
    """Show what an apply would change.

    What the API server fills in, and what somebody else added, is no difference. Objects that an apply would take over
    from kubectl, Helm, Argo CD or Flux come first, with what goes because Git does not have it. Live objects that are not desired
    would be deleted; hooks are not compared. Exit code 0: nothing differs, 1: something does, 2: wrong use.
    """
    with trial_files.refusals(), contextlib.closing(scripts.Scripts()) as runner:
        rules = ignored_by(app) if app else ()
        pairs = matched(trial_files.unique(desired), trial_files.unique(live), namespace)
        found = [(change, pair) for pair in pairs if (change := changed(pair, rules, runner.paths))]
    taken = [finding for pair in pairs for finding in taken_in(pair)]
    added = [finding for pair in pairs for finding in foreign_in(pair)] if foreign else []
    if output == "json":
        trial_files.as_json([*taken, *(change for change, _ in found), *added])
    elif output == "diff":
        for _, (wanted, there) in found:
            click.echo(diff.text(wanted.body if wanted else None, there.body if there else None))
    elif found or added or taken:
        rows = [[str(one.key), f"taken over from {one.manager}", ", ".join(one.fields) or "nothing goes"] for one in taken]
        rows += [[str(change.key), change.action, ", ".join(change.fields)] for change, _ in found]
        rows += [[str(one.key), f"extra by {one.manager}", ", ".join(one.fields) or "the whole object"] for one in added]
        table.show(["OBJECT", "ACTION", "FIELDS"], rows)
    sys.exit(failures.DIFFERS if found or any(one.fields for one in taken) else 0)


def ignored_by(path: str) -> tuple[apps.IgnoreDifference, ...]:
    """The rules of an App's document.

    Raises:
        Invalid: the file holds no rules that can be read.
    """
    (manifest, *more) = trial_files.objects_in([path]) or (None,)
    if manifest is None or more:
        raise errors.Invalid({path: "holds not exactly one App"})
    spec = manifest.body.get("spec")
    try:
        return msgspec.convert(spec.get("ignoreDifferences") or () if isinstance(spec, dict) else (), tuple[apps.IgnoreDifference, ...])
    except msgspec.ValidationError as e:
        raise errors.Invalid({f"{path}: {RULES}": str(e)}) from e


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
    return [*pairs, *((None, manifest) for manifest in there.values() if not _is_extraneous(manifest))]


def _is_hook(manifest: objects.Manifest) -> bool:
    return waves.is_hook(manifest.body["metadata"].get("annotations") or {})


def _is_extraneous(manifest: objects.Manifest) -> bool:
    """Whether its compare option IgnoreExtraneous lets it stand beside what Git wants."""
    return options.seen(annotations.of(manifest.body)).ignore_extraneous is True


def changed(pair: Pair, rules: tuple[apps.IgnoreDifference, ...], query: ignoring.Query) -> diff.Change | None:
    """How the two differ."""
    desired, live = pair
    if desired is None:
        return diff.Change(live.key, "delete") if live else None
    return diff.compare_under(desired.body, live.body if live else None, ignoring.rules(desired.key, rules), query)


def taken_in(pair: Pair) -> Iterator[Finding]:
    """What an apply takes over, as an app without sync options would."""
    desired, live = pair
    if desired and live and (effective := options.merged(options.App(), options.own(desired))).takes_over():
        taken = adoption.taken(desired.body, live.body, effective.migrated_manager)
        if taken.managers:
            yield Finding(live.key, "takeover", taken.gone, ", ".join(taken.managers), "")


def foreign_in(pair: Pair) -> Iterator[Finding]:
    """One finding per manager and time."""
    desired, live = pair
    if live is None:
        return
    if desired is None:
        copied = ownership.whole(live.body)
        if copied:
            yield Finding(live.key, "extra", (), copied.manager, copied.time)
        return
    by_manager: dict[tuple[str, str], list[str]] = {}
    former = adoption.former(live.body, options.CLIENT_SIDE_MANAGER)
    for extra in (one for one in ownership.extras(desired.body, live.body) if one.manager not in former):
        by_manager.setdefault((extra.manager, extra.time), []).append(extra.pointer)
    for (manager, time), pointers in by_manager.items():
        yield Finding(live.key, "extra", tuple(pointers), manager, time)
