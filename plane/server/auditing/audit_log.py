"""The audit log for those who may read it: searches, proofs, and what only the database can tell."""

import datetime as dt

import msgspec

from plane.domain import access, errors
from plane.domain.auditing import audit, audit_proofs, audit_types, details
from plane.server import authorise, context
from plane.server import documents as generic
from plane.server.auditing import visits
from plane.store.auditing import audit_reading as log
from plane.store.engine import Tx
from plane.store.people import people
from plane.wire import audit as wire
from plane.wire import rest

DEFAULT_SPAN = dt.timedelta(days=1)
FAR = 2**62  # a place that no log reaches


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.Query) -> rest.Page[audit.Sealed]:
    """Sealed events in order of their places."""
    newest = query.order == "newest"
    after = _place(query, newest=newest)
    with authorise.enter(plane, caller, authorise.Names(names.tenant, query.project), "audit:read") as place:
        asked = wanted(place, query)
        if not asked.since:
            asked = msgspec.structs.replace(asked, since=plane.clock.now() - DEFAULT_SPAN)
        visits.read(plane, place, "search", filters(query))
        found = log.search(place.tx, place.scope.tenant, asked, cursor=after, limit=query.limit + 1, newest=newest)
    return rest.page(found, query.limit, key=lambda each: each.seq)


class Followed(msgspec.Struct, frozen=True):
    """What came after a place, and whose log it is."""

    tenant: str
    after: int
    found: tuple[audit.Sealed, ...] = ()


def follow(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.Follow, *, begun: bool = False) -> Followed:
    """Sealed events after a place; at the beginning and without one, the place to go on from."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant, query.project), "audit:read") as place:
        asked = wanted(place, query)
        tenant = place.scope.tenant
        if not begun:
            visits.read(plane, place, "follow", filters(query))
        if query.after < 0 and not begun:
            newest = log.last_checkpoint(place.tx, tenant)
            return Followed(tenant, newest.size - 1 if newest else -1)
        found = log.search(place.tx, tenant, asked, cursor=query.after, limit=query.limit)
    return Followed(tenant, query.after, found)


def filters(query: wire.Filters) -> details.Filters:
    """Those that were given, as events name them."""
    return msgspec.convert({name: getattr(query, name) for name in details.Filters.__struct_fields__}, details.Filters)


def wanted(place: authorise.Place, query: wire.Filters) -> log.Asked:
    """The filters as the store takes them; Invalid names the one that cannot be."""
    if query.app and query.target:
        raise errors.Invalid({"app": "is the same as target app/NAME; give one of both"})
    if query.target and "/" not in query.target:
        raise errors.Invalid({"target": f"must be KIND/NAME, as app/{query.target[:100]}"})
    words = [word.strip() for word in query.type.split(",") if word.strip()]
    if problem := audit_types.unknown(words):
        raise errors.Invalid({"type": problem})
    return log.Asked(
        since=moment(query.since, "since"),
        until=moment(query.until, "until"),
        project_id=place.project,
        types=log.types(place.tx, place.scope.tenant, words),
        actor=_actor(place.tx, place.scope.tenant, query.actor),
        target=f"app/{query.app}" if query.app else query.target,
        cluster=query.cluster,
        commit=query.commit,
        outcome=query.outcome,
    )


def _actor(tx: Tx, tenant: str, said: str) -> str:
    """The id of whom a name or an id means."""
    if not said or generic.is_id(said):
        return said
    if said == access.SYSTEM.name:
        return access.SYSTEM.id
    found = people.find(tx, tenant, said)
    if not found:
        raise errors.Invalid({"actor": f"nobody here is called {said!r}; the platform's people and agents are asked for by their id"})
    return found


def moment(text: str, field: str) -> dt.datetime | None:
    """RFC 3339, UTC unless it says; Invalid."""
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
        return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError) as e:
        raise errors.Invalid({field: "must be a time as RFC 3339 writes it, for example 2026-01-31T00:00:00Z"}) from e


def checkpoint(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> wire.Checkpoint:
    """The newest; NotFound before anything was sealed."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:read") as place:
        visits.read(plane, place, "proof", details.Filters())
        return _told(_newest(place))


