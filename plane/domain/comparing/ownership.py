"""Who owns what in a live object, read from its managedFields, and what others added to an object that is ours."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from plane.domain import objects, release
from plane.domain.comparing import fields, merging

Path = tuple[str | int, ...]  # names and indexes from the top of an object

# They write as a part of what the cluster does: revisions, cluster addresses, protection finalizers, injected bundles.
_CLUSTERS_OWN = frozenset({"cloud-controller-manager", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kwok"})
EXPECTED = _CLUSTERS_OWN | {merging.MANAGER, merging.ACTION_MANAGER}
_KEYS = (("containerPort", "protocol"), ("port", "protocol"), ("mountPath",), ("devicePath",), ("ip",), ("uid",), ("name",))
_BOOKKEEPING = frozenset(
    {
        fields.LAST_APPLIED,
        "control-plane.alpha.kubernetes.io/leader",
        "deployment.kubernetes.io/revision",
        "kubernetes.io/metadata.name",
    }
)


class Entry(msgspec.Struct, frozen=True):
    """One of `metadata.managedFields`; everything absent is empty."""

    manager: str
    operation: str
    time: str
    subresource: str
    fields: dict[str, Any]


class Extra(msgspec.Struct, frozen=True, order=True):
    """Something in the cluster that somebody else added to what is ours."""

    pointer: str  # into the live object; empty: the whole object
    manager: str
    operation: str
    time: str  # when the manager last wrote, RFC 3339; empty when the API does not say


def entries(live: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The object's owners in the order that the API gives them."""
    meta = live.get("metadata")
    written = meta.get("managedFields") if isinstance(meta, dict) else None
    return tuple(_entry(one) for one in written or () if isinstance(one, dict)) if isinstance(written, list) else ()


def paths(owned: Mapping[str, Any], body: Any) -> Iterator[Path]:  # noqa: ANN401 any JSON data
    """Where in a body the leaves of a field set are; what the body does not have is left out."""
    for name, below in owned.items():
        step = _step(name, body)
        if step is None:
            continue
        inner = below if isinstance(below, dict) else {}
        deeper = {key: value for key, value in inner.items() if key != "."}
        if deeper:
            yield from ((step, *rest) for rest in paths(deeper, body[step]))
        else:
            yield (step,)


