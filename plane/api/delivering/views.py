"""Live objects of an app, as its agent sees them at this moment."""

from litestar import Response, get
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.api import awaiting, calls, wake
from plane.api.delivering import apps
from plane.server.asking import views as use
from plane.wire import views

LIVE = calls.Doc(
    answer=views.Live, summary="Live objects of the app, or one of those below, secret values masked; asks the agent and waits up to 10 s.",
    query=views.SubjectQuery, tag="apps", operation="get_app_live",
)  # fmt: skip
TREE = calls.Doc(
    answer=views.Tree, summary="The app's objects, what descends from them, and where traffic flows; asks the agent and waits up to 10 s.",
    tag="apps", operation="get_app_tree",
)  # fmt: skip
EVENTS = calls.Doc(
    answer=views.KubeEvents, summary="What Kubernetes says of the app's objects and those below; asks the agent and waits up to 10 s.",
    query=views.SubjectQuery, tag="apps", operation="list_app_kube_events",
)  # fmt: skip


@get(calls.typed(f"{apps.APP}/live"), opt={"doc": LIVE}, name="get_app_live")
async def live(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """404 when it is absent, or not the app's."""
    asked = await sync_to_thread(use.ask_live, call.plane, call.caller, call.names, call.query(views.SubjectQuery))
    return await awaiting.answered(call, hub, asked, use.live)


@get(calls.typed(f"{apps.APP}/tree"), opt={"doc": TREE}, name="get_app_tree")
async def tree(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """503 when the agent does not answer."""
    asked = await sync_to_thread(use.ask_tree, call.plane, call.caller, call.names)
    return await awaiting.answered(call, hub, asked, use.tree)


@get(calls.typed(f"{apps.APP}/kube-events"), opt={"doc": EVENTS}, name="list_app_kube_events")
async def kube_events(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """Newest last."""
    asked = await sync_to_thread(use.ask_events, call.plane, call.caller, call.names, call.query(views.SubjectQuery))
    return await awaiting.answered(call, hub, asked, use.events)


def handlers() -> list[HTTPRouteHandler]:
    """All of them."""
    return [live, tree, kube_events]
