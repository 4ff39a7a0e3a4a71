"""How a live object differs from what Git says.

Git's object counts as a part of the live one: what the API server or somebody else added is no difference, what an apply would change is.
"""

import base64
import difflib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from plane.domain import apps, objects
from plane.domain.comparing import fields, ignoring, known_types, merging
from plane.domain.reading import yaml_text

Action = Literal["create", "update", "delete"]

HIDDEN = "********"


class Change(msgspec.Struct, frozen=True, order=True):
    """One object that differs from what Git says."""

    key: objects.ObjectKey
    action: Action
    fields: tuple[str, ...] = ()  # JSON pointers into Git's object, sorted; empty unless action is "update"


def compare(
    desired: dict[str, Any],
    live: dict[str, Any] | None,
    *,
    ignore: tuple[str, ...] = (),
    known: known_types.Table = known_types.BUILT_IN,
) -> Change | None:
    """What an apply would change, or None.

    Args:
        desired: an object as Git wants it.
        live: the same object as the cluster returns it, None when it is not there.
        ignore: JSON pointers; a difference at or below one of them does not count.
        known: Kubernetes' own types inside custom kinds.
    """
    key = objects.key_of(desired)
    if live is None:
        return Change(key, "create")
    merged = merging.merge(clean(desired), clean(live), known)
    changed = tuple(sorted(pointer for pointer in merged.changed if not _covered(pointer, ignore)))
    return Change(key, "update", changed) if changed else None


def compare_under(
    desired: dict[str, Any], live: dict[str, Any] | None, rules: ignoring.Rules, query: ignoring.Query | None = None
) -> Change | None:
    """As compare, leaving out what the rules say. `query` evaluates jq.

    Raises:
        Invalid: as `ignoring.pair`.
    """
    if live is None or not rules:
        return compare(desired, live)
    wanted, there = ignoring.pair(desired, live, rules, query)
    return compare(wanted, there, ignore=rules.pointers, known=_known(desired, rules))


def _known(desired: dict[str, Any], rules: ignoring.Rules) -> known_types.Table:
    """Of the one kind, with what the rules say."""
    key = objects.key_of(desired)
    kind = (key.group, key.kind)
    return {kind: {**known_types.BUILT_IN.get(kind, known_types.NONE), **dict(rules.types)}}


def applied(desired: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """What the live object would be after an apply, without what only the server writes."""
    return merging.merge(clean(desired), clean(live)).body


def ignored(key: objects.ObjectKey, rules: Iterable[apps.IgnoreDifference]) -> tuple[str, ...]:
    """The JSON pointers of the rules that match an object."""
    return ignoring.rules(key, rules).pointers


def text(desired: dict[str, Any] | None, live: dict[str, Any] | None, known: known_types.Table = known_types.BUILT_IN) -> str:
    """A unified diff in YAML from the live object to what it would be; empty when nothing changes. Secret values are never in it.

    Args:
        desired: None when the object is to be deleted.
        live: None when it is to be created.
        known: as of `compare`.
    """
    if desired is not None and live is not None:
        desired = merging.merge(clean(desired), clean(live), known).body
    return between(live, desired)


def between(live: dict[str, Any] | None, becomes: dict[str, Any] | None) -> str:
    """As `text`, where it is known what the live object becomes, field by field."""
    name = str(objects.key_of(becomes or live or {}))
    before, after = _masked(None if live is None else clean(live), None if becomes is None else clean(becomes))
    lines = difflib.unified_diff(_lines(before), _lines(after), f"live {name}", f"desired {name}", lineterm="")
    return "\n".join(lines)


def text_under(
    desired: dict[str, Any] | None, live: dict[str, Any] | None, rules: ignoring.Rules, query: ignoring.Query | None = None
) -> str:
    """As text, without what the rules leave out.

    Raises:
        Invalid: as `ignoring.pair`.
    """
    if desired is None or live is None or not rules:
        return text(desired, live)
    wanted, there = ignoring.pair(desired, live, rules, query)
    left = ignoring.adopted(wanted, there, (ignoring.steps(pointer) for pointer in rules.pointers))
    return text(left, there, _known(desired, rules))


def clean(body: dict[str, Any]) -> dict[str, Any]:
    """An object without what only the server writes; a Secret's stringData has become data. managedFields stay: they say what is ours."""
    kept = {name: value for name, value in body.items() if name not in ("status", "stringData")}
    kept["metadata"] = _metadata(body.get("metadata") or {})
    if _is_secret(body):
        kept["data"] = _secret_data(body)
    if body.get("aggregationRule"):
        kept.pop("rules", None)  # the controller writes them
    return kept


def _metadata(meta: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in meta.items() if name not in fields.SERVER_METADATA}
    annotations = meta.get("annotations")
    if isinstance(annotations, dict) and fields.LAST_APPLIED in annotations:
        kept["annotations"] = {name: value for name, value in annotations.items() if name != fields.LAST_APPLIED}
    return kept


def _is_secret(body: dict[str, Any]) -> bool:
    return (body.get("apiVersion"), body.get("kind")) == ("v1", "Secret")


def _secret_data(body: dict[str, Any]) -> Any:  # noqa: ANN401 what stands there instead of a mapping is compared as it is
    data, written = body.get("data") or {}, body.get("stringData")
    if not isinstance(data, dict) or not isinstance(written, dict):
        return data
    return {**data, **{name: base64.b64encode(str(value).encode()).decode() for name, value in written.items()}}


def _covered(pointer: str, ignore: tuple[str, ...]) -> bool:
    return any(pointer == above or pointer.startswith(f"{above}/") for above in ignore)


def _masked(before: dict[str, Any] | None, after: dict[str, Any] | None) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    if not _is_secret(before or after or {}):
        return before, after
    old, new = _values(before), _values(after)
    changed = {name for name, value in new.items() if before is not None and value != old.get(name)}
    return (
        None if before is None else {**before, "data": dict.fromkeys(old, HIDDEN)},
        None if after is None else {**after, "data": {name: f"{HIDDEN} (changed)" if name in changed else HIDDEN for name in new}},
    )


def _values(body: dict[str, Any] | None) -> dict[str, Any]:
    data = (body or {}).get("data")
    return data if isinstance(data, dict) else {}


def _lines(body: dict[str, Any] | None) -> list[str]:
    if body is None:
        return []
    meta = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    return yaml_text.dump({**body, "metadata": meta}).splitlines()
