"""What an agent does for one release, in order: phases → waves → steps. Pure data, made before anything is touched."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import msgspec

from plane.domain import apps, kinds, objects
from plane.domain.planning import operation, ordering, pruning, selection, waves

Live = operation.Live
Options = operation.Options
live = operation.live

Action = Literal["apply", "hook", "prune", "keep"]

CREATED = -1  # index of a step that no manifest stands for: a prune, a keep, or the namespace of CreateNamespace=true

_SYNC: tuple[waves.Phase, ...] = ("PreSync", "Sync", "PostSync", "SyncFail")
_REMOVAL: tuple[waves.Phase, ...] = ("PreDelete", "Sync", "PostDelete")


class Step(msgspec.Struct, frozen=True):
    """One object's turn. `index`: where its manifest is among the desired ones, -1 when it is pruned or kept."""

    action: Action
    key: objects.ObjectKey
    reason: str = ""
    index: int = -1
    deletes: tuple[waves.Delete, ...] = ()


class Wave(msgspec.Struct, frozen=True):
    """Steps that may run one after the other without waiting; prunes come first."""

    number: int
    steps: tuple[Step, ...]


class Phase(msgspec.Struct, frozen=True):
    """Waves in order; each waits until the one before is healthy. SyncFail runs only when another phase failed."""

    name: waves.Phase
    waves: tuple[Wave, ...]


class Plan(msgspec.Struct, frozen=True):
    """Phases in order; those without work are left out."""

    phases: tuple[Phase, ...] = ()

    def steps(self) -> tuple[Step, ...]:
        """All steps in order of work."""
        return tuple(step for phase in self.phases for wave in phase.waves for step in wave.steps)


_Entry = tuple[ordering.Place, Step]


def make(
    desired: Sequence[objects.Manifest],
    *,
    live: Mapping[objects.ObjectKey, Live],
    inventory: frozenset[objects.ObjectKey],
    options: Options,
) -> Plan:
    """Order the work.

    Args:
        desired: unique keys; up to ~20,000.
        live: what the cluster holds, at least every object of the inventory that still exists.
        inventory: the keys this app has applied before.
        options: see Options.

    Raises:
        BadAnnotation: a wave, a hook or an option that means nothing, with the object's name.
    """
    phases = _REMOVAL if options.removing else _SYNC
    entries = _wanted(desired, options, phases)
    entries += _left(desired, live, inventory, entries, options)
    if created := _created(desired, entries, options):
        entries.append(created)
    entries.sort(key=itemgetter(0))
    return Plan(tuple(Phase(phases[index], _waves(list(found))) for index, found in groupby(entries, key=_phase_of)))


