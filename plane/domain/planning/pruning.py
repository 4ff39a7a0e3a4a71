"""What an app has in the cluster and no longer wants: which of it goes, when, and why the rest stays.

Only inventory ∩ live ∩ ours comes here; nothing that another app owns or that nobody marked.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from plane.domain import kinds, objects, options
from plane.domain.planning import operation, ordering, selection

UNCONFIRMED = "and nobody has approved its deletion"

_CONTAINERS = frozenset({kinds.NAMESPACE, kinds.CRD})  # deleting one deletes what is inside it


class Left(msgspec.Struct, frozen=True):
    """One object's lot. `reason` empty: it is pruned."""

    entry: operation.Live
    wave: int
    rank: int
    reason: str = ""


def decide(
    entries: Iterable[operation.Live], *, wanted: Sequence[objects.ObjectKey], last_wave: int, told: operation.Options
) -> tuple[Left, ...]:
    """What becomes of each.

    Args:
        entries: of the inventory, live, of this app, and no longer wanted; hooks are left alone unless the app goes.
        wanted: what the app wants.
        last_wave: the last wave in which something is applied in the Sync phase.
        told: the terms.
    """
    ours = [entry for entry in entries if entry.owner == told.app_id and (told.removing or not entry.hook)]
    reasons = {entry.key: _kept(entry, told, empty=not wanted) for entry in ours}
    _hold(reasons, ours, wanted=() if told.removing else wanted)
    numbers = _waves(ours, last_wave, told)
    defined = frozenset(entry.defines for entry in ours if entry.defines)
    return tuple(Left(entry, numbers[entry.key], _rank(entry.key, defined), reasons[entry.key]) for entry in ours)


def _kept(entry: operation.Live, told: operation.Options, *, empty: bool) -> str:
    """Why an object stays, or the empty string."""
    if entry.keep:
        return "its annotation helm.sh/resource-policy says keep"
    if told.removing:
        return _kept_on_removal(entry, told)
    if told.chosen is not None and not _chosen(told.chosen, entry.key):
        return "it is not among the objects chosen for this sync"
    consent = options.merged(told.sync, entry.own).prune
    if consent == "false":
        return "its sync option says Prune=false"
    if not told.prune:
        return "pruning is off for this sync; it needs syncPolicy.automated.prune or a sync with prune"
    if empty and not told.allow_empty:
        return "the source holds no objects at all, and an empty source never prunes; syncPolicy.automated.allowEmpty changes that"
    return "" if consent == "true" or told.approved else f"its sync option says Prune=confirm, {UNCONFIRMED}"


def _kept_on_removal(entry: operation.Live, told: operation.Options) -> str:
    consent = options.merged(told.sync, entry.own).delete
    if consent == "false":
        return "its sync option says Delete=false"
    if (entry.key.group, entry.key.kind) == kinds.CRD:
        return "a CustomResourceDefinition stays when its app goes, because every object of its kind would go with it"
    return "" if consent == "true" or told.approved else f"its sync option says Delete=confirm, {UNCONFIRMED}"


def _chosen(chosen: selection.Selection, key: objects.ObjectKey) -> bool:
    """A label selector chooses among what Git wants, so it never chooses what is to be pruned."""
    return not chosen.selector and selection.names(chosen, key)


def _hold(reasons: dict[objects.ObjectKey, str], ours: Sequence[operation.Live], *, wanted: Sequence[objects.ObjectKey]) -> None:
    """Keep a Namespace or CRD as long as something inside it stays: that would go with it."""
    containers = [entry for entry in ours if (entry.key.group, entry.key.kind) in _CONTAINERS and not reasons[entry.key]]
    if not containers:
        return
    staying = sorted([*wanted, *(key for key, reason in reasons.items() if reason)])
    inside: dict[str | kinds.Kind, objects.ObjectKey] = {}
    for key in staying:
        inside.setdefault((key.group, key.kind), key)
        inside.setdefault(key.namespace, key)
    for entry in containers:
        holds = inside.get(_holds(entry))
        if holds:
            reasons[entry.key] = f"it holds {holds}, which stays"


def _holds(entry: operation.Live) -> str | kinds.Kind:
    return entry.key.name if (entry.key.group, entry.key.kind) == kinds.NAMESPACE else entry.defines or ("", "")


def _waves(ours: Sequence[operation.Live], last_wave: int, told: operation.Options) -> Mapping[objects.ObjectKey, int]:
    """The waves of apply mirrored; PruneLast after everything; a Namespace or CRD never before what is inside it."""
    swapped = ordering.mirrored(entry.wave for entry in ours)
    # Argo CD counts from wave 0 even when all waves are negative.
    last = max((0, last_wave, *swapped)) + 1
    found = {entry.key: last if _is_last(entry, told) else swapped[entry.wave] for entry in ours}
    latest: dict[str | kinds.Kind, int] = {}
    for key, wave in found.items():
        for place in (key.namespace, (key.group, key.kind)):
            latest[place] = max(wave, latest.get(place, wave))
    for entry in ours:
        if (entry.key.group, entry.key.kind) in _CONTAINERS:
            found[entry.key] = max(found[entry.key], latest.get(_holds(entry), found[entry.key]))
    return found


def _is_last(entry: operation.Live, told: operation.Options) -> bool:
    return not told.removing and options.merged(told.sync, entry.own).prune_last


def _rank(key: objects.ObjectKey, defined: frozenset[kinds.Kind]) -> int:
    """Kinds go in the reverse order of apply; objects of a kind that goes too are the first."""
    return -(kinds.LAST if (key.group, key.kind) in defined else kinds.rank(key.kind))
