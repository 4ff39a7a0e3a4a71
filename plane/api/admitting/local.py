"""Sync and diff with files from somebody's disk."""

from litestar import Response, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.api import awaiting, calls, wake
from plane.api.delivering import apps
from plane.server.asking import diffs
from plane.server.asking import local as use
from plane.wire import local, rest

DIFF = calls.Doc(
    answer=rest.Diff,
    summary="Local files against the cluster at this moment; renders them, asks the agent and waits up to 10 s.",
    body=local.LocalDiff,
    tag="apps",
    operation="diff_app_local",
)


@calls.endpoint(
    "POST",
    f"{apps.APP}/sync-local",
    calls.Doc(
        answer=rest.Operation,
        summary="Bring the cluster to what local files say, this once.",
        body=local.LocalSync,
        status=202,
        tag="apps",
        operation="sync_app_local",
    ),
)
def sync(call: calls.Call) -> rest.Operation:
    """They are rendered and judged before the answer."""
    return use.sync(call.plane, call.caller, call.names, call.read(local.LocalSync))


@post(calls.typed(f"{apps.APP}/diff-local"), opt={"doc": DIFF}, name="diff_app_local", status_code=200)
async def diff(call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """503 when the agent does not answer."""
    asked, release = await sync_to_thread(use.ask_diff, call.plane, call.caller, call.names, call.read(local.LocalDiff))
    return await awaiting.answered(call, hub, asked, diffs.answer_of(release))


def handlers() -> list[HTTPRouteHandler]:
    """Both."""
    return [sync, diff]
