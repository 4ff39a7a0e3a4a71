"""Housekeeping: rows that nothing refers to, and mirrors of repositories that are no more."""

import datetime as dt

import structlog

from plane.domain import access
from plane.server import context
from plane.server.delivering import reminders
from plane.store import engine
from plane.store.attending import agents
from plane.store.delivering import repositories, sweeps
from plane.store.people import idempotency, tenants

log = structlog.get_logger()

SETTLED = dt.timedelta(days=7)  # a task or a release of nobody's history stays so long, for whoever still looks at it
UNHEARD = dt.timedelta(minutes=5)  # a piece of an answer that nobody has read for so long is nobody's
TURNED = dt.timedelta(days=30)  # how health changed, for whoever asks what happened last month
REFUSED = dt.timedelta(days=90)  # the objects that policy stopped, for whoever asks whether it was right
DECIDED = dt.timedelta(days=400)  # what policy decided: a year, and the time that an audit of it takes
ROUNDS = 100  # of sweeps.LIMIT rows for one tenant; the next sweep goes on


def sweep(plane: context.Plane) -> int:
    """Remove what is old in every tenant and mirrors that nobody needs here, and tell of what ends soon; returns how many rows went."""
    with engine.dispatch(plane.engine) as tx:
        everyone, mirrored = tenants.ids(tx), repositories.ids(tx)
        agents.forget_requests(tx, plane.clock.now())
    for tenant in everyone:
        reminders.remind(plane, tenant)
    rows = sum(_tenant(plane, tenant) for tenant in (access.PLATFORM_TENANT, *everyone))
    mirrors = plane.git.forget_others(mirrored)
    if rows or mirrors:
        log.info("rows.removed", rows=rows, mirrors=mirrors)
    return rows


def _tenant(plane: context.Plane, tenant: str) -> int:
    total, now = 0, plane.clock.now()
    for _ in range(ROUNDS):
        with engine.begin(plane.engine, access.Scope(tenant, access.SYSTEM)) as tx:
            if not sweeps.alone(tx, tenant):
                break  # this hour's turn is another's, or the next one's
            past = sweeps.Past(now - SETTLED, now - idempotency.KEPT, now - UNHEARD, now - TURNED, now - REFUSED, now - DECIDED)
            gone = sweeps.old(tx, tenant, past)
        total += gone
        if gone == 0:
            break
    return total
