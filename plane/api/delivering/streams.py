"""Server-sent events: an app's status whenever it changes."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from litestar import Request, get
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage

from plane.api import awaiting, calls, wake
from plane.api.delivering import apps
from plane.domain import errors
from plane.server import documents as generic
from plane.server.keeping import apps as use
from plane.wire import documents, rest

CHECK_S = 5.0  # how long a revoked token may still listen
PING_S = 15.0
LONGEST_S = 900.0  # a stream ends by itself; its reader opens another


class Watching(msgspec.Struct, frozen=True):
    """An open stream. `after`: end when a task above this generation is through; -1: go on."""

    call: calls.Call
    token: str
    after: int


DOC = calls.Doc(
    answer=documents.AppStatus, summary="The app's status whenever it changes, as server-sent events.",
    query=rest.EventsQuery, media_type="text/event-stream", tag="apps", operation="watch_app",
)  # fmt: skip


@get(calls.typed(f"{apps.APP}/events"), opt={"doc": DOC}, name="watch_app")
async def events(request: Request[Any, Any, Any], call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> ServerSentEvent:
    """`state` events, and `done` with the last one when the awaited task is through."""
    watching = Watching(call, str(request.auth), call.query(rest.EventsQuery).after)
    first: documents.App = await sync_to_thread(_read, watching)  # refusals are answers, not events
    return ServerSentEvent(_events(watching, first, hub))


async def _events(watching: Watching, app: documents.App, hub: NamedDependency[wake.Hub]) -> AsyncGenerator[ServerSentEventMessage, None]:
    loop = asyncio.get_running_loop()
    began = checked = spoke = loop.time()
    said: documents.AppStatus | None = None
    woken = True
    with hub.expect("plane_app", app.status.id if app.status else "") as news:
        while loop.time() - began < LONGEST_S and not hub.draining:
            if woken or app.status != said:
                said, spoke = app.status, loop.time()
                yield _message("state", said)
            elif loop.time() - spoke > PING_S:  # proxies close what is silent
                spoke = loop.time()
                yield ServerSentEventMessage(comment="still here")
            if _through(said, watching.after):
                yield _message("done", said)
                return
            woken = await news.wait(awaiting.LOOK_S)
            try:
                if loop.time() - checked > CHECK_S:
                    watching, checked = await sync_to_thread(again, watching), loop.time()
                app = await sync_to_thread(_read, watching)
            except errors.PlaneError as e:
                yield ServerSentEventMessage(event="gone", data=msgspec.json.encode({"code": e.code, "detail": str(e)}))
                return


def _read(watching: Watching) -> documents.App:
    return generic.get(watching.call.plane, watching.call.caller, use.KIND, watching.call.names)  # type: ignore[no-any-return]  # by its kind


def again(watching: Watching) -> Watching:
    """With the rights that its token has now; Unauthenticated when it has none."""
    who = apps.permitted(watching.call, watching.token)
    caller = msgspec.structs.replace(watching.call.caller, actor=who)
    return msgspec.structs.replace(watching, call=msgspec.structs.replace(watching.call, caller=caller))


def _through(status: documents.AppStatus | None, after: int) -> bool:
    last = status.operation if status else None
    return after >= 0 and last is not None and last.generation > after and bool(last.outcome)


def _message(name: str, status: documents.AppStatus | None) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=name, data=msgspec.json.encode(status))
