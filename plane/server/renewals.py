"""Log-ins are asked about again at the provider that they came from: whether it still vouches for somebody, and in which groups they are.

A session's or a token's owner does not wait for it; only where the provider's last word is too old to go on with, they do.
"""

import datetime as dt

import structlog

from plane.domain import access, errors
from plane.domain.auditing import people_details
from plane.domain.granting import login
from plane.server import authorise, context, entry, providers, record
from plane.store import engine
from plane.store.people import logins
from plane.store.people import renewals as store

PAUSE = dt.timedelta(seconds=60)  # longer than a provider may take to answer; one that is away is asked about a log-in no more often
log = structlog.get_logger()


def renew_due(plane: context.Plane) -> int:
    """Ask about those in use whose turn it is, and forget what ended ones would be asked about with; returns how many were looked at.

    A provider that does not answer is left alone for the rest of the round.
    """
    with engine.dispatch(plane.engine) as tx:
        due, over = store.due(tx, plane.clock.now(), PAUSE), store.ended(tx, plane.clock.now())
    away: set[str] = set()
    for tenant, token in due:
        _renew(plane, tenant, token, away)
    for tenant, token in over:
        _forget(plane, tenant, token)
    return len(due) + len(over)


def actor(plane: context.Plane, bearer: str, *, ip: str, user_agent: str, used: bool = True) -> access.Actor:
    """As `authorise.actor`, who waits here for the provider where its last word is too old to go on with; BackendDown."""
    try:
        return authorise.actor(plane, bearer, ip=ip, user_agent=user_agent, used=used)
    except authorise.Stale as e:
        _answer(plane, e.tenant, e.token)
        return authorise.actor(plane, bearer, ip=ip, user_agent=user_agent, used=used)


def _answer(plane: context.Plane, tenant: str, token: str) -> None:
    away: set[str] = set()
    if not _renew(plane, tenant, token, away):
        reason = "does not say whether this log-in still holds; try again, or log in again"
        raise errors.BackendDown(min(away, default="identity provider"), reason, retry_after=PAUSE if away else dt.timedelta(seconds=1))


def _renew(plane: context.Plane, tenant: str, token: str, away: set[str]) -> bool:
    """Whether the provider gave an answer, of whatever kind; if not, it is among those that are `away`."""
    scope, now = access.Scope(tenant, access.SYSTEM), plane.clock.now()
    with engine.begin(plane.engine, scope) as tx:
        found = store.claim(tx, tenant, token, now, PAUSE)
    if found is None or found.provider in away:
        return False
    try:
        provider = providers.find(plane, found.provider)
        renewal = plane.envelope.unwrap(found.renewal, context=entry.renewal_context(tenant, token))
        person = plane.identities.renew(provider, renewal, now=now)
    except login.Ended as e:
        _end(plane, scope, token, found.provider, e.reason)
    except (errors.BackendDown, errors.NotFound, errors.SecretRefused) as e:
        away.add(found.provider)
        log.warning("login.kept_unasked", provider=found.provider, login=token, reason=str(e))
        return False
    else:
        _take(plane, scope, token, provider, person)
    return True


def _take(plane: context.Plane, scope: access.Scope, token: str, provider: login.Provider, person: login.Person) -> None:
    """What the provider says of somebody counts from now on; of somebody else, it is no answer."""
    bound = entry.renewal_context(scope.tenant, token)
    wrapped = plane.envelope.wrap(person.renewal, context=bound) if person.renewal else None
    with engine.begin(plane.engine, scope) as tx:
        owner = store.lock(tx, scope.tenant, token)
        who = logins.known(tx, scope.tenant, login.kept_as(provider), person.subject)
        if who is not None and who.principal == owner:
            if store.keep(tx, scope.tenant, token, wrapped, plane.clock.now()):
                entry.regroup(plane, tx, scope, who, person.groups, provider=provider.name)
            return
    _end(plane, scope, token, provider.name, "sub is somebody else")


def _end(plane: context.Plane, scope: access.Scope, token: str, provider: str, reason: str) -> None:
    log.warning("login.ended", provider=provider, login=token, reason=reason)
    with engine.begin(plane.engine, scope) as tx:
        principal = store.end(tx, scope.tenant, token, plane.clock.now())
        who = logins.by_id(tx, scope.tenant, principal) if principal else None
        if who is not None:
            told = people_details.LoginsEnded(tokens=1, people=0)
            message = f"{provider} vouches for {who.name} no more"
            record.append(plane, tx, scope, "access.logins.ended", target=f"person/{who.name}", message=message, details=told)


def _forget(plane: context.Plane, tenant: str, token: str) -> None:
    """Whoever logged out is not asked about any more; a provider that wants to know is told, once."""
    with engine.begin(plane.engine, access.Scope(tenant, access.SYSTEM)) as tx:
        found = store.forget(tx, tenant, token)
    if found is None:
        return
    try:
        renewal = plane.envelope.unwrap(found.renewal, context=entry.renewal_context(tenant, token))
        plane.identities.forget(providers.find(plane, found.provider), renewal)
    except (errors.BackendDown, errors.NotFound, errors.SecretRefused) as e:
        log.warning("login.abandoned", provider=found.provider, login=token, reason=str(e))
