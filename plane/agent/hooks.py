"""The life of a hook: made anew for each operation, waited for, and deleted as its policy says."""

from collections.abc import Callable

from plane.agent import apply, cluster, leaving, records
from plane.domain import plan

ENDED = frozenset({"Healthy", "Degraded"})


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
        await applier.delete(order.key, resource, uid=record.live.uid, propagation=propagation(record))
        await leaving.gone(there, applier, order.key, tell=tell)
    return await applier.apply(order)


async def finish(applier: apply.Applier, step: plan.Step, record: records.Record | None, *, succeeded: bool) -> None:
    """Delete it if its policy says so."""
    policy = "HookSucceeded" if succeeded else "HookFailed"
    if record and policy in step.deletes:
        await applier.delete(step.key, await applier.resource(step.key), uid=record.live.uid, propagation="background")


def propagation(record: records.Record) -> str:
    """How to delete a hook: one that still runs together with its pods, so that two never run at once."""
    return "background" if record.health.status in ENDED else "foreground"
