"""Which question a query task asks, and what answers it."""

from plane.agent import apply, cluster, planning, query
from plane.wire import agent


async def answer(there: cluster.Cluster, applier: apply.Applier, work: planning.Work) -> agent.Final:
    """The last word on a query. What a newer plane asks and this agent does not know is answered as `live`."""
    if work.task.query == "plan":
        return await planning.answer(there, work)
    return await query.answer(there, applier, work.task)
