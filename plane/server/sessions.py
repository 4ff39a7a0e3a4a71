"""Browsers' sessions: whose they are, how they end. Everybody looks after their own; over others' the rights over tokens count."""

from plane.domain import access, errors
from plane.domain.auditing import details, people_details
from plane.domain.granting import web
from plane.server import authorise, context, entry, record
from plane.server import documents as generic
from plane.server.keeping import people
from plane.store import engine
from plane.store.delivering import facts
from plane.store.engine import Tx
from plane.store.people import sessions, tokens
from plane.wire import login as shapes
from plane.wire import rest


def this(plane: context.Plane, caller: authorise.Caller, secret: str) -> shapes.ThisSession:
    """The one that asks, and what it must show with each change; NotFound for a token."""
    who, scope = caller.actor, _own(caller)
    with engine.begin(plane.engine, scope) as tx:
        found = sessions.one(tx, scope.tenant, who.id, who.token)
    if found is None:
        raise errors.NotFound("session", "this")
    return shapes.ThisSession(id=found.id, name=who.name, csrf_token=web.proof(secret), expires_at=facts.stamp(found.expires_at))


def page_own(plane: context.Plane, caller: authorise.Caller, query: rest.PageQuery) -> rest.Page[shapes.Session]:
    """The caller's own."""
    scope = _own(caller)
    with engine.begin(plane.engine, scope) as tx:
        return _page(plane, tx, scope, caller.actor.id, query)


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery) -> rest.Page[shapes.Session]:
    """Somebody's."""
    with authorise.enter(plane, caller, people.above(names), "access:get") as place:
        return _page(plane, place.tx, place.scope, people.known(place), query)


def end_own(plane: context.Plane, caller: authorise.Caller, session: str) -> rest.Deleted:
    """End one of the caller's at once."""
    scope = _own(caller)
    with engine.begin(plane.engine, scope) as tx:
        return rest.Deleted(name=_end(plane, tx, scope, session, whose=(caller.actor.id, caller.actor.name)))


def end(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, session: str) -> rest.Deleted:
    """End one of somebody's at once."""
    with authorise.enter(plane, caller, people.above(names), "access:delete") as place:
        found = _end(plane, place.tx, place.scope, session, whose=(people.known(place), names.name))
        return place.done(rest.Deleted(name=found))


def log_out(plane: context.Plane, caller: authorise.Caller) -> None:
    """End the token or the session that the caller shows."""
    who, scope = caller.actor, _own(caller)
    with engine.begin(plane.engine, scope) as tx:
        if sessions.one(tx, scope.tenant, who.id, who.token):
            _end(plane, tx, scope, who.token, whose=(who.id, who.name))
            return
        called = tokens.revoke(tx, scope.tenant, who.id, who.token, plane.clock.now())
        told = details.Token(token=who.token, name=called)
        record.append(plane, tx, scope, "access.token.revoked", target=f"person/{who.name}", message="logged out", details=told)


def leave(plane: context.Plane, secret: str, origin: entry.Origin) -> None:
    """Whoever logs in anew in a browser keeps no session from before."""
    try:
        who = authorise.actor(plane, secret, ip=origin.ip, user_agent=origin.user_agent)
    except errors.Unauthenticated:
        return
    log_out(plane, authorise.Caller(who))


def _own(caller: authorise.Caller) -> access.Scope:
    return access.Scope(caller.actor.home or access.PLATFORM_TENANT, caller.actor, caller.request)


def _page(plane: context.Plane, tx: Tx, scope: access.Scope, principal: str, query: rest.PageQuery) -> rest.Page[shapes.Session]:
    found = sessions.page(tx, scope.tenant, principal, plane.clock.now(), after=_after(query), limit=query.limit + 1)
    return rest.page([_shown(each, scope.actor.token) for each in found], query.limit, key=lambda each: each.id)


def _after(query: rest.PageQuery) -> str:
    after = rest.after(query)
    return after if generic.is_id(after) else ""


def _end(plane: context.Plane, tx: Tx, scope: access.Scope, session: str, *, whose: tuple[str, str]) -> str:
    principal, name = whose
    called = sessions.end(tx, scope.tenant, principal, session, plane.clock.now()) if generic.is_id(session) else ""
    if not called:
        raise errors.NotFound("session", session)
    told = people_details.Session(session=session, name=called)
    record.append(plane, tx, scope, "access.session.ended", target=f"person/{name}", details=told)
    return called


def _shown(row: sessions.Session, this_one: str) -> shapes.Session:
    times = {name: facts.stamp(getattr(row, name)) for name in ("created_at", "expires_at", "used_at")}
    return shapes.Session(id=row.id, name=row.name, address=row.made_at, browser=row.made_with, this=row.id == this_one, **times)
