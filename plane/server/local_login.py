"""Local admins: people of the platform with a password, for the time before there is an identity provider and for when it is away.

An attempt is counted before the password is looked at, so that many at once are no way around the count; for names that nobody has too, so
that being shut out tells nothing.
"""

import datetime as dt

from plane import ports
from plane.domain import access, errors
from plane.domain.auditing import people_details
from plane.domain.granting import login, passwords
from plane.server import authorise, context, entry, record
from plane.store import engine
from plane.store.delivering import facts
from plane.store.engine import Tx
from plane.store.people import logins
from plane.store.people import passwords as store
from plane.wire import login as shapes

HOURS = 12


def log_in(plane: context.Plane, body: shapes.Local, origin: entry.Origin, *, browser: bool = False) -> shapes.LoggedIn:
    """A token, or a browser's session.

    Raises:
        Refused: the same words for a wrong name, a wrong password, somebody who was disabled, and where it is turned off.
        TooMany: the account, there or not, or the address is shut out for a time.
    """
    if not plane.logins.local:
        raise entry.refused(login.LOCAL, "local log-in is turned off")
    _count(plane, body.name, origin)
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        who = logins.named(tx, access.PLATFORM_TENANT, body.name, "user")
        hashed = store.of(tx, access.PLATFORM_TENANT, who.principal) if who else ""
    if not plane.passwords.matches(hashed, body.password) or who is None or who.disabled:
        raise entry.refused(login.LOCAL, "name or password is wrong, or the account was disabled")
    kind, name = (entry.SESSION, "web-local") if browser else ("user", "login-local")
    made = entry.Made(access.PLATFORM_TENANT, who, name, dt.timedelta(hours=HOURS), kind, login.LOCAL)
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        _uncount(tx, body.name, origin)
        return entry.issue(plane, tx, made, origin)


def change(plane: context.Plane, caller: authorise.Caller, body: shapes.NewPassword) -> shapes.PasswordChanged:
    """One's own; whoever else is logged in with the one before is out."""
    who, origin = caller.actor, entry.Origin(caller.actor.ip, caller.actor.user_agent, caller.request)
    scope = access.Scope(access.PLATFORM_TENANT, who, caller.request)
    with engine.begin(plane.engine, scope) as tx:
        hashed = store.of(tx, scope.tenant, who.id)
    if not hashed or who.home != access.PLATFORM_TENANT:
        raise errors.NotFound("password", who.name)
    passwords.check(body.new, name=who.name)
    _count(plane, who.name, origin)
    if not plane.passwords.matches(hashed, body.current):
        raise errors.Invalid({"current": "is not your password"})
    fresh = plane.passwords.hashed(body.new)
    with engine.begin(plane.engine, scope) as tx:
        _uncount(tx, who.name, origin)
        ended = put(plane.clock, tx, who.id, fresh, but=who.token)
        told = people_details.PasswordChanged(ended=ended)
        record.append(plane, tx, scope, "login.password.changed", target=f"person/{who.name}", details=told)
    return shapes.PasswordChanged(name=who.name, ended=ended)


def put(clock: ports.Clock, tx: Tx, principal: str, hashed: str, *, but: str = "") -> int:
    """Keep it, and end what the one before began; returns how many tokens and sessions that were."""
    now = clock.now()
    store.put(tx, access.PLATFORM_TENANT, principal, hashed, now)
    return store.end_others(tx, access.PLATFORM_TENANT, principal, login.LOCAL, but=but, now=now)


def _count(plane: context.Plane, name: str, origin: entry.Origin) -> None:
    now = plane.clock.now()
    with engine.begin(plane.engine, entry.PLATFORM) as tx:
        for what, value, free in (("account", name, passwords.OF_ACCOUNT), ("address", origin.ip, passwords.OF_ADDRESS)):
            key = passwords.key(what, value)
            failures = store.count(tx, key, now, forget=passwords.FORGET)
            if failures is None:
                raise errors.TooMany(f"too many wrong passwords for this {what}", retry_after=store.locked_until(tx, key) - now)
            if pause := passwords.locked_for(failures, free=free):
                store.lock(tx, key, now + pause)
                told = people_details.LockedOut(what=what, until=facts.stamp(now + pause), failures=failures)
                scope = access.Scope(access.PLATFORM_TENANT, _nobody(origin), origin.request)
                target = f"person/{name}" if what == "account" and logins.named(tx, access.PLATFORM_TENANT, name, "user") else ""
                record.append(plane, tx, scope, "login.locked", target=target, outcome="denied", details=told)


def _uncount(tx: Tx, name: str, origin: entry.Origin) -> None:
    """It was the right one; what an address tried at other accounts still counts."""
    store.forgive(tx, passwords.key("account", name))
    store.uncount(tx, passwords.key("address", origin.ip))


def _nobody(origin: entry.Origin) -> access.Actor:
    return access.Actor(access.SYSTEM.id, access.SYSTEM.name, access.SYSTEM.kind, ip=origin.ip, user_agent=origin.user_agent[:200])
