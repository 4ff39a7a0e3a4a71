"""Waivers that end soon are told to the log, once for each of the times before their end."""

from plane.domain import access
from plane.domain.judging import waivers
from plane.server import context, record
from plane.store import engine
from plane.store.delivering import policies


def remind(plane: context.Plane, tenant: str) -> int:
    """Tell of those whose time has come; returns how many."""
    scope, now = access.Scope(tenant, access.SYSTEM), plane.clock.now()
    with engine.begin(plane.engine, scope) as tx:
        near = policies.ending(tx, tenant, before=now + max(waivers.REMINDERS))
        due = [(one, left) for one in near if (left := waivers.reminder(one.reminded, one.waiver, at=now))]
        for one, left in due:
            name, days = one.waiver.name, f"{left.days} day{'s' if left.days > 1 else ''}"
            message = f"waiver {name} ends at {one.waiver.spec.expires_at}, which is at most {days} from now"
            about = record.Facts(project=one.project, target=f"waiver/{name.rpartition('/')[2]}", message=message)
            record.append(plane, tx, scope, "waiver.expiring", project_id=one.project_id, **about)
        policies.reminded(tx, tenant, [one.id for one, _ in due], now)
    return len(due)
