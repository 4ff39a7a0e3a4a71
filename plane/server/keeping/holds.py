"""Holds: somebody stops an app, or a project with all its apps, for a reason and until a time or somebody's word."""

from typing import Any

import msgspec

from plane.domain import errors
from plane.domain.auditing import details
from plane.domain.timing import schedules
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store.delivering import duties, facts, holds
from plane.wire import documents, rest


def hold(plane: context.Plane, caller: authorise.Caller, kind: generic.Kind, names: authorise.Names, body: rest.NewHold) -> Any:  # noqa: ANN401 - the kind's document
    """Stop its syncs; a hold that is there already is replaced."""
    wanted = _wanted(plane, caller, kind, body)
    return _set(plane, caller, kind, names, wanted)


def release(plane: context.Plane, caller: authorise.Caller, kind: generic.Kind, names: authorise.Names) -> Any:  # noqa: ANN401 - as above
    """Let its syncs go on; Conflict when nothing is held."""
    return _set(plane, caller, kind, names, None)


def shown(stored: dict[str, Any] | None) -> documents.Hold | None:
    """As a status shows it."""
    return msgspec.convert(msgspec.to_builtins(msgspec.convert(stored, schedules.Hold)), documents.Hold) if stored else None


def _wanted(plane: context.Plane, caller: authorise.Caller, kind: generic.Kind, body: rest.NewHold) -> schedules.Hold:
    now = plane.clock.now()
    until = schedules.moment(body.until) if body.until else None
    problems = {}
    if not body.reason.strip():
        problems["reason"] = "must say something: people who are stopped want to know"
    if body.until and until is None:
        problems["until"] = "must be a time with its zone, such as 2026-12-20T18:00:00Z"
    elif until and until <= now:
        problems["until"] = f"is over: it is {facts.stamp(now)} now"
    if problems:
        raise errors.Invalid(problems)
    over = "app" if kind.noun == "app" else "project"
    return schedules.Hold(body.reason, body.owner or caller.actor.name, facts.stamp(now), facts.stamp(until), over)  # type: ignore[arg-type]  # one of its words


def _set(plane: context.Plane, caller: authorise.Caller, kind: generic.Kind, names: authorise.Names, wanted: schedules.Hold | None) -> Any:  # noqa: ANN401 - as above
    with authorise.enter(plane, caller, _place(kind, names), f"{kind.noun}:hold") as place:
        row = _row(place, kind)
        if wanted is None and row.hold is None:
            message = f"{kind.noun} {names.name!r} is not held"
            raise errors.Conflict(message)
        holds.put(place.tx, kind.shelf.table, (place.scope.tenant, row.id), wanted)
        _look_again(plane, place, kind, row)
        verb = "held" if wanted else "released"
        hold = msgspec.convert(msgspec.to_builtins(wanted) if wanted else row.hold, details.Held)
        about = record.Facts(
            project=names.project or names.name, target=f"{kind.noun}/{names.name}", message=wanted.reason if wanted else ""
        )
        record.append(plane, place.tx, place.scope, f"{kind.noun}.{verb}", project_id=place.project, details=hold, **about)
        return place.done(kind.read(_row(place, kind), names))


def _row(place: authorise.Place, kind: generic.Kind) -> rows.Row:
    where = kind.where(place) if kind.level > 1 else {"tenant_id": place.scope.tenant}
    row = rows.lock(place.tx, kind.shelf, where, place.names.name)
    if row is None:
        raise errors.NotFound(kind.noun, place.names.name)
    return row


def _place(kind: generic.Kind, names: authorise.Names) -> authorise.Names:
    """A project's own admins may hold it, so it is entered rather than its tenant."""
    return names if kind.level > 1 else authorise.Names(names.tenant, names.name, names.name)


def _look_again(plane: context.Plane, place: authorise.Place, kind: generic.Kind, row: rows.Row) -> None:
    now = plane.clock.now()
    if kind.level > 1:
        duties.some(place.tx, place.scope.tenant, [row.id], now)
    else:
        duties.all_of_project(place.tx, place.scope.tenant, row.id, now)
