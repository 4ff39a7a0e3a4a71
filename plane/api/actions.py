"""Changes of one live object by hand."""

from typing import Any

from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.api import apps, awaiting, calls, wake
from plane.server.asking import actions as use
from plane.wire import ordered, views

LIST = calls.Doc(
    answer=ordered.Actions, summary="What can be done to the app's objects, or to one of those below; asks the agent and waits up to 10 s.",
    query=views.SubjectQuery, tag="apps", operation="list_app_actions",
)  # fmt: skip


@get(calls.typed(f"{apps.APP}/actions"), opt={"doc": LIST}, name="list_app_actions")
async def listed(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """404 when the object is absent, or not the app's."""
    asked = await sync_to_thread(use.ask, call.plane, call.caller, call.names, call.query(views.SubjectQuery))
    return await awaiting.answered(call, hub, asked, use.listed)


def _order(path: str, operation: str, body: Any, work: use.Ordering, summary: str) -> HTTPRouteHandler:  # noqa: ANN401 - a type as a value
    doc = calls.Doc(answer=ordered.Ordered, summary=summary, body=body, tag="apps", operation=operation)

    @post(calls.typed(f"{apps.APP}/{path}"), status_code=200, opt={"doc": doc}, name=operation)
    async def handle(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
        asked = await sync_to_thread(work, call.plane, call.caller, call.names, call.read(body))
        found = await awaiting.within(call, hub, asked, use.outcome)
        return calls.respond(found) if found else calls.respond(ordered.Ordered(task=asked.task), 202)

    return handle


def handlers() -> list[HTTPRouteHandler]:
    """All of them."""
    wait = "Waits up to 10 s for the agent, then answers 202 with the task to follow."
    return [
        listed,
        _order("actions", "run_app_action", ordered.RunAction, use.act, f"Do an action to one object. {wait}"),
        _order("patches", "patch_app_object", ordered.PatchObject, use.patch, f"Patch one object. {wait}"),
        _order("deletions", "delete_app_object", ordered.DeleteObject, use.delete, f"Delete one object. {wait}"),
    ]
