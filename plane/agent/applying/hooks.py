"""The life of a hook: made anew for each operation, waited for, and deleted as its policy says."""

from collections.abc import Callable

import structlog

from plane.adapters.cluster import kube_kinds
from plane.agent.applying import apply, leaving
from plane.agent.kept import records
from plane.agent.watching import cluster
from plane.domain.planning import plan

ENDED = frozenset({"Healthy", "Degraded"})
FINALIZERS = frozenset({"argocd.argoproj.io/hook-finalizer"})

log = structlog.get_logger()


async def start(
    there: cluster.Cluster, applier: apply.Applier, order: apply.Order, *, step: plan.Step, tell: Callable[[str], None]
) -> records.Record:
    """Make the hook unless this very operation (`order.hook_run`) made it before a restart; `tell` hears what is waited for."""
    resource = await applier.resource(order.key)
    await there.watches.ensure([(resource.group, resource.kind)])
    record = there.watches.get(order.key)
    if record and record.run == order.hook_run and not record.deleting:
        return record
    if record and "BeforeHookCreation" in step.deletes:
        await _delete(applier, record, resource)
        await leaving.gone(there, applier, order.key, tell=tell)
    return await applier.apply(order)


def goes(step: plan.Step, *, succeeded: bool) -> bool:
    """Whether its policy says that it is deleted now that it has ended."""
    return ("HookSucceeded" if succeeded else "HookFailed") in step.deletes


async def finish(applier: apply.Applier, step: plan.Step, record: records.Record) -> None:
    """Delete what has ended."""
    await _delete(applier, record, await applier.resource(step.key))


async def abandon(there: cluster.Cluster, applier: apply.Applier, app: str) -> None:
    """Delete the app's hooks that still run: their sync was terminated."""
    running = [record for record in there.watches.owned(app).values() if record.run and record.health.status not in ENDED]
    for record in running:
        await _delete(applier, record, await applier.resource(record.key))
        log.info("hook.abandoned", app=app, object=str(record.key))


async def _delete(applier: apply.Applier, record: records.Record, resource: kube_kinds.Resource) -> None:
    """Argo CD's finalizer, which a hook may have kept from there, holds it for nobody any more."""
    await applier.delete(record.key, resource, uid=record.live.uid, propagation=propagation(record))
    await applier.free(record.key, resource, FINALIZERS)


def propagation(record: records.Record) -> str:
    """How to delete a hook: one that still runs together with its pods, so that two never run at once."""
    return "background" if record.health.status in ENDED else "foreground"
