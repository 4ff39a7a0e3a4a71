"""Who comes and who is turned away, who reads the log, and when the plane's own programs run: told without flooding the log."""

import os
import socket

import structlog

from plane.domain import access, errors, version
from plane.domain.auditing import audit, details
from plane.server import authorise, context, entry, record, renewals
from plane.store import engine

LOGIN_S = 3600.0  # a token that was silent for so long, or comes from another address, logs in anew
READ_S = 600.0  # the same look at the log again is told so rarely

log = structlog.get_logger()


def admit(plane: context.Plane, token: str, origin: entry.Origin) -> access.Actor:
    """As `authorise.actor`, and the log hears of log-ins and of refusals."""
    try:
        found = renewals.actor(plane, token, ip=origin.ip, user_agent=origin.user_agent)
    except errors.Unauthenticated as e:
        refuse(plane, str(e), origin.ip)
        raise
    if plane.recent.first(("login", found.token, origin.ip), within_s=LOGIN_S):
        scope = access.Scope(found.home or access.PLATFORM_TENANT, found, origin.request)
        with engine.begin(plane.engine, scope) as tx:
            record.append(plane, tx, scope, "access.login", target=f"{found.kind}/{found.name}")
    return found


def refuse(plane: context.Plane, reason: str, ip: str) -> None:
    """Somebody showed a token that does not hold. The first is told at once, those that follow in sums."""
    plane.recent.refused(reason.partition(";")[0].partition(" at ")[0], ip)  # without the remedy, and without a moment of its own
    tell_refused(plane)


def tell_refused(plane: context.Plane, *, at_once: bool = False) -> None:
    """Write the sum of refusals, if it is time; one that cannot be written is in the process's own log."""
    found = plane.recent.sum(at_once=at_once)
    if found is None:
        return
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    told = details.LoginsRefused(count=found.count, reasons=found.reasons, addresses=found.addresses)
    message = f"{found.count} requests with tokens that do not hold" if found.count > 1 else next(iter(found.reasons))
    try:
        with engine.begin(plane.engine, scope) as tx:
            record.append(plane, tx, scope, "access.login.refused", outcome="denied", message=message, details=told)
    except errors.BackendDown:
        log.warning("refusals.dropped", count=found.count, reasons=found.reasons, addresses=found.addresses)


def read(plane: context.Plane, place: authorise.Place, how: str, filters: details.Filters) -> None:
    """Somebody looks at the log, in the transaction of the look."""
    scope = place.scope
    if plane.recent.first(("read", scope.actor.id, scope.actor.ip, scope.tenant, how, filters), within_s=READ_S):
        told = details.LogRead(how=how, filters=filters)
        record.append(plane, place.tx, scope, "audit.read", project_id=place.project, project=place.names.project, details=told)


def life(plane: context.Plane, kind: str, program: str) -> None:
    """`plane.started` or `plane.stopped`, and with it the logging of this program."""
    scope = access.Scope(access.PLATFORM_TENANT, access.SYSTEM)
    key = audit.key_id(plane.plane_id, plane.log_signer.keys()[0]).hex()
    told = details.ProgramLife(program=program, version=version.VERSION, host=socket.gethostname(), pid=os.getpid(), signing_key=key)
    try:
        with engine.begin(plane.engine, scope) as tx:
            record.append(plane, tx, scope, kind, target=f"program/{program}", details=told)
    except errors.BackendDown as e:
        log.warning("life.dropped", said=kind, program=program, reason=str(e))