def document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON data, for people and programs."""
    return {
        "phases": [
            {"phase": phase.name, "waves": [{"wave": wave.number, "steps": [_shown(step) for step in wave.steps]} for wave in phase.waves]}
            for phase in plan.phases
        ]
    }


def _shown(step: Step) -> dict[str, str]:
    why = {"reason": step.reason} if step.reason else {}
    return {"action": step.action, **msgspec.structs.asdict(step.key), **why}


def namespace(options: Options) -> dict[str, Any]:
    """The body of the namespace that CreateNamespace=true asks for."""
    wanted = options.namespace or operation.Namespace("")
    meta = {"name": wanted.name, "labels": wanted.labels, "annotations": wanted.annotations}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {name: value for name, value in meta.items() if value}}


def confirmations(plan: Plan) -> tuple[str, ...]:
    """What a person is asked to agree to before it is deleted, as sentences; the rest of the plan need not wait for it."""
    return tuple(f"{step.key} would be deleted: {step.reason}" for step in plan.steps() if step.reason.endswith(pruning.UNCONFIRMED))


def radius(plan: Plan, *, inventory: int, blast: apps.BlastRadius) -> tuple[str, ...]:
    """Why a person must approve the plan, as sentences; empty when it may run.

    Args:
        plan: the plan.
        inventory: how many objects the app has now.
        blast: the bounds; the smaller one counts.
    """
    pruned = [step.key for step in plan.steps() if step.action == "prune"]
    reasons = []
    if len(pruned) > blast.max_deletes:
        reasons.append(f"it would delete {len(pruned)} objects, more than the {blast.max_deletes} of blastRadius.maxDeletes")
    if len(pruned) * 100 > blast.max_percent * max(inventory, 1):
        share = f"{len(pruned)} of the app's {inventory} objects"
        reasons.append(f"it would delete {share}, more than the {blast.max_percent} % of blastRadius.maxPercent")
    guarded = [str(key) for key in pruned if (key.group, key.kind) in kinds.GUARDED]
    if guarded:
        more = f" and {len(guarded) - 3} more" if len(guarded) > 3 else ""  # noqa: PLR2004 as many as fit a line
        reasons.append(f"it would delete {', '.join(guarded[:3])}{more}, and with it what it holds")
    return tuple(reasons)


def _wanted(desired: Sequence[objects.Manifest], options: Options, phases: tuple[waves.Phase, ...]) -> list[_Entry]:
    steps: list[Step] = []
    places: list[ordering.Place] = []
    names: dict[objects.ObjectKey, int] = {}
    for index, manifest in enumerate(desired):
        turn = waves.turn(manifest)
        if not _takes_part(manifest, turn, options):
            continue
        rank = kinds.rank(manifest.key.kind)
        for phase in turn.phases:
            if phase in phases and not (options.removing and phase == "Sync"):
                key = manifest.key if manifest.key.name else _named(manifest, phase, options, names)
                steps.append(Step("hook" if turn.hook else "apply", key, index=index, deletes=turn.deletes))
                places.append(ordering.Place(phases.index(phase), turn.wave, applies=True, rank=rank, name=key.name, key=key))
    return list(zip(ordering.raised(places, _definitions(desired)), steps, strict=True))


def _takes_part(manifest: objects.Manifest, turn: waves.Turn, options: Options) -> bool:
    if turn.hook:
        return options.hooks()
    if options.removing or operation.ignores(manifest, options):
        return False
    if options.chosen is not None and not selection.chooses(options.chosen, manifest):
        return False
    return options.out_of_sync is None or manifest.key in options.out_of_sync


def _named(manifest: objects.Manifest, phase: waves.Phase, options: Options, names: dict[objects.ObjectKey, int]) -> objects.ObjectKey:
    """A hook's generated name; a second hook with the same prefix gets a number, where Argo CD would lose one of them."""
    name = waves.hook_name(manifest, phase, revision=options.revision, started_at=options.started_at)
    key = msgspec.structs.replace(manifest.key, name=name)
    names[key] = number = names.get(key, 0) + 1
    return key if number == 1 else msgspec.structs.replace(key, name=f"{name[: waves.MAX_NAME - len(str(number)) - 1]}-{number}")


def _definitions(desired: Sequence[objects.Manifest]) -> dict[objects.ObjectKey, kinds.Kind]:
    found = ((manifest.key, kinds.brought(manifest.body)) for manifest in desired if (manifest.key.group, manifest.key.kind) == kinds.CRD)
    return {key: kind for key, kind in found if kind}


def _left(
    desired: Sequence[objects.Manifest],
    live: Mapping[objects.ObjectKey, Live],
    inventory: frozenset[objects.ObjectKey],
    entries: Sequence[_Entry],
    options: Options,
) -> list[_Entry]:
    """What is no longer wanted, in the Sync phase."""
    wanted = [manifest.key for manifest in desired]
    gone = inventory if options.removing else inventory - frozenset(wanted)
    if not gone:
        return []
    last = max((place.wave for place, _ in entries if place.phase == 1), default=0)
    left = pruning.decide((live[key] for key in gone if key in live), wanted=wanted, last_wave=last, told=options)
    return [
        (
            ordering.Place(1, one.wave, applies=False, rank=one.rank, name=one.entry.key.name, key=one.entry.key),
            Step("keep" if one.reason else "prune", one.entry.key, one.reason),
        )
        for one in left
    ]


def _created(desired: Sequence[objects.Manifest], entries: Sequence[_Entry], options: Options) -> _Entry | None:
    """The namespace of CreateNamespace=true, first of all; none when Git brings it, or when nothing is applied."""
    applies = [place for place, _ in entries if place.applies]
    if options.namespace is None or options.removing or not applies:
        return None
    key = objects.ObjectKey(*kinds.NAMESPACE, "", options.namespace.name)
    if any(manifest.key == key for manifest in desired):
        return None
    wave = min((0, *(place.wave for place in applies if place.phase == 0)))
    return ordering.Place(0, wave, applies=False, rank=0, name=key.name, key=key), Step("apply", key, "CreateNamespace=true", CREATED)


def _phase_of(entry: _Entry) -> int:
    return entry[0].phase


def _wave_of(entry: _Entry) -> int:
    return entry[0].wave


def _waves(entries: Sequence[_Entry]) -> tuple[Wave, ...]:
    return tuple(Wave(number, tuple(step for _, step in found)) for number, found in groupby(entries, key=_wave_of))
