"""What an agent does for one release, in order: phases → waves → steps. Pure data, made before anything is touched."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from plane.domain import apps, kinds, objects, release, waves

Action = Literal["apply", "hook", "prune", "keep"]
HELM_KEEP = "helm.sh/resource-policy"

_SYNC: tuple[waves.Phase, ...] = ("PreSync", "Sync", "PostSync", "SyncFail")
_REMOVAL: tuple[waves.Phase, ...] = ("PreDelete", "Sync", "PostDelete")


class Live(msgspec.Struct, frozen=True):
    """What planning needs of an object in the cluster; `live` makes it. `owner` is the app id in its label, `mark` tenant/project/app."""

    key: objects.ObjectKey
    owner: str = ""
    mark: str = ""
    uid: str = ""
    wave: int = 0
    hook: bool = False
    prune: str = ""  # the object's own sync options Prune and Delete: false, confirm or empty
    delete: str = ""
    prune_last: bool = False
    keep: bool = False  # helm.sh/resource-policy: keep


class Options(msgspec.Struct, frozen=True):
    """How one operation behaves. `removing`: the app goes away, so everything of it is pruned and its delete hooks run."""

    app_id: str
    prune: bool = False
    allow_empty: bool = False
    prune_last: bool = False
    removing: bool = False
    revision: str = ""
    started_at: int = 0  # Unix seconds; with revision, part of the names of hooks that have only generateName


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


# phase → wave → (what steps are sorted by, step)
_Order = tuple[bool, int, str, objects.ObjectKey]
_Board = dict[str, dict[int, list[tuple[_Order, Step]]]]


def live(body: dict[str, Any]) -> Live:
    """The slim view of a live object."""
    meta = body.get("metadata") or {}
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    return Live(
        objects.key_of(body),
        owner=labels.get(release.OWNER_LABEL, ""),
        mark=annotations.get(release.OWNER_ANNOTATION, ""),
        uid=meta.get("uid", ""),
        wave=waves.wave_of(annotations),
        hook=waves.is_hook(annotations),
        prune=waves.option(annotations, "Prune"),
        delete=waves.option(annotations, "Delete"),
        prune_last=waves.option(annotations, "PruneLast") == "true",
        keep=annotations.get(HELM_KEEP) == "keep",
    )


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
        BadAnnotation: a wave or hook that means nothing, with the object's name.
    """
    board: _Board = {}
    phases = _REMOVAL if options.removing else _SYNC
    _place_desired(board, desired, options, phases)
    wanted = frozenset() if options.removing else frozenset(manifest.key for manifest in desired)
    left = [live[key] for key in inventory if key in live and key not in wanted]
    _place_left(board, [entry for entry in left if entry.owner == options.app_id], options, empty=not desired)
    return Plan(tuple(Phase(name, _waves(board[name])) for name in phases if name in board))


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


def _place_desired(board: _Board, desired: Sequence[objects.Manifest], options: Options, phases: tuple[waves.Phase, ...]) -> None:
    brought = kinds.defined(desired)
    for index, manifest in enumerate(desired):
        turn = waves.turn(manifest)
        if options.removing and not turn.hook:
            continue
        key = manifest.key
        rank = kinds.LAST if brought and (key.group, key.kind) in brought else kinds.rank(key.kind)
        for phase in turn.phases:
            if phase in phases and not (options.removing and phase == "Sync"):
                named = key if key.name else _named(manifest, phase, options)
                step = Step("hook" if turn.hook else "apply", named, index=index, deletes=turn.deletes)
                board.setdefault(phase, {}).setdefault(turn.wave, []).append(((True, rank, named.name, named), step))


def _named(manifest: objects.Manifest, phase: waves.Phase, options: Options) -> objects.ObjectKey:
    name = waves.hook_name(manifest, phase, revision=options.revision, started_at=options.started_at)
    return msgspec.structs.replace(manifest.key, name=name)


def _place_left(board: _Board, left: Iterable[Live], options: Options, *, empty: bool) -> None:
    """Put what is no longer wanted into the Sync phase, in the mirrored wave."""
    ours = [entry for entry in left if options.removing or not entry.hook]
    if not ours:
        return
    mirrored = _mirror({entry.wave for entry in ours})
    sync = board.setdefault("Sync", {})
    last = max({*sync, *mirrored}) + 1
    for entry in ours:
        reason = _kept(entry, options, empty=empty)
        wave = last if options.prune_last or entry.prune_last else mirrored[entry.wave]
        step = Step("keep" if reason else "prune", entry.key, reason)
        # False sorts before applies, and the negative rank turns the order of apply around.
        sync.setdefault(wave, []).append(((False, -kinds.rank(entry.key.kind), entry.key.name, entry.key), step))


def _mirror(numbers: set[int]) -> dict[int, int]:
    """Wave → the wave it is pruned in: first and last swapped, as Argo CD does."""
    ordered = sorted(numbers)
    return dict(zip(ordered, reversed(ordered), strict=True))


def _kept(entry: Live, options: Options, *, empty: bool) -> str:
    """Why an object that is no longer wanted stays, or the empty string."""
    if entry.keep:
        return "its annotation helm.sh/resource-policy says keep"
    if options.removing:
        return _kept_on_removal(entry)
    if entry.prune in ("false", "confirm"):
        return f"its sync option says Prune={entry.prune}"
    if not options.prune:
        return "pruning is off for this sync; it needs syncPolicy.automated.prune or a sync with prune"
    if empty and not options.allow_empty:
        return "the source holds no objects at all, and an empty source never prunes; syncPolicy.automated.allowEmpty changes that"
    return ""


def _kept_on_removal(entry: Live) -> str:
    if entry.delete in ("false", "confirm"):
        return f"its sync option says Delete={entry.delete}"
    if (entry.key.group, entry.key.kind) == kinds.CRD:
        return "a CustomResourceDefinition stays when its app goes, because every object of its kind would go with it"
    return ""


def _waves(board: dict[int, list[tuple[_Order, Step]]]) -> tuple[Wave, ...]:
    return tuple(Wave(number, tuple(step for _, step in sorted(board[number], key=_sort_key))) for number in sorted(board))


def _sort_key(placed: tuple[_Order, Step]) -> _Order:
    return placed[0]
