"""Which rules apps break, since when, and whether it gets better."""

from typing import Any

from plane.domain import errors
from plane.server import authorise, context
from plane.server import documents as generic
from plane.store.delivering import facts, findings
from plane.store.engine import Row
from plane.wire import findings as wire
from plane.wire import rest

MAY = "release:get"


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.FindingQuery) -> rest.Page[wire.Finding]:
    """Of the apps that the caller may read, newest first."""
    after = rest.after(query)
    if after and not generic.is_id(after):
        raise errors.Invalid({"cursor": "is not one that this plane gave; begin without it"})
    said = {name: getattr(query, name) for name in ("project", "app", "policy", "rule", "mode", "over")}
    wanted = findings.Wanted(**said, before=after, limit=query.limit + 1)
    with authorise.enter(plane, caller, names, MAY, parts=True) as place:
        found = findings.page(place.tx, place.scope.tenant, wanted, place.reach)
    return rest.page([_shown(row) for row in found], query.limit, key=lambda one: one.id)


def sums(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.SumQuery) -> rest.Page[wire.FindingSum]:
    """Most first; one page holds those that anybody would read."""
    said = {name: getattr(query, name) for name in ("project", "app", "policy", "rule", "mode", "limit")}
    with authorise.enter(plane, caller, names, MAY, parts=True) as place:
        wanted = findings.Wanted(**said)
        found = findings.sums(place.tx, place.scope.tenant, query.by, wanted, place.reach, now=plane.clock.now())
    return rest.Page(items=tuple(_summed(row) for row in found))


def _shown(row: Row) -> wire.Finding:
    times = {name: facts.stamp(getattr(row, name)) for name in ("first_seen", "last_seen", "closed_at")}
    copied: dict[str, Any] = {name: getattr(row, name) for name in wire.Finding.__struct_fields__ if name not in times}
    return wire.Finding(**(copied | times))


def _summed(row: Row) -> wire.FindingSum:
    copied: dict[str, Any] = {name: getattr(row, name) for name in wire.FindingSum.__struct_fields__ if name != "oldest"}
    return wire.FindingSum(**copied, oldest=facts.stamp(row.oldest))
