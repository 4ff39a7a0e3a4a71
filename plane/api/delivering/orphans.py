"""Objects of a project's namespaces that belong to no app."""

import asyncio

from litestar import Response, get
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.api import awaiting, calls, wake
from plane.server.asking import orphans as use
from plane.wire import orphans as wire

ORPHANS = calls.Doc(
    answer=wire.OrphanedResources,
    summary="Objects in the namespaces of the project's apps that belong to no app; asks the agents and waits up to 10 s.",
    tag="projects",
    operation="list_project_orphans",
)


@get(calls.typed("/tenants/{tenant}/projects/{project}/orphans"), opt={"doc": ORPHANS}, name="list_project_orphans")
async def orphans(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """Agents that do not answer are warnings."""
    asked = await sync_to_thread(use.ask, call.plane, call.caller, call.names)
    answers = await asyncio.gather(*(awaiting.within(call, hub, one, use.heard) for one in asked.questions))
    return calls.respond(await sync_to_thread(use.told, call.plane, call.caller, call.names, asked, answers))


def handlers() -> list[HTTPRouteHandler]:
    """All of them."""
    return [orphans]
