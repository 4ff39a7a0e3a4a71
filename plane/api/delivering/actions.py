"""Changes of one live object by hand."""

from typing import Any

from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.api import awaiting, calls, wake
from plane.api.delivering import apps
from plane.server.asking import actions as use
from plane.server.asking import patches, questions
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


PATCH = calls.Doc(
    answer=ordered.Ordered, body=ordered.PatchObject, tag="apps", operation="patch_app_object",
    summary="Patch one object, if policy lets it be what the patch makes of it. Waits up to 10 s each for the agent to try and to do it.",
)  # fmt: skip


@post(calls.typed(f"{apps.APP}/patches"), status_code=200, opt={"doc": PATCH}, name="patch_app_object")
async def patched(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """422 when a policy refuses, 503 when the agent does not try it in time; 202 with the task to follow once it is ordered."""
    body = call.read(ordered.PatchObject)
    asked = await sync_to_thread(patches.ask, call.plane, call.caller, call.names, body)
    tried = await awaiting.within(call, hub, asked, patches.judging(body))
    if tried is None:
        raise await sync_to_thread(questions.give_up, call.plane, call.caller, call.names, asked)
    if body.dry_run:
        return calls.respond(tried.shown())
    order = await sync_to_thread(patches.order, call.plane, call.caller, call.names, body, tried)
    found = await awaiting.within(call, hub, order, use.outcome)
    return calls.respond(found) if found else calls.respond(ordered.Ordered(task=order.task), 202)


def handlers() -> list[HTTPRouteHandler]:
    """All of them."""
    wait = "Waits up to 10 s for the agent, then answers 202 with the task to follow."
    return [
        listed,
        _order("actions", "run_app_action", ordered.RunAction, use.act, f"Do an action to one object. {wait}"),
        patched,
        _order("deletions", "delete_app_object", ordered.DeleteObject, use.delete, f"Delete one object. {wait}"),
    ]
