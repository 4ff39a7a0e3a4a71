"""What windows, freezes and holds do to a sync under way and to an agent that heals; when that may change."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from plane.domain import access
from plane.domain.deciding import decide, next_step
from plane.domain.timing import schedules, windows
from plane.server import context, record, tasking
from plane.store import wake
from plane.store.auditing import audit as log
from plane.store.delivering import facts, states, tasks
from plane.store.engine import Tx


def stop(plane: context.Plane, tx: Tx, scope: access.Scope, rows: Sequence[states.Row]) -> tuple[states.Row, ...]:
    """End the syncs under way that may not go on; the rows as they are then."""
    now = plane.clock.now()
    reasons = {row.id: reason for row in rows if (reason := next_step.overrun(row.situation, at=now))}
    halted = {row.id: _halted(row, reasons[row.id], now) for row in rows if row.id in reasons}
    if not halted:
        return tuple(rows)
    tasks.halt(tx, scope.tenant, [(row.id, one.generation, one.message) for row in halted.values() if (one := row.situation.attempt)], now)
    wake.notify(tx, "plane_tasks", *{row.cluster_id for row in halted.values() if row.cluster_id})
    events = [
        record.event(
            plane, scope, "app.sync.halted", project=row.project, target=f"app/{row.name}", outcome="failure", message=reasons[id_]
        )
        for id_, row in halted.items()
    ]
    log.append(tx, events)
    return tuple(halted.get(row.id, row) for row in rows)


def _halted(row: states.Row, reason: str, now: dt.datetime) -> states.Row:
    message = f"stopped, because it may not go on: {reason}"
    last = row.situation.attempt
    ended = last and msgspec.structs.replace(last, outcome="halted", message=message, finished=facts.stamp(now))
    return msgspec.structs.replace(row, situation=msgspec.structs.replace(row.situation, attempt=ended))


def tell(plane: context.Plane, tx: Tx, rows: Sequence[states.Row], *, tenant: str) -> tuple[states.Row, ...]:
    """Let agents know when not to heal, where that is not what they were told last; the rows with what they know then."""
    now = plane.clock.now()
    told = [_told(row, now) for row in rows]
    news = [row for row, before in zip(told, rows, strict=True) if row is not before]
    new = [tasking.observe(plane, row, last, tenant=tenant, trigger="window") for row in news if (last := row.situation.attempt)]
    if new:
        tasks.add(tx, news[0].tenant_id, new, now)
        wake.notify(tx, "plane_tasks", *{one.cluster_id for one in new})
    return tuple(told)


def _told(row: states.Row, now: dt.datetime) -> states.Row:
    last, wanted = row.situation.attempt, tasking.pauses(row.situation, now)
    kept = last is not None and bool(last.outcome) and last.digest.startswith("sha256:") and not row.situation.deleting
    there = row.cluster is not None and row.cluster.joined and not row.cluster.revoked
    if last is None or not kept or not there or not tasking.outdated(last.pauses, wanted, now):
        return row
    knows = msgspec.structs.replace(last, pauses=wanted)
    return msgspec.structs.replace(row, situation=msgspec.structs.replace(row.situation, attempt=knows))


def turns(now: decide.Situation, made: decide.Decision, at: dt.datetime) -> list[dt.datetime]:
    """When to look again: when the decision says so, and when a window turns on a sync under way or on an agent that heals."""
    until = made.until if isinstance(made, decide.Wait) else ""
    found = [dt.datetime.fromisoformat(until)] if until else []
    under_way = isinstance(made, decide.Apply) or (now.attempt is not None and not now.attempt.outcome)
    if now.calendar == schedules.Calendar() or not (under_way or tasking.pauses(now, at)):
        return found
    changes = [_turn(now, at)]
    if under_way and now.attempt and now.attempt.manual:
        changes.append(windows.next_change(now.calendar, now.target, now=at, manual=True))
    return found + [change for change in changes if change]


def _turn(now: decide.Situation, at: dt.datetime) -> dt.datetime | None:
    """When automated syncs stop, or may start again."""
    spans = windows.pauses(now.calendar, now.target, now=at)
    ends = [end if start <= at.timestamp() else start for start, end in spans[:1]]
    return dt.datetime.fromtimestamp(ends[0], dt.UTC) if ends and ends[0] else None
