"""Logging in at an identity provider: from a browser, a command line or another machine.

Every way ends in a token of ours, short-lived and kept as a hash. Who somebody is, is the provider's name of them, never their address
or a name that an account of ours happens to have.
"""

import datetime as dt
import secrets as random
from typing import Any
from urllib import parse

import msgspec
import structlog

from plane.domain import access, errors
from plane.domain.auditing import details
from plane.domain.granting import login
from plane.domain.granting import providers as domain
from plane.domain.rendering import secrets
from plane.server import authorise, context, entry, providers, record
from plane.store import engine
from plane.store.people import logins, people
from plane.wire import login as shapes

PATIENCE = dt.timedelta(minutes=10)  # between the first and the last step of a log-in
DEVICES, DEVICES_OF_ADDRESS = 200, 10  # under way at one provider: as a big morning has, and as many machines as one person sets up
CODE = dt.timedelta(minutes=1)  # between the browser's return and the command line's last step
log = structlog.get_logger()


class Returned(msgspec.Struct, frozen=True):
    """What the browser is told: to go back to the command line, with a code or because it was `refused`, or the secret of its session."""

    address: str = ""
    refused: bool = False
    session: str = ""
    hours: int = 0


def begin(plane: context.Plane, name: str, *, back: str, challenge: str) -> str:
    """Where the browser goes; `back` empty: a session of its own; Invalid for an address that is not the caller's own machine."""
    provider = providers.find(plane, name)
    if back and not login.comes_back(back):
        raise errors.Invalid({"back": "must be an address of your own machine, such as http://127.0.0.1:8000/"})
    wish = domain.LoginWish(new_secret(), new_secret(), new_secret(), _callback(plane, name))
    row = _of(provider) | {"nonce": wish.nonce, "verifier": wish.verifier, "return_to": back, "challenge": challenge}
    address = plane.identities.address(provider, wish)
    _keep(plane, wish.state, PATIENCE, row)
    return address


def come_back(plane: context.Plane, name: str, query: dict[str, str], *, cookie: str, origin: entry.Origin) -> Returned:
    """The browser is back from the provider with a code, or with the provider's refusal."""
    provider, now = providers.find(plane, name), plane.clock.now()
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        found = logins.take(tx, authorise.hashed(query.get("state", "")), now)
    if found is None or found.provider != name:
        raise entry.refused(name, "state is none of ours, or too old")
    _check_same(provider, found)
    if not found.return_to and login.challenge(cookie) != found.challenge:
        raise entry.refused(name, "another browser began it")
    try:
        return _let_in(plane, provider, found, query, origin=origin)
    except login.Refused:
        if not found.return_to:
            raise
        return Returned(address=f"{found.return_to}?{parse.urlencode({'error': 'access_denied'})}", refused=True)


def _let_in(
    plane: context.Plane, provider: login.Provider, found: logins.Login, query: dict[str, str], *, origin: entry.Origin
) -> Returned:
    name, now = provider.name, plane.clock.now()
    if not query.get("code"):
        raise entry.refused(name, f"the provider said {query.get('error', 'nothing')[:50]!r}")
    wish = domain.LoginWish("", found.nonce, found.verifier, _callback(plane, name))
    person = entry.asked(name, lambda: plane.identities.redeem(provider, query["code"], wish, now=now))
    tenant, who = _admit(plane, provider, person)
    if not found.return_to:
        made = msgspec.structs.replace(_of_person(provider, tenant, who, person), name=f"web-{name}"[:63], kind=entry.SESSION)
        return Returned(session=_issue(plane, made, origin, provider).token, hours=provider.hours)
    code = new_secret()
    wrapped = plane.envelope.wrap(person.renewal, context=_context(code)) if person.renewal else None
    row = {"challenge": found.challenge, "principal_tenant": tenant, "principal_id": who.principal, "sid": person.sid, "wrapped": wrapped}
    _keep(plane, code, CODE, _of(provider) | row)
    return Returned(address=f"{found.return_to}?{parse.urlencode({'code': code})}")