def inclusion(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.InclusionQuery) -> wire.Inclusion:
    """That an event lies in the log; NotFound when it has no place."""
    if bool(query.event) == (query.seq >= 0):
        raise errors.Invalid({"event": "give the event's id here, or its place as seq, one of both"})
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:read") as place:
        visits.read(plane, place, "proof", details.Filters())
        tenant, newest = place.scope.tenant, _newest(place)
        size = _size(query.size, newest)
        seq = query.seq
        if query.event:
            seq = log.place_of(place.tx, tenant, query.event) if generic.is_id(query.event) else -1
        if not 0 <= seq < size:
            raise errors.NotFound("event", query.event or str(query.seq))
        nodes = log.nodes(place.tx, tenant)
        rows = log.stretch(place.tx, tenant, log.Asked(), first=seq, end=seq + 1, limit=1)
        return wire.Inclusion(
            seq=seq,
            size=size,
            leaf=nodes(0, seq).hex(),
            path=tuple(one.hex() for one in audit_proofs.inclusion(nodes, seq, size)),
            root=audit_proofs.tree(nodes, 0, size).hex(),
            event=msgspec.Raw(rows[0].body) if rows and rows[0].body else None,
            checkpoint=_told(newest),
        )


def consistency(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.ConsistencyQuery) -> wire.Consistency:
    """That a log of one size begins with the one of another."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:read") as place:
        visits.read(plane, place, "proof", details.Filters())
        newest = _newest(place)
        size = _size(query.size, newest)
        if query.old > size:
            raise errors.Invalid({"old": f"is larger than the log of {size} events"})
        nodes = log.nodes(place.tx, place.scope.tenant)
        return wire.Consistency(
            old=query.old,
            size=size,
            path=tuple(one.hex() for one in audit_proofs.consistency(nodes, query.old, size)),
            old_root=audit_proofs.tree(nodes, 0, query.old).hex(),
            root=audit_proofs.tree(nodes, 0, size).hex(),
            checkpoint=_told(newest),
        )


def check(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: wire.CheckQuery) -> wire.Check:
    """What an export cannot show, because the rows in question have no place in the log; a stretch of the log at a time."""
    after = _after(query)
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:read") as place:
        visits.read(plane, place, "check", details.Filters())
        found = log.strays(place.tx, place.scope.tenant, after=after, limit=query.limit)
        cut = log.cut(place.tx, place.scope.tenant)
    more = rest.cursor(f"{found.last[0]} {found.last[1]}") if found.looked == query.limit else ""
    return wire.Check(strays=found.ids, cut=cut, looked=found.looked, next=more)


def _after(query: wire.CheckQuery) -> tuple[int, str]:
    """The transaction and the id that a cursor stands for."""
    number, _, identity = (rest.after(rest.Paging(cursor=query.cursor)) or f"0 {log.NIL}").partition(" ")
    if not generic.is_id(identity):
        raise errors.Invalid({"cursor": rest.NOT_OURS})
    return rest.number(number), identity


def _newest(place: authorise.Place) -> audit.Checkpoint:
    found = log.last_checkpoint(place.tx, place.scope.tenant)
    if found is None:
        raise errors.NotFound("checkpoint", "newest")
    return found


def _size(asked: int, newest: audit.Checkpoint) -> int:
    if asked > newest.size:
        raise errors.Invalid({"size": f"is larger than the log of {newest.size} events"})
    return asked or newest.size


def _told(point: audit.Checkpoint) -> wire.Checkpoint:
    return wire.Checkpoint(
        origin=point.origin,
        size=point.size,
        root=point.root,
        time=point.time,
        note=point.note(),
        verifier_key=audit.verifier_key(point.origin, audit.unb64(point.key)),
    )


def _place(query: wire.Query, *, newest: bool) -> int:
    return rest.after_number(query, first=FAR if newest else -1)
