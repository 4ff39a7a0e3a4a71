"""Whoever was let in, however, gets a token or a session of ours: short-lived, kept as a hash, told to the log."""

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

import msgspec
import structlog

from plane.domain import access
from plane.domain.auditing import details
from plane.domain.granting import login
from plane.domain.rendering import secrets
from plane.server import authorise, context, keys, record
from plane.store.delivering import facts, keyring
from plane.store.engine import Tx
from plane.store.people import logins, tokens
from plane.wire import login as shapes

PLATFORM = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
SESSION = "session"  # the kind of secret that a browser's cookie holds; as a bearer token it is none
LONGEST = dt.timedelta(hours=24)  # of a log-in, whoever vouches for it
T = TypeVar("T")
log = structlog.get_logger()


class Origin(msgspec.Struct, frozen=True):
    """Where a request comes from."""

    ip: str = ""
    user_agent: str = ""
    request: str = ""  # its id


NOWHERE = Origin()  # on the plane's own machine


class Made(msgspec.Struct, frozen=True):
    """A token to be made for somebody who was let in. `kind`: user, service or SESSION."""

    tenant: str
    who: logins.Known
    name: str
    life: dt.timedelta
    kind: str
    provider: str
    sid: str = ""
    subject: str = ""
    scopes: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    makers: frozenset[str] = frozenset()  # as domain.access.Actor has them
    renewal: secrets.Secret | None = None  # what to ask the provider again with, every so many seconds
    renew_s: int = 0


def scope(made: Made, token: str, origin: Origin) -> access.Scope:
    """The newcomer's own."""
    who = access.Actor(made.who.principal, made.who.name, made.who.kind, token, (), origin.ip, origin.user_agent[:200])
    return access.Scope(made.tenant, who, origin.request)


def issue(plane: context.Plane, tx: Tx, made: Made, origin: Origin) -> shapes.LoggedIn:
    """In a transaction of the newcomer's tenant."""
    secret, token, expires = authorise.new_secret(made.kind), plane.clock.id(), plane.clock.now() + made.life
    row = {
        "id": token,
        "principal_id": made.who.principal,
        "name": made.name,
        "prefix": secret.removeprefix(f"gp_{made.kind}_")[:8],
        "hash": authorise.hashed(secret),
        "expires_at": expires,
        "scopes": list(made.scopes),
        "networks": list(made.networks),
        "makers": sorted(made.makers - {made.who.principal}),
        "provider": made.provider,
        "sid": made.sid,
        "on_behalf_of": made.subject if made.kind == "service" else "",
    }
    if made.kind == SESSION:
        row |= {"idle_s": plane.logins.idle_minutes * 60, "made_at": origin.ip, "made_with": origin.user_agent[:200]}
    if made.renewal:
        wrapped = plane.envelope.wrap(made.renewal, context=renewal_context(made.tenant, token))
        row |= {"renewal": wrapped, "renew_s": made.renew_s, "asked_at": plane.clock.now()}
    tokens.add(tx, made.tenant, row)
    told = details.LoggedIn(provider=made.provider, subject=made.subject, token=token, expires=facts.stamp(expires))
    record.append(plane, tx, scope(made, token, origin), "login.succeeded", target=f"person/{made.who.name}", details=told)
    return shapes.LoggedIn(token=secret, name=made.who.name, expires_at=facts.stamp(expires))


def renewal_context(tenant: str, token: str) -> bytes:
    """What a token's renewal is bound to."""
    return keys.wrapping_context(tenant, "", f"{keyring.RENEWAL}{token}")


def regroup(plane: context.Plane, tx: Tx, scope: access.Scope, who: logins.Known, groups: frozenset[str], *, provider: str) -> None:
    """Somebody is in the groups that the provider says, from now on."""
    if who.groups != groups:
        logins.set_groups(tx, scope.tenant, who.principal, groups, plane.clock.now())
        held = details.GroupsChanged(provider=provider, before=tuple(sorted(who.groups)), after=tuple(sorted(groups)))
        record.append(plane, tx, scope, "login.groups.changed", target=f"person/{who.name}", details=held)


def asked(name: str, ask: Callable[[], T]) -> T:
    """Whatever the provider says; a refusal is logged with its reason."""
    try:
        return ask()
    except login.Refused as e:
        log.warning("login.refused", provider=name, reason=e.reason)
        raise


def refused(name: str, reason: str) -> login.Refused:
    """The same words for everybody; the reason is in this process's log."""
    log.warning("login.refused", provider=name, reason=reason)
    return login.Refused(reason)