def extras(desired: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[Extra, ...]:
    """Fields that somebody else added to an object of ours.

    A field that Git speaks about is no addition but drift, and `diff` tells it; what the API server fills in has no owner, or the value
    that the API documents as its default; what the cluster's own controllers write is theirs to write.
    """
    ours = {path for entry in entries(live) if _is_ours(entry) for path in paths(entry.fields, live)}
    spoken = {**desired, "data": _keys(desired, "data", "stringData")} if desired.get("kind") == "Secret" else desired
    found: dict[Path, Extra] = {}
    for entry in entries(live):
        if _is_foreign(entry):
            for path in paths(entry.fields, live):
                if path not in ours and not _is_expected(path, spoken, live):
                    found[path] = Extra(pointer(path), entry.manager, entry.operation, entry.time)  # the last to write is named
    return tuple(sorted(found.values()))


def theirs(live: Mapping[str, Any], body: Any) -> tuple[Path, ...]:  # noqa: ANN401 any JSON data
    """Where in a body that describes the live object others own what we do not, the cluster's own controllers among them."""
    there = entries(live)
    ours = {path for entry in there if _is_ours(entry) for path in paths(entry.fields, body)}
    return tuple({path for entry in there if not _is_ours(entry) for path in paths(entry.fields, body)} - ours)


def whole(live: Mapping[str, Any]) -> Extra | None:
    """The finding when an object carries our owner mark but we never applied it: a copy that somebody made of one of ours."""
    meta = live.get("metadata")
    labels = meta.get("labels") if isinstance(meta, dict) else None
    if not isinstance(labels, dict) or release.OWNER_LABEL not in labels:
        return None
    there = entries(live)
    if not there or any(_is_ours(entry) for entry in there):
        return None
    first = min(there, key=lambda entry: entry.time)
    return Extra("", first.manager, first.operation, first.time)


def counterpart(item: Any, others: list[Any], place: int) -> int | None:  # noqa: ANN401 any JSON data
    """Where the same item is in another list: by the fields that name it, or in the same place when it has none."""
    names = next((names for names in _KEYS if names[0] in item), ()) if isinstance(item, dict) else ()
    if names:
        return merging.find(others, {name: item.get(name) for name in names})
    return place if place < len(others) else None


def located(steps: Path, live: Any) -> Path:  # noqa: ANN401 any JSON data
    """A JSON pointer's steps as a path of this object: indexes are numbers. The pointer leads somewhere in it."""
    found: list[str | int] = []
    for step in steps:
        found.append(int(step) if isinstance(live, list) else step)
        live = live[found[-1]]
    return tuple(found)


def item_of(path: Path, live: Any, added: Collection[Path]) -> Path:  # noqa: ANN401 any JSON data
    """The outermost list item on the way whose naming field is among the additions, or the path itself."""
    for depth, step in enumerate(path):
        live = live[step]
        if isinstance(step, int) and isinstance(live, dict):
            name = next((names[0] for names in _KEYS if names[0] in live), None)
            if name and (*path[: depth + 1], name) in added:
                return path[: depth + 1]
    return path


def pointer(path: Path) -> str:
    """RFC 6901."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def _keys(secret: Mapping[str, Any], *parts: str) -> dict[str, None]:
    """The names in parts of a Secret; what they hold is nobody's business here."""
    return dict.fromkeys(name for part in parts if isinstance(secret.get(part), dict) for name in secret[part])


def _entry(written: dict[str, Any]) -> Entry:
    owned = written.get("fieldsV1")
    told = {name: str(written.get(name) or "") for name in ("manager", "operation", "time", "subresource")}
    return Entry(**told, fields=owned if isinstance(owned, dict) else {})


def _is_ours(entry: Entry) -> bool:
    return entry.manager == merging.MANAGER


def _is_foreign(entry: Entry) -> bool:
    return is_foreign(entry.manager, entry.subresource)


def is_foreign(manager: str, subresource: str) -> bool:
    """Neither ours nor of the cluster itself, and about more than status."""
    return manager not in EXPECTED and subresource != "status"


def _step(name: str, body: Any) -> str | int | None:  # noqa: ANN401 any JSON data
    """The key or index that one name of a field set leads to."""
    if name.startswith("f:"):
        return name[2:] if isinstance(body, dict) and name[2:] in body else None
    if not isinstance(body, list):
        return None
    if name.startswith("k:"):
        return merging.find(body, merging.item_key(name[2:]))
    if name.startswith("v:"):
        return next((index for index, item in enumerate(body) if objects.canonical(item) == name[2:].encode()), None)
    return int(name[2:]) if name.startswith("i:") and name[2:].isdigit() and int(name[2:]) < len(body) else None


def _is_expected(path: Path, desired: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    if path[0] in ("apiVersion", "kind", "status") or (path[0] == "metadata" and len(path) > 1 and path[1] in fields.SERVER_METADATA):
        return True
    if (path[0] == "metadata" and path[-1] in _BOOKKEEPING) or (live.get("kind"), path) == ("Namespace", ("spec", "finalizers")):
        return True
    value, wanted = _walk(path, desired, live)
    if path[-1] == "targetPort" and value == _walk((*path[:-1], "port"), desired, live)[0]:
        return True  # a Service's port unless it says otherwise
    return wanted or value in (None, "", 0, False, [], {}) or (isinstance(path[-1], str) and fields.is_default(path[-1], value))


def _walk(path: Path, desired: Any, live: Any) -> tuple[Any, bool]:  # noqa: ANN401 any JSON data
    """The live value at a path, and whether the desired object says anything there."""
    wanted = True
    for step in path:
        if wanted:
            desired, wanted = _below(desired, live, step)
        live = live[step]
    return live, wanted


def _below(desired: Any, live: Any, step: str | int) -> tuple[Any, bool]:  # noqa: ANN401 any JSON data
    if isinstance(step, str):
        return (desired.get(step), step in desired) if isinstance(desired, dict) else (None, True)
    if not isinstance(desired, list):
        return None, desired is not None
    item = live[step]
    if not isinstance(item, dict):
        return item, item in desired
    names = next((names for names in _KEYS if names[0] in item), ())
    index = merging.find(desired, {name: item.get(name) for name in names}) if names else None
    return (desired[index], True) if index is not None else (None, item in desired)
