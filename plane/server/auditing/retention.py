"""The life of events: how long they stay, what holds them, and what is forgotten of a person. Proofs outlive all of it."""

import datetime as dt

import structlog

from plane.domain import access, errors
from plane.domain.auditing import audit, details
from plane.server import authorise, context, record
from plane.store import engine
from plane.store.auditing import audit_reading, audit_terms
from plane.store.people import people, tenants
from plane.wire import audit as wire
from plane.wire import rest

log = structlog.get_logger()
PLATFORM = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
SHORTEST_DAYS = 400  # as the database holds it (migrations)
ROUNDS = 20


def terms(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> wire.Terms:
    """As they are."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:read") as place:
        found = audit_terms.read(place.tx, place.scope.tenant)
    return wire.Terms(keep_days=found.keep_days, hold=found.hold)


def govern(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, wish: wire.Terms) -> wire.Terms:
    """As they shall be; Invalid below the shortest time."""
    if 0 < wish.keep_days < SHORTEST_DAYS:
        raise errors.Invalid({"keepDays": f"must be 0, for ever, or at least {SHORTEST_DAYS}"})
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:govern") as place:
        before = audit_terms.read(place.tx, place.scope.tenant)
        after = audit_terms.Terms(wish.keep_days, wish.hold)
        audit_terms.write(place.tx, place.scope.tenant, after)
        sides = {name: details.Terms(of.keep_days, of.hold) for name, of in (("before", before), ("after", after))}
        record.append(plane, place.tx, place.scope, "audit.terms.changed", details=details.TermsChanged(**sides))
        return place.done(wish)


def erase(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> rest.Deleted:
    """Forget a person's name and addresses in all events of theirs, and of others that name them; ids stay. Conflict under a hold."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:govern") as place:
        _check_hold(place)
        found = people.find(place.tx, place.scope.tenant, names.name)
        if not found:
            raise errors.NotFound("person", names.name)
        count = audit_terms.erase(place.tx, place.scope.tenant, found, names.name)
        record.append(plane, place.tx, place.scope, "audit.person.erased", target=f"person/{found}", details=details.Erased(events=count))
        return place.done(rest.Deleted(name=names.name))


def erase_authors(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, wish: wire.Authors) -> wire.ErasedAuthors:
    """Forget people by the names that Git and identity providers have for them. Conflict under a hold."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "audit:govern") as place:
        _check_hold(place)
        count = audit_terms.erase_authors(place.tx, place.scope.tenant, wish.authors)
        message = "people of commits"  # who they were is what is forgotten
        record.append(plane, place.tx, place.scope, "audit.person.erased", message=message, details=details.Erased(events=count))
        return place.done(wire.ErasedAuthors(events=count))


def _check_hold(place: authorise.Place) -> None:
    hold = audit_terms.read(place.tx, place.scope.tenant).hold
    if hold:
        raise errors.Conflict(f"a legal hold keeps the log as it is ({hold}); lift it first")


def expire(plane: context.Plane) -> int:
    """Let go what is older than its log keeps; returns how many events left one by one. What is told before: `audit.retention.applied`.

    A month that nobody keeps leaves whole: its logs say so in one round, and it goes in a later one, when that is sealed.
    """
    if _month(plane):
        return 0
    with engine.dispatch(plane.engine) as tx:
        everyone = tenants.ids(tx)
    return sum(_expire(plane, access.Scope(tenant, access.SYSTEM)) for tenant in (access.PLATFORM_TENANT, *everyone))


def _expire(plane: context.Plane, scope: access.Scope) -> int:
    total = 0
    for turn in range(ROUNDS):
        with engine.begin(plane.engine, scope) as tx:
            wanted = audit_terms.read(tx, scope.tenant)
            if wanted.hold or not wanted.keep_days:
                return total
            bound = audit_terms.first_kept(tx, scope.tenant, plane.clock.now() - dt.timedelta(days=wanted.keep_days))
            if bound < 0:
                return total
            if turn == 0:
                record.append(plane, tx, scope, audit.EXPIRED, details=details.Expired(before=bound, keep_days=wanted.keep_days))
            gone = audit_terms.expire(tx, bound)
        total += gone
        if not gone:
            return total
    return total


def make_months(plane: context.Plane) -> int:
    """Tables for the events of the months to come; returns how many were made."""
    with engine.begin(plane.engine, PLATFORM) as tx:
        return audit_terms.make_months(tx)


def _month(plane: context.Plane) -> bool:
    """Whether a month left, or is about to."""
    with engine.begin(plane.engine, PLATFORM) as tx:
        month = audit_terms.leaving_month(tx)
        left = month is not None and audit_terms.drop_month(tx, month)
    if month is None:
        return False
    if left:
        log.info("month.left", month=month.name, logs=len(month.logs))
        return True
    return sum(_tell(plane, access.Scope(tenant, access.SYSTEM), month) for tenant in month.logs) > 0


def _tell(plane: context.Plane, scope: access.Scope, month: audit_terms.Month) -> bool:
    """Say in a log how far its events may be gone, unless it does as far as the month goes."""
    with engine.begin(plane.engine, scope) as tx:
        newest = audit_reading.last_checkpoint(tx, scope.tenant)
        bound = audit_terms.first_since(tx, scope.tenant, month.ends)
        if newest is None or audit_terms.expired_before(tx, scope.tenant) >= (newest.size if bound < 0 else bound):
            return False
        kept = audit_terms.read(tx, scope.tenant).keep_days
        gone = details.Expired(before=newest.size if bound < 0 else bound, keep_days=kept)
        record.append(plane, tx, scope, audit.EXPIRED, details=gone)
    return True
