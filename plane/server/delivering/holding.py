"""What keeps a decision to sync from becoming a task: the tenant's state and quota, and the account that the project wants."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from plane.domain import access
from plane.domain.deciding import decide
from plane.domain.permitting import quotas
from plane.server import context, stinting, tasking
from plane.store.delivering import facts, states, tasks
from plane.store.engine import Tx

LOOK_AGAIN = dt.timedelta(seconds=10)  # a sync that ends makes no other app due

Made = Sequence[tuple[states.Row, decide.Decision]]


def held(plane: context.Plane, tx: Tx, scope: access.Scope, made: Made) -> list[tuple[states.Row, decide.Decision]]:
    """The same decisions with a reason to wait in place of those that must not be dispatched now."""
    room, now = _room(tx, scope.tenant, made), plane.clock.now()
    found: list[tuple[states.Row, decide.Decision]] = []
    for row, decision in made:
        if not isinstance(decision, decide.Apply | decide.Remove):
            found.append((row, decision))
            continue
        wait = _wait(row) or _full(row, room, now)
        if wait and wait.code == "quota":
            stinting.tell_of(plane, tx, scope, "concurrentSyncs", wait.sentence)
        room -= wait is None
        found.append((row, wait or decision))
    return found


def _room(tx: Tx, tenant: str, made: Made) -> int:
    """How many tasks may be begun; far more than there are apps where the tenant has no quota."""
    quota = next((row.above.quotas.concurrent_syncs for row, _ in made), None)
    return quota - tasks.open_syncs(tx, tenant) if quota is not None else len(made)


def _wait(row: states.Row) -> decide.Wait | None:
    if why := row.above.suspended:
        return decide.Wait("suspended", f"the tenant is suspended: {why}; what runs stays as it is, and the platform team can lift it")
    spec = row.situation.spec
    if why := tasking.no_account(row.rules, spec.destination, row.cluster, project=row.project):
        return decide.Wait("no-account", why)
    return None


def _full(row: states.Row, room: int, now: dt.datetime) -> decide.Wait | None:
    quota = row.above.quotas.concurrent_syncs
    if room > 0 or quota is None:
        return None
    why = quotas.exceeded("concurrent syncs", quota=quota, used=quota - room)
    return msgspec.structs.replace(decide.Wait("quota", why), until=facts.stamp(now + LOOK_AGAIN))
