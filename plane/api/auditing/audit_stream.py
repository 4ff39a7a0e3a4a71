"""The audit log as it grows, as server-sent events; whoever comes back says the last place it has."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from litestar import Request, get
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import ServerSentEvent, ServerSentEventMessage

from plane.api import calls, wake
from plane.api.delivering import apps
from plane.domain import errors
from plane.domain.auditing import audit
from plane.server.auditing import audit_log
from plane.wire import audit as wire

CHECK_S = 5.0  # how long a revoked token may still listen
PING_S = 15.0
PLACE_DIGITS = 18  # what the database takes as a number
LONGEST_S = 900.0  # a stream ends by itself; its reader opens another


class _Following(msgspec.Struct, frozen=True):
    call: calls.Call
    token: str
    query: wire.Follow


def handler(path: str, prefix: str) -> HTTPRouteHandler:
    """`GET …/audit/events`."""
    doc = calls.Doc(
        answer=audit.Sealed, summary="Sealed events as they come, as server-sent events; `id` is the place.",
        query=wire.Follow, media_type="text/event-stream", tag="audit", operation=f"{prefix}follow_audit",
    )  # fmt: skip

    @get(calls.typed(path), opt={"doc": doc}, name=f"{prefix}follow_audit")
    async def follow(request: Request[Any, Any, Any], call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> ServerSentEvent:
        query = call.query(wire.Follow)
        last = request.headers.get("Last-Event-ID", "")
        if last.isdecimal() and len(last) <= PLACE_DIGITS:
            query = msgspec.structs.replace(query, after=int(last))
        place = await sync_to_thread(audit_log.follow, call.plane, call.caller, call.names, query)  # refusals are answers, not events
        return ServerSentEvent(_events(_Following(call, str(request.auth), query), place, hub))

    return follow


async def _events(
    following: _Following, place: audit_log.Followed, hub: NamedDependency[wake.Hub]
) -> AsyncGenerator[ServerSentEventMessage, None]:
    loop = asyncio.get_running_loop()
    began = checked = spoke = loop.time()
    after = place.after
    with hub.expect("plane_audit", place.tenant) as news:
        while loop.time() - began < LONGEST_S and not hub.draining:
            try:
                if loop.time() - checked > CHECK_S:
                    following, checked = await sync_to_thread(_again, following), loop.time()
                found = await sync_to_thread(_more, following, after)
            except errors.PlaneError as e:
                yield ServerSentEventMessage(event="gone", data=msgspec.json.encode({"code": e.code, "detail": str(e)}))
                return
            for one in found:
                after, spoke = one.seq, loop.time()
                yield ServerSentEventMessage(event="event", id=str(one.seq), data=msgspec.json.encode(one))
            if not found:
                if loop.time() - spoke > PING_S:  # proxies close what is silent
                    spoke = loop.time()
                    yield ServerSentEventMessage(comment="still here")
                await news.wait(CHECK_S)


def _more(following: _Following, after: int) -> tuple[audit.Sealed, ...]:
    call = following.call
    query = msgspec.structs.replace(following.query, after=after)
    return audit_log.follow(call.plane, call.caller, call.names, query, begun=True).found


def _again(following: _Following) -> _Following:
    who = apps.permitted(following.call, following.token)
    caller = msgspec.structs.replace(following.call.caller, actor=who)
    return msgspec.structs.replace(following, call=msgspec.structs.replace(following.call, caller=caller))
