"""What a live object would be after an apply, and which fields that changes. `diff` is the door to it."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from plane.domain import release
from plane.domain.comparing import fields, known_types
from plane.domain.reading import quantities

MANAGER = "gitops-plane"
ACTION_MANAGER = "gitops-plane-action"  # of resource actions: somebody asked the plane for them, so they are no stranger's additions
_OUR_MARKS = frozenset({release.OWNER_LABEL, release.OWNER_ANNOTATION})  # Git's objects need not have them yet


class Merged(msgspec.Struct, frozen=True):
    """The outcome of an apply; `changed` are JSON pointers, indexes as in the desired object."""

    body: dict[str, Any]
    changed: frozenset[str]


def merge(desired: dict[str, Any], live: dict[str, Any], known: known_types.Table = known_types.BUILT_IN) -> Merged:
    """Lay the desired object over the live one, both as `diff.clean` leaves them.

    What only the live object has stays, unless its managedFields say that we put it there.
    """
    group, kind = str(desired.get("apiVersion", "")).rpartition("/")[0], str(desired.get("kind", ""))
    work = _Merge()
    place = fields.Place(group, kind, types=known.get((group, kind), known_types.NONE))
    # Two versions of one kind are the same object; which one the cluster answers with is no difference.
    body = work.mapping({**desired, "apiVersion": live.get("apiVersion", desired.get("apiVersion"))}, live, place)
    for owned in _applied_by_us(live):
        work.abandon(owned, desired, body, place)
    return Merged(body, frozenset(work.changed))


class _Merge:
    """One walk; `changed` fills up on the way."""

    def __init__(self) -> None:
        self.changed: set[str] = set()

    def mapping(self, desired: dict[str, Any], live: dict[str, Any], place: fields.Place) -> dict[str, Any]:
        merged = dict(live)
        for name, value in desired.items():
            if value is not None:
                outcome = self._value(value, live.get(name), place.at(name))
                if not _empty(outcome) or name in live:
                    merged[name] = outcome
        if place.atomic:
            for name in live.keys() - desired.keys():
                if not place.adds(name, live[name]):
                    self.changed.add(place.at(name).pointer())
                    del merged[name]
        return merged

    def _value(self, desired: Any, live: Any, place: fields.Place) -> Any:  # noqa: ANN401 any JSON data
        if _empty(desired) and _empty(live):
            return live
        if isinstance(desired, dict) and (live is None or isinstance(live, dict)):
            merged = self.mapping(desired, live or {}, place)
            return live if _empty(merged) and _empty(live) else merged  # fields that Git has as null are none
        if isinstance(desired, list) and isinstance(live, list):
            return self._sequence(desired, live, place)
        if same(desired, live, place):
            return live
        self.changed.add(place.pointer())
        return desired

    def _sequence(self, desired: list[Any], live: list[Any], place: fields.Place) -> list[Any]:
        keys = place.list_keys()
        there, wanted = by_key(live, keys), by_key(desired, keys)
        if there is not None and wanted is not None:
            return self._keyed(desired, live, keys, place)
        if place.is_set():
            return self._set(desired, live, place)
        if len(desired) != len(live):
            self.changed.add(place.pointer())
            return desired
        pairs = zip(desired, live, strict=True)
        return [self._value(item, other, place.item(index)) for index, (item, other) in enumerate(pairs)]

    def _keyed(self, desired: list[Any], live: list[Any], keys: tuple[str, ...], place: fields.Place) -> list[Any]:
        merged = {key_of(item, keys): item for item in live}
        for index, item in enumerate(desired):
            key = key_of(item, keys)
            if key in merged:
                merged[key] = self.mapping(item, merged[key], place.at(str(index)))
            else:
                self.changed.add(place.at(str(index)).pointer())
                merged[key] = item
        return list(merged.values())

    def _set(self, desired: list[Any], live: list[Any], place: fields.Place) -> list[Any]:
        missing = [item for item in desired if item not in live]
        if missing:
            self.changed.add(place.pointer())
        return live + missing

    def abandon(self, owned: dict[str, Any], desired: Any, merged: Any, place: fields.Place) -> None:  # noqa: ANN401 any JSON data
        """Take out what managedFields say is ours and the desired object no longer has."""
        if merged is desired:
            return  # it was taken over as a whole
        if isinstance(desired, dict) and isinstance(merged, dict):
            for name, below in owned.items():
                if name.startswith("f:") and name[2:] not in _OUR_MARKS and isinstance(below, dict):
                    self._abandon_field(name[2:], below, desired, merged, place)
        elif isinstance(desired, list) and isinstance(merged, list):
            for name, below in owned.items():
                if name.startswith("k:") and isinstance(below, dict):
                    self._abandon_item(item_key(name[2:]), below, desired, merged, place)

    def _abandon_field(
        self, name: str, below: dict[str, Any], desired: dict[str, Any], merged: dict[str, Any], place: fields.Place
    ) -> None:
        wanted, there = desired.get(name), merged.get(name)
        if wanted is None and _empty(there):
            return
        if wanted is None and not any(key.startswith(("f:", "k:")) for key in below):
            self.changed.add(place.at(name).pointer())
            del merged[name]
            return
        if isinstance(there, dict | list):
            merged[name] = there.copy()
            self.abandon(below, type(there)() if wanted is None else wanted, merged[name], place.at(name))

    def _abandon_item(self, key: dict[str, Any], below: dict[str, Any], desired: list[Any], merged: list[Any], place: fields.Place) -> None:
        wanted, there = find(desired, key), find(merged, key)
        if there is None:
            return
        if wanted is None:
            self.changed.add(place.pointer())
            del merged[there]
        else:
            self.abandon(below, desired[wanted], merged[there], place.at(str(wanted)))


def _applied_by_us(live: dict[str, Any]) -> Iterator[dict[str, Any]]:
    managed = (live.get("metadata") or {}).get("managedFields")
    for entry in managed if isinstance(managed, list) else ():
        if (
            isinstance(entry, dict)
            and (entry.get("manager"), entry.get("operation")) == (MANAGER, "Apply")
            and not entry.get("subresource")
        ):
            owned = entry.get("fieldsV1")
            yield owned if isinstance(owned, dict) else {}


def item_key(written: str) -> dict[str, Any]:
    """The key fields in a `k:` name of a field set."""
    try:
        return msgspec.json.decode(written, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"": None}  # names no item


def same(desired: object, live: object, place: fields.Place) -> bool:
    """Whether the API server would call two scalars equal at a place."""
    if isinstance(desired, bool) or isinstance(live, bool):
        return desired is live or (live is None and place.omits(desired))
    if desired == live or place.defaults(desired) or (live is None and place.omits(desired)):
        return True
    if place.holds_quantity() and quantities.same(desired, live):
        return True
    if place.path[-1] == "caBundle" and not _certifies(desired):
        return True
    if place.holds_duration() and quantities.same_duration(desired, live):
        return True
    if place.holds_int_or_string():
        return str(desired) == str(live)
    return place.holds_bytes() and _decoded(desired) == _decoded(live) is not None


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, dict | list) and not value)


def key_of(item: dict[str, Any], keys: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(item.get(key, fields.KEY_DEFAULTS.get(key)) for key in keys)


def by_key(items: Sequence[Any], keys: tuple[str, ...]) -> frozenset[tuple[object, ...]] | None:
    """The keys of all items; None when they do not tell the items apart, so that the list counts as a whole."""
    if not keys or not all(isinstance(item, dict) for item in items):
        return None
    found = [key_of(item, keys) for item in items]
    if any(isinstance(part, dict | list | None) for key in found for part in key):
        return None
    return frozenset(found) if len(set(found)) == len(found) else None


def find(items: list[Any], key: dict[str, Any]) -> int | None:
    """The index of the item that has these key fields, with the API's defaults."""
    names = tuple(key)
    wanted = tuple(key.values())
    return next((index for index, item in enumerate(items) if isinstance(item, dict) and key_of(item, names) == wanted), None)


def _certifies(bundle: object) -> bool:
    """Whether a bundle holds a certificate; charts write a placeholder where an injector is to put one."""
    return b"-----BEGIN" in (_decoded(bundle) or b"")


def _decoded(value: object) -> bytes | None:
    try:
        return base64.b64decode(value) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
