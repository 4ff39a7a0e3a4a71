"""The life of a hook: made anew for each operation, waited for, and deleted as its policy says."""

from plane.agent import apply, records, waits, watch
from plane.domain import plan


async def start(
    applier: apply.Applier, watches: watch.Watches, waiting: waits.Waits, order: apply.Order, *, step: plan.Step, run: str
) -> records.Record:
    """Make the hook unless this very operation made it before a restart."""
    resource = await applier.resource(order.key)
    await watches.ensure([(resource.group, resource.kind)])
    record = watches.get(order.key)
    if record and record.run == run and not record.deleting:
        return record
    if record and "BeforeHookCreation" in step.deletes:
        await applier.delete(order.key, resource, uid=record.live.uid)
        await waiting.until(order.key, waits.gone, watches.get(order.key))
    made = apply.Order(order.release, order.index, order.key, order.options, hook_run=run)
    return await applier.apply(made)


async def finish(applier: apply.Applier, step: plan.Step, record: records.Record | None, *, succeeded: bool) -> None:
    """Delete it if its policy says so."""
    policy = "HookSucceeded" if succeeded else "HookFailed"
    if record and policy in step.deletes:
        await applier.delete(step.key, await applier.resource(step.key), uid=record.live.uid)
