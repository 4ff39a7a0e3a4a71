"""Text of one file → the Kubernetes objects in it, each with its position. YAML and JSON as kubectl reads them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plane.domain import objects
from plane.domain.reading import documents

Unreadable = documents.Unreadable

HOOK_ANNOTATIONS = ("gitops-plane.io/hook", "argocd.argoproj.io/hook", "helm.sh/hook")


class Duplicate(documents.Unreadable):
    """One object twice in one set: whichever were applied last would win."""

    code = "manifest-duplicate"

    def __init__(self, key: objects.ObjectKey, first: objects.Position, second: objects.Position) -> None:
        super().__init__(second, f"{key} is already defined at {first}; keep one of the two")


def read(text: bytes, *, file: str) -> tuple[objects.Manifest, ...]:
    """Objects in order; documents that hold nothing are skipped, `List` kinds are flattened.

    Raises:
        Unreadable: with file and line, the rule and the way out.
    """
    return tuple(
        manifest
        for document in documents.read(text, file=file)
        if document.value is not None
        for manifest in _objects(document.value, objects.Position(file, document.line), document.item_lines)
    )


def of(body: dict[str, Any], *, position: objects.Position | None = None) -> objects.Manifest:
    """A manifest of data that is already there, checked as `read` checks.

    Raises:
        Unreadable: apiVersion, kind or name is missing, or labels or annotations hold something other than text.
    """
    where = position or objects.Position("object")
    _check(body, where)
    return objects.Manifest(objects.key_of(body), body["apiVersion"], body, position)


def duplicates(manifests: Iterable[objects.Manifest]) -> None:
    """Refuse a set that names one object twice. Hooks with a generated name are never the same.

    Raises:
        Duplicate: names both positions.
    """
    seen: dict[objects.ObjectKey, objects.Position] = {}
    for manifest in manifests:
        here = manifest.position or objects.Position("unknown")
        if manifest.key.name and manifest.key in seen:
            raise Duplicate(manifest.key, seen[manifest.key], here)
        seen[manifest.key] = here


def _objects(body: object, where: objects.Position, item_lines: tuple[int, ...]) -> Iterator[objects.Manifest]:
    if not isinstance(body, dict):
        raise documents.Unreadable(where, f"a Kubernetes object is a mapping with apiVersion and kind, this is {_noun(body)}")
    if not _is_list(body):
        yield of(body, position=where)
        return
    items = body["items"]
    lines = item_lines if len(item_lines) == len(items) else (where.line,) * len(items)
    for item, line in zip(items, lines, strict=True):
        yield from _objects(_item(body, item), objects.Position(where.file, line), ())


def _is_list(body: dict[str, Any]) -> bool:
    return (
        isinstance(body.get("items"), list) and str(body.get("kind", "")).endswith("List") and not (body.get("metadata") or {}).get("name")
    )


def _item(body: dict[str, Any], item: object) -> object:
    """Items of a typed list (`ConfigMapList`) may leave out what the list says."""
    kind = str(body["kind"]).removesuffix("List")
    if not kind or not isinstance(item, dict) or "kind" in item:
        return item
    return {"apiVersion": body.get("apiVersion"), "kind": kind, **item}


def _check(body: dict[str, Any], where: objects.Position) -> None:
    _text(body, "apiVersion", where)
    kind = _text(body, "kind", where)
    meta = body.get("metadata")
    if not isinstance(meta, dict):
        raise documents.Unreadable(where, f"{kind} has no metadata; give it `metadata:` with a name")
    for field in ("namespace", "name"):
        if not isinstance(meta.get(field), str | None):
            raise documents.Unreadable(where, f"metadata.{field} of {kind} must be text, this is {_noun(meta[field])}; put it in quotes")
    _check_name(kind, meta, where)
    for field in ("labels", "annotations"):
        _check_words(kind, field, meta, where)


def _text(body: dict[str, Any], field: str, where: objects.Position) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        what = "is missing" if value in (None, "") else f"must be text, this is {_noun(value)}"
        raise documents.Unreadable(where, f"{field} {what}; every Kubernetes object has apiVersion, kind and metadata.name")
    return value


def _check_name(kind: str, meta: dict[str, Any], where: objects.Position) -> None:
    if meta.get("name"):
        return
    if not meta.get("generateName"):
        raise documents.Unreadable(where, f"{kind} has no metadata.name; give it one")
    annotations = meta.get("annotations")
    if not isinstance(annotations, Mapping) or not any(name in annotations for name in HOOK_ANNOTATIONS):
        rule = f"{kind} has generateName, which only hooks may have: each sync would make another object; give it a metadata.name"
        raise documents.Unreadable(where, rule)


def _check_words(kind: str, field: str, meta: dict[str, Any], where: objects.Position) -> None:
    words = meta.get(field)
    if words is None:
        return
    if not isinstance(words, dict):
        raise documents.Unreadable(where, f"metadata.{field} of {kind} must be a mapping, this is {_noun(words)}")
    for name, value in words.items():
        if type(value) is not str and value is not None:
            rule = f"metadata.{field}[{name}] of {kind} {meta.get('name', '')} must be text, this is {_noun(value)}; put it in quotes"
            raise documents.Unreadable(where, rule)


def _noun(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {'true' if value else 'false'}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "text"
