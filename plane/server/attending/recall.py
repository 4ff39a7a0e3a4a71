"""For an agent that lost its disk: what each of its apps was last given, once more, to be looked after and not to be applied."""

from collections.abc import Sequence

from plane.server import claim, context, tasking
from plane.store import engine
from plane.store.attending import reports
from plane.store.delivering import states, tasks


def recall(plane: context.Plane, who: claim.AgentIdentity, apps: Sequence[str]) -> None:
    """Queue an observe task for every app of the cluster that has no task on its way."""
    with engine.dispatch(plane.engine) as tx:
        owners = reports.owners(tx, who.cluster_id, apps)
        busy = tasks.busy(tx, who.cluster_id, sorted(owners))
    for tenant in sorted(set(owners.values())):
        ids = sorted(app for app, owner in owners.items() if owner == tenant and app not in busy)
        with engine.begin(plane.engine, who.scope(tenant)) as tx:
            states.lock(tx, tenant, ids)
            names = reports.names(tx, tenant, ids)
            rows = [
                row for row in states.rows(tx, tenant, ids) if row.situation.attempt and row.situation.attempt.digest.startswith("sha256:")
            ]
            tasks.add(
                tx,
                tenant,
                [
                    tasking.observe(plane, row, last, tenant=names[row.id].tenant, trigger="recall")
                    for row in rows
                    if (last := row.situation.attempt)
                ],
                plane.clock.now(),
            )