def end(plane: context.Plane, body: shapes.End, origin: entry.Origin) -> shapes.LoggedIn:
    """The command line shows what it began with, and gets its token, once."""
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        found = logins.take(tx, authorise.hashed(body.code), plane.clock.now())
    if found is None or not found.principal_id or not found.principal_tenant:
        raise entry.refused("", "code is none of ours, or too old")
    if login.challenge(body.verifier) != found.challenge:
        raise entry.refused(found.provider, "verifier is not what the log-in began with")
    provider = providers.find(plane, found.provider)
    _check_same(provider, found)
    with engine.begin(plane.engine, access.Scope(found.principal_tenant, access.SYSTEM)) as tx:
        who = logins.by_id(tx, found.principal_tenant, found.principal_id)
    if who is None or who.disabled:
        raise entry.refused(found.provider, "the user was disabled")
    renewal = plane.envelope.unwrap(found.wrapped, context=_context(body.code)) if found.wrapped else None
    person = login.Person("", who.name, who.groups, found.sid, renewal)
    return _issue(plane, _of_person(provider, found.principal_tenant, who, person), origin, provider)


def begin_device(plane: context.Plane, name: str, origin: entry.Origin) -> shapes.DeviceBegun:
    """A log-in that somebody ends on another machine; TooMany before the provider is asked, where too many are under way."""
    provider, handle = providers.find(plane, name), new_secret()
    _reserve(plane, provider, handle, origin)
    found = plane.identities.device(provider)
    wrapped = plane.envelope.wrap(secrets.Secret(found.device_code.encode()), context=_context(handle))
    life = dt.timedelta(seconds=min(max(found.expires_in, 60), 1800))
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        logins.promise(tx, authorise.hashed(handle), wrapped, plane.clock.now() + life)
    return shapes.DeviceBegun(
        handle=handle,
        user_code=found.user_code,
        verification_uri=found.verification_uri,
        verification_uri_complete=found.verification_uri_complete,
        interval=max(found.interval, 1),
        expires_in=int(life.total_seconds()),
    )


def _reserve(plane: context.Plane, provider: login.Provider, handle: str, origin: entry.Origin) -> None:
    """Strangers make the plane ask the provider, so each counts before that; one that comes to nothing counts for a minute."""
    now = plane.clock.now()
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        open_ = logins.devices(tx, provider.name, origin.ip, now)
        if open_.first_ends and (open_.everybody >= DEVICES or open_.address >= DEVICES_OF_ADDRESS):
            raise errors.TooMany(
                "too many log-ins on other machines are under way here; end one, or wait", retry_after=open_.first_ends - now
            )
    _keep(plane, handle, CODE, _of(provider) | {"challenge": "", "address": origin.ip})


def end_device(plane: context.Plane, body: shapes.DeviceEnd, origin: entry.Origin) -> shapes.LoggedIn:
    """The token of whoever has logged in meanwhile; an empty answer: nobody yet."""
    hashed, now = authorise.hashed(body.handle), plane.clock.now()
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        found = logins.look(tx, hashed, now)
    if found is None or not found.wrapped or found.principal_id:
        raise entry.refused("", "handle is none of ours, or too old")
    provider = providers.find(plane, found.provider)
    _check_same(provider, found)
    code = plane.envelope.unwrap(found.wrapped, context=_context(body.handle)).reveal().decode()
    try:
        person = entry.asked(found.provider, lambda: plane.identities.poll(provider, code, now=now))
    except login.DeviceRefused:
        with engine.begin(plane.engine, entry.PLATFORM) as tx:
            logins.take(tx, hashed, now)
        raise
    if isinstance(person, login.Waiting):
        return shapes.LoggedIn(slow_down=person.slower)
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        if logins.take(tx, hashed, now) is None:
            raise entry.refused(found.provider, "handle was used meanwhile")
    tenant, who = _admit(plane, provider, person)
    return _issue(plane, _of_person(provider, tenant, who, person), origin, provider)


def logged_out(plane: context.Plane, name: str, token: str, origin: entry.Origin) -> None:
    """The provider says that somebody logged out there: what came of it ends here."""
    provider, now = providers.find(plane, name), plane.clock.now()
    subject, sid, _ = entry.asked(name, lambda: plane.identities.logged_out(provider, token, now=now))
    tenant = _tenant(plane, provider.tenant)
    scope = access.Scope(tenant, msgspec.structs.replace(access.SYSTEM, ip=origin.ip, user_agent=origin.user_agent[:200]))
    with engine.begin(plane.engine, scope) as tx:
        for one, called, principal in logins.end(tx, tenant, name, subject=subject, sid=sid, now=now):
            facts_ = details.Token(token=one, name=called)
            record.append(plane, tx, scope, "access.token.revoked", target=f"person/{principal}", message="logged out", details=facts_)


