"""Taking an object over from the tool that applied it before, so that no field is lost and none is left behind.

What such a tool owns becomes ours, so that an apply takes away what Git does not have. What it writes once the object is ours is an
addition like anybody's (`ownership`).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from plane.domain.comparing import diff, fields, ignoring, merging, ownership

Body = dict[str, Any]

FORMER = frozenset(
    {
        "argocd-application-controller",
        "argocd-controller",
        "before-first-apply",  # fields from before the API server kept owners
        "flux",
        "helm",
        "helm-controller",
        "kubectl",  # of `kubectl apply --server-side`; an edit by hand has another name, as kubectl-edit
        "kubectl-client-side-apply",
        "kustomize-controller",
    }
)
_COUNTED_ON = ("/metadata/finalizers", "/metadata/ownerReferences")  # whoever set them counts on finding them
_LEFT_OUT = {"f:finalizers", "f:ownerReferences"}
_LAST_APPLIED = f"f:{fields.LAST_APPLIED}"


class Taken(msgspec.Struct, frozen=True):
    """What taking over would do: from whom, and what each pointer into the live object leads to would go."""

    managers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def former(live: Mapping[str, Any], named: str) -> tuple[str, ...]:
    """Tools that an apply takes over from, `named` beside the known ones; none where `named` is empty or the object is ours already."""
    there = ownership.entries(live)
    if not named or any(entry.manager == merging.MANAGER for entry in there):
        return ()
    names = FORMER | {named}
    return tuple(dict.fromkeys(entry.manager for entry in there if entry.manager in names and not entry.subresource))


def taken(desired: Body, live: Body, named: str) -> Taken:
    """As people are shown it before it happens."""
    managers = former(live, named)
    if not managers:
        return Taken()
    return Taken(managers, tuple(one.pointer for one in _left_behind(desired, live, managers)))


def without(desired: Body, live: Body, taken_: Taken) -> Body:
    """The live object without what goes with its former owner."""
    return ignoring.removed(live, _left_behind(desired, live, taken_.managers)) if taken_.gone else live


def _left_behind(desired: Body, live: Body, managers: Collection[str]) -> tuple[ownership.Extra, ...]:
    found = ownership.extras(desired, diff.clean(live))
    return tuple(one for one in found if one.manager in managers and not one.pointer.startswith(_COUNTED_ON))


def handed_over(managed: Iterable[Mapping[str, Any]], names: Collection[str]) -> list[dict[str, Any]] | None:
    """Owners among which what these managers have is applied by us, as `metadata.managedFields`; None when they have nothing.

    Our own entries that are no server-side apply, of client-side applies and replacements, go the same way.
    """
    entries = [dict(entry) for entry in managed]
    theirs = [entry for entry in entries if _changes_hands(entry, names)]
    if not theirs:
        return None
    ours = [entry for entry in entries if _is_applied(entry)]
    owned: dict[str, Any] = {}
    for one in theirs:
        owned = union(owned, _without_what_is_counted_on(one.get("fieldsV1") or {}))
    for one in ours:
        owned = union(owned, one.get("fieldsV1") or {})
    entry = {**(ours or theirs)[-1], "manager": merging.MANAGER, "operation": "Apply", "fieldsV1": owned}
    return [*(one for one in entries if one not in theirs and one not in ours), entry]


def union(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Two field sets in one."""
    return {
        **left,
        **{name: union(left[name], below) if name in left and isinstance(below, dict) else below for name, below in right.items()},
    }


def _without_what_is_counted_on(owned: Mapping[str, Any]) -> dict[str, Any]:
    """Nor the annotation that holds what was applied last: it goes with the tool that reads it."""
    meta = {name: value for name, value in owned.get("f:metadata", {}).items() if name not in _LEFT_OUT}
    if _LAST_APPLIED in (marks := meta.get("f:annotations", {})):
        meta["f:annotations"] = {name: value for name, value in marks.items() if name != _LAST_APPLIED}
    return {**owned, "f:metadata": meta} if meta else {name: value for name, value in owned.items() if name != "f:metadata"}


def _changes_hands(entry: Mapping[str, Any], names: Collection[str]) -> bool:
    if entry.get("subresource"):
        return False
    return entry.get("manager") in names or (entry.get("manager") == merging.MANAGER and entry.get("operation") == "Update")


def _is_applied(entry: Mapping[str, Any]) -> bool:
    return (entry.get("manager"), entry.get("operation")) == (merging.MANAGER, "Apply") and not entry.get("subresource")
