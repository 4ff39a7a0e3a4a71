"""The life of a hook: made anew for each operation, waited for, and deleted as its policy says."""

import asyncio

import msgspec

from plane.agent import apply, cluster, records, waits
from plane.domain import plan

GONE_S = 60.0  # an earlier run's hook that is still there by then hangs on a finalizer


async def start(there: cluster.Cluster, applier: apply.Applier, order: apply.Order, *, step: plan.Step, run: str) -> records.Record:
    """Make the hook unless this very operation made it before a restart."""
    resource = await applier.resource(order.key)
    await there.watches.ensure([(resource.group, resource.kind)])
    record = there.watches.get(order.key)
    if record and record.run == run and not record.deleting:
        return record
    if record and "BeforeHookCreation" in step.deletes:
        await applier.delete(order.key, resource, uid=record.live.uid, propagation="background")
        async with asyncio.timeout(GONE_S):
            await there.waits.until(order.key, waits.gone, there.watches.get(order.key))
    return await applier.apply(msgspec.structs.replace(order, hook_run=run))


async def finish(applier: apply.Applier, step: plan.Step, record: records.Record | None, *, succeeded: bool) -> None:
    """Delete it if its policy says so."""
    policy = "HookSucceeded" if succeeded else "HookFailed"
    if record and policy in step.deletes:
        await applier.delete(step.key, await applier.resource(step.key), uid=record.live.uid)
