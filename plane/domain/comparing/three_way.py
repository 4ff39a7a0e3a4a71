"""The outcome of a client-side apply: what kubectl makes of the object applied last, the one Git wants, and the live one."""

from typing import Any

from plane.domain.comparing import diff, fields, known_types, merging

Body = dict[str, Any]


def merge(before: Body, desired: Body, live: Body) -> Body:
    """The live object with Git's values, without what was applied last and Git no longer has; all else stays.

    Lists whose items have keys merge item by item in built-in kinds; in others a list counts as a whole.
    Source: kubectl's strategic merge patch and, for custom kinds, its JSON merge patch.
    """
    group, kind = str(desired.get("apiVersion", "")).rpartition("/")[0], str(desired.get("kind", ""))
    place = fields.Place(group, kind, types=known_types.BUILT_IN.get((group, kind), known_types.NONE))
    return _mapping(diff.clean(before), {**diff.clean(desired), "apiVersion": live.get("apiVersion")}, live, place)


def _mapping(before: Body, desired: Body, live: Body, place: fields.Place) -> Body:
    retained = desired.keys() if _retains(place) else live.keys()
    kept = {name: value for name, value in live.items() if name in retained and (name in desired or name not in before)}
    for name, value in desired.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = _value(before.get(name), value, live.get(name), place.at(name))
    return kept


def _value(before: Any, desired: Any, live: Any, place: fields.Place) -> Any:  # noqa: ANN401 any JSON data
    if isinstance(desired, dict) and isinstance(live, dict):
        return _mapping(before if isinstance(before, dict) else {}, desired, live, place)
    if isinstance(desired, list) and isinstance(live, list):
        return _sequence(before if isinstance(before, list) else [], desired, live, place)
    if isinstance(desired, dict | list) or isinstance(live, dict | list):
        return desired
    return live if merging.same(desired, live, place) else desired


def _sequence(before: list[Any], desired: list[Any], live: list[Any], place: fields.Place) -> list[Any]:
    keys = place.list_keys()
    if merging.by_key(live, keys) is not None and merging.by_key(desired, keys) is not None:
        return _keyed(before, desired, live, place)
    if place.is_set():
        return [item for item in live if item in desired or item not in before] + [item for item in desired if item not in live]
    return desired


def _keyed(before: list[Any], desired: list[Any], live: list[Any], place: fields.Place) -> list[Any]:
    """Git's items in Git's order, then those of others."""
    keys = place.list_keys()
    there = {merging.key_of(item, keys): item for item in live}
    past = {merging.key_of(item, keys): item for item in before if isinstance(item, dict)}
    wanted = {merging.key_of(item, keys): item for item in desired}
    merged = [_value(past.get(key), item, there.get(key), place.at(str(index))) for index, (key, item) in enumerate(wanted.items())]
    return merged + [item for key, item in there.items() if key not in wanted and key not in past]


def _retains(place: fields.Place) -> bool:
    """Whether what Git does not name goes: parts of which exactly one may be set (`retainKeys` in the API's schema)."""
    if not place.built_in():
        return False
    return place.path[-2:] == ("spec", "strategy") or (len(place.path) > 1 and place.path[-2] == "volumes")
