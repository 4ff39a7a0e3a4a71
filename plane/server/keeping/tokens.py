"""What people and services log in with. Nobody makes a token of somebody above their own, or one that is good for more than theirs."""

import datetime as dt

import msgspec

from plane.domain import access, errors
from plane.domain.auditing import details
from plane.domain.granting import conditions, roles
from plane.server import authorise, context, record
from plane.server import documents as generic
from plane.server.keeping import people
from plane.store.delivering import facts
from plane.store.people import holding, tokens
from plane.wire import people as shapes
from plane.wire import rest

PREFIX = 8  # characters of the random part that lists show
MOST_NETWORKS = 32


class _Wish(msgspec.Struct, frozen=True):
    """A token to be made."""

    name: str
    expires: dt.datetime
    scopes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


def page(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery) -> rest.Page[shapes.Token]:
    """Somebody's tokens, without their secrets."""
    after = rest.after(query)
    if after and not generic.is_id(after):
        raise errors.Invalid({"cursor": rest.NOT_OURS})
    with authorise.enter(plane, caller, people.above(names), "access:get") as place:
        found = tokens.page(place.tx, place.scope.tenant, people.known(place), after=after, limit=query.limit + 1)
    return rest.page([_shown(each) for each in found], query.limit, key=lambda each: each.id)


def issue(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: shapes.NewToken) -> shapes.IssuedToken:
    """A new token for somebody whose roles the caller holds too, as far as the token reaches; its hash alone is kept.

    Raises:
        Forbidden: it would be good for more than the caller. Invalid: a scope or a network that is none, or wider than the caller's.
    """
    with authorise.enter(plane, caller, people.above(names), "access:create") as place:
        identity = people.known(place)
        networks = _networks(caller.actor, body.networks)
        _check(body.scopes, networks, of=caller.actor)
        _check_above(place, identity, body.scopes)
        wish = _Wish(body.name, plane.clock.now() + dt.timedelta(days=body.days), body.scopes, networks)
        return _issue(plane, place, identity, wish)  # not kept for the caller's key: it holds the token


def rotate(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, token: str, body: shapes.Rotate) -> shapes.IssuedToken:
    """A new token like an old one, which ends when the overlap does; NotFound, Conflict for one that has ended."""
    with authorise.enter(plane, caller, people.above(names), "access:create") as place:
        identity, now = people.known(place), plane.clock.now()
        old = tokens.lock(place.tx, place.scope.tenant, identity, token) if generic.is_id(token) else None
        if old is None:
            raise errors.NotFound("token", token)
        if old.revoked_at or old.expires_at <= now:
            message = f"token {old.name!r} has ended; make a new one with `plane token create {names.name}`"
            raise errors.Conflict(message)
        _check_above(place, identity, old.scopes)
        networks = old.networks or _networks(caller.actor, ())
        _check((), networks, of=caller.actor)
        tokens.end_by(place.tx, place.scope.tenant, old.id, now + dt.timedelta(hours=body.overlap_hours))
        wish = _Wish(old.name, now + dt.timedelta(days=body.days), old.scopes, networks)
        return _issue(plane, place, identity, wish, before=old.id)


def revoke(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, token: str) -> rest.Deleted:
    """End a token at once."""
    with authorise.enter(plane, caller, people.above(names), "access:delete") as place:
        identity = people.known(place)
        found = tokens.revoke(place.tx, place.scope.tenant, identity, token, plane.clock.now()) if generic.is_id(token) else ""
        if not found:
            raise errors.NotFound("token", token)
        record.append(
            plane,
            place.tx,
            place.scope,
            "access.token.revoked",
            target=f"person/{names.name}",
            details=details.Token(token=token, name=found),
        )
        return place.done(rest.Deleted(name=found))


def _issue(plane: context.Plane, place: authorise.Place, identity: str, wish: _Wish, *, before: str = "") -> shapes.IssuedToken:
    kind = people.kind(place)
    secret, token, actor = authorise.new_secret(kind), plane.clock.id(), place.scope.actor
    row = {
        "id": token,
        "principal_id": identity,
        "name": wish.name,
        "prefix": secret.removeprefix(f"gp_{kind}_")[:PREFIX],
        "hash": authorise.hashed(secret),
        "expires_at": wish.expires,
        "scopes": list(wish.scopes),
        "networks": list(wish.networks),
        "makers": sorted(actor.hands - {identity}),
        "on_behalf_of": f"person/{actor.name}" if kind == "service" and actor.kind == "user" else actor.on_behalf_of,
    }
    tokens.add(place.tx, place.scope.tenant, row)
    expires = facts.stamp(wish.expires)
    made = details.Token(token=token, name=wish.name, expires=expires, scopes=wish.scopes, networks=wish.networks, replaces=before)
    what = "access.token.rotated" if before else "access.token.issued"
    record.append(plane, place.tx, place.scope, what, target=f"person/{place.names.name}", details=made)
    return shapes.IssuedToken(id=token, name=wish.name, token=secret, expires_at=expires)


def _check_above(place: authorise.Place, identity: str, scopes: tuple[str, ...]) -> None:
    """The caller must hold whatever the token will be good for."""
    held = holding.giving(place.tx, place.scope.tenant, identity)
    people.check_above(place.scope.actor, access.narrowed(held, frozenset(scopes)))


def _networks(who: access.Actor, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """A token that is good from some networks makes none that is good from others."""
    return wanted or who.networks


def _check(scopes: tuple[str, ...], networks: tuple[str, ...], *, of: access.Actor) -> None:
    problems = roles.check_list("scopes", scopes)
    if len(networks) > MOST_NETWORKS:
        problems["networks"] = f"holds {len(networks)} networks; {MOST_NETWORKS} are enough, name larger ones"
    problems |= {f"networks[{n}]": rule for n, one in enumerate(networks) if (rule := conditions.network_problem(one))}
    if not problems and not conditions.confined(networks, of.networks):
        problems["networks"] = f"your own token is good from {', '.join(of.networks)} only; name networks inside"
    if problems:
        raise errors.Invalid(problems)


def _shown(row: tokens.Token) -> shapes.Token:
    times = {name: facts.stamp(getattr(row, name)) for name in ("created_at", "expires_at", "revoked_at", "used_at")}
    return shapes.Token(id=row.id, name=row.name, prefix=row.prefix, scopes=row.scopes, networks=row.networks, **times)