def _of_person(provider: login.Provider, tenant: str, who: logins.Known, person: login.Person) -> entry.Made:
    life = dt.timedelta(hours=provider.hours)
    made = entry.Made(tenant, who, f"login-{provider.name}"[:63], life, "user", provider.name, person.sid, person.subject)
    return msgspec.structs.replace(made, renewal=person.renewal, renew_s=provider.refresh_minutes * 60)


def _admit(plane: context.Plane, provider: login.Provider, person: login.Person) -> tuple[str, logins.Known]:
    """Whom the provider's subject is here, with the groups of this moment; made when it comes for the first time."""
    tenant = _tenant(plane, provider.tenant)
    scope, kept = access.Scope(tenant, access.SYSTEM), login.kept_as(provider)
    with engine.begin(plane.engine, scope) as tx:
        _check_still(tx, tenant, provider)
        if not domain.version(provider):
            logins.move(tx, tenant, person.subject, before=provider.name, after=kept)
        who = logins.known(tx, tenant, kept, person.subject) or _make(plane, tx, scope, provider, person)
        entry.regroup(plane, tx, scope, who, person.groups, provider=provider.name)
    if who.disabled:
        raise entry.refused(provider.name, "the user was disabled")
    return tenant, who


def _make(plane: context.Plane, tx: engine.Tx, scope: access.Scope, provider: login.Provider, person: login.Person) -> logins.Known:
    identity = plane.clock.id()
    names = (person.name, f"{person.name}-{login.short(f'{provider.name}/{person.subject}')}")  # never an account that was there before
    name = next((one for one in names if people.add(tx, scope.tenant, identity=identity, name=one, kind="user")), "")
    if not name or not logins.join(tx, scope.tenant, login.kept_as(provider), person.subject, identity):
        raise errors.Conflict("somebody logs in with this account at the same moment; try again")
    held = details.Person(kind="user")
    record.append(plane, tx, scope, "access.person.created", target=f"person/{name}", message=f"by {provider.name}", details=held)
    return logins.Known(identity, name, "user", frozenset(), disabled=False)


def _issue(plane: context.Plane, made: entry.Made, origin: entry.Origin, provider: login.Provider) -> shapes.LoggedIn:
    with engine.begin(plane.engine, access.Scope(made.tenant, access.SYSTEM)) as tx:
        _check_still(tx, made.tenant, provider)
        return entry.issue(plane, tx, made, origin)


def _of(provider: login.Provider) -> dict[str, Any]:
    return {"provider": provider.name, "version": domain.version(provider)}


def _check_same(provider: login.Provider, begun: logins.Login) -> None:
    if domain.version(provider) != begun.version:
        raise entry.refused(provider.name, "the provider was changed meanwhile")


def _check_still(tx: engine.Tx, tenant: str, provider: login.Provider) -> None:
    """What a change of the provider ends cannot begin behind its back."""
    if not providers.same(tx, tenant, provider):
        raise entry.refused(provider.name, "the provider was changed meanwhile")


def _tenant(plane: context.Plane, name: str) -> str:
    if not name:
        return access.PLATFORM_TENANT
    with engine.dispatch(plane.engine) as tx:
        found = people.place(tx, name, "")
    if found is None:
        raise entry.refused(name, "its tenant is not there")
    return found[0]


def _keep(plane: context.Plane, secret: str, life: dt.timedelta, row: dict[str, Any]) -> None:
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        made = {"id": plane.clock.id(), "hash": authorise.hashed(secret), "expires_at": plane.clock.now() + life}
        logins.begin(tx, made | row)


def _callback(plane: context.Plane, name: str) -> str:
    return f"{plane.logins.url.rstrip('/')}/api/v1/login/{name}/callback"


def _context(handle: str) -> bytes:
    return b"login/" + authorise.hashed(handle)


def new_secret() -> str:
    """Unguessable, and good in an address."""
    return random.token_urlsafe(32)
