"""Where a step stands: phase, wave, prunes before applies, kind, name; and what moves up because something else needs it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from plane.domain import kinds, objects


class Place(NamedTuple):
    """Sorts as the work is done. `phase` is an index; `turn` below 0: in front of the step whose place it took, `moved` by its own name."""

    phase: int
    wave: int
    applies: bool
    rank: int
    name: str
    key: objects.ObjectKey
    turn: int = 0
    moved: str = ""


def raised(places: Sequence[Place], defines: Mapping[objects.ObjectKey, kinds.Kind]) -> list[Place]:
    """Places in the same sequence, with Namespaces and CRDs moved in front of the first step that needs them.

    A definition that comes in a later wave or phase than its first object moves into that one's, as in Argo CD (gitops-engine,
    sync/sync_tasks.go adjustDeps): otherwise the sync could never succeed.

    Args:
        places: of everything that is applied.
        defines: CRD → the kind it brings.
    """
    if not any((place.key.group, place.key.kind) in (kinds.NAMESPACE, kinds.CRD) for place in places):
        return list(places)
    first = _first_needs(places)
    return [_ahead(place, first, defines) for place in places]


def _first_needs(places: Iterable[Place]) -> dict[str | kinds.Kind, Place]:
    """Namespace or kind → the first step that lives in it or is of it."""
    first: dict[str | kinds.Kind, Place] = {}
    for place in places:
        for need in (place.key.namespace, (place.key.group, place.key.kind)):
            if need and (need not in first or place < first[need]):
                first[need] = place
    return first


def _ahead(place: Place, first: Mapping[str | kinds.Kind, Place], defines: Mapping[objects.ObjectKey, kinds.Kind]) -> Place:
    need: str | kinds.Kind = place.key.name if (place.key.group, place.key.kind) == kinds.NAMESPACE else defines.get(place.key, "")
    found = first.get(need) if need else None
    if found is None or place < found:
        return place
    return found._replace(turn=-2 if isinstance(need, str) else -1, moved=place.key.name)


def mirrored(numbers: Iterable[int]) -> dict[int, int]:
    """Wave → the wave it is pruned in: first and last swapped, second and last but one, and so on, as Argo CD does."""
    ordered = sorted(set(numbers))
    return dict(zip(ordered, reversed(ordered), strict=True))
