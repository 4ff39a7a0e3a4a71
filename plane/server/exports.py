"""The audit log for those who may read it; reading it is an event itself."""

import datetime as dt
from collections.abc import Iterator

import msgspec

from plane.domain import audit, errors
from plane.server import authorise, context, record, seal_log
from plane.store import audit as log
from plane.wire import rest

BATCH = 500
DEFAULT_SPAN = dt.timedelta(days=1)


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.AuditQuery) -> rest.Page[audit.Sealed]:
    """Sealed events in their order; `since` bounds their time."""
    since, after = _since(plane, query), _place(query)
    with authorise.enter(plane, caller, authorise.Names(names.tenant, query.project), "audit:read") as place:
        found = log.page(place.tx, place.scope.tenant, since=since, project=place.project, after=after, limit=query.limit + 1)
    return rest.page(found, query.limit, key=lambda each: each.seq)


def export(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.AuditQuery) -> Iterator[bytes]:
    """JSON lines: every sealed event since a moment, then the signed checkpoint they lie under.

    A whole log (`since` before its first event, no project) proves that it is complete: its leaves give the checkpoint's root.
    Permission is checked and the export recorded before the first line.
    """
    since = _since(plane, query)
    with authorise.enter(plane, caller, authorise.Names(names.tenant, query.project), "audit:export") as place:
        details = {"since": since.isoformat(), "project": query.project}
        record.append(plane, place.tx, place.scope, "audit.exported", project_id=place.project, project=query.project, details=details)
    seal_log.seal(plane, place.scope.tenant)
    return _lines(plane, caller, authorise.Names(names.tenant, query.project), since)


def _lines(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, since: dt.datetime) -> Iterator[bytes]:
    """One transaction per batch: a slow reader holds none open. What is sealed later than the checkpoint is left to the next export."""
    with authorise.enter(plane, caller, names, "audit:export") as place:
        checkpoint = log.last_checkpoint(place.tx, place.scope.tenant)
    last = -1
    while checkpoint:
        with authorise.enter(plane, caller, names, "audit:export") as place:
            found = log.page(place.tx, place.scope.tenant, since=since, project=place.project, after=last, limit=BATCH)
        shown = [event for event in found if event.seq < checkpoint.size]
        yield b"".join(msgspec.json.encode({"event": event}) + b"\n" for event in shown)
        if len(shown) < BATCH:
            break
        last = shown[-1].seq
    if checkpoint:
        yield msgspec.json.encode({"checkpoint": checkpoint}) + b"\n"


def _since(plane: context.Plane, query: rest.AuditQuery) -> dt.datetime:
    if not query.since:
        return plane.clock.now() - DEFAULT_SPAN
    try:
        since = dt.datetime.fromisoformat(query.since)
    except ValueError as e:
        raise errors.Invalid({"since": "must be a time as RFC 3339 writes it, for example 2026-01-31T00:00:00Z"}) from e
    return since if since.tzinfo else since.replace(tzinfo=dt.UTC)


def _place(query: rest.AuditQuery) -> int:
    after = rest.after(query)
    if after and not after.isdecimal():
        raise errors.Invalid({"cursor": "is not one that this plane gave; begin without it"})
    return int(after) if after else -1
