"""Logs as server-sent events: what the agent sends, as it arrives. A slow reader slows the agent down; one that leaves ends the stream."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import msgspec
import structlog
from litestar import Request, get
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent, ServerSentEventMessage

from plane.api import awaiting, calls, wake
from plane.api.delivering import apps, streams
from plane.domain import errors
from plane.server.asking import logs as use
from plane.server.asking import questions
from plane.wire import views

LOOK_S = 5.0  # between looks where no wake-up comes
AGAIN = "the agent began anew; ask again"

DOC = calls.Doc(
    answer=views.LogPiece, summary="Logs of the app's Pods, as server-sent events; needs app:logs.",
    query=views.LogsQuery, media_type="text/event-stream", tag="apps", operation="get_app_logs",
)  # fmt: skip

log = structlog.get_logger()


class _Ended(Exception):
    """The stream cannot go on; the sentence says why."""


class _Listener:
    """One open stream."""

    def __init__(self, watching: streams.Watching, asked: questions.Asked) -> None:
        self._watching, self._asked, self._number = watching, asked, -1
        self._checked = asyncio.get_running_loop().time()

    async def hear(self) -> use.Heard:
        """What came since the last look, a piece that came twice left out."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._checked > streams.CHECK_S:
            self._watching, self._checked = await sync_to_thread(streams.again, self._watching), loop.time()
        call = self._watching.call
        found: use.Heard = await sync_to_thread(use.hear, call.plane, call.caller, call.names, self._asked)
        fresh = [piece for piece in found.pieces if piece[0] > self._number]
        if found.pieces and found.pieces[0][0] < self._number:
            raise _Ended(AGAIN)
        self._number = max((number for number, _ in fresh), default=self._number)
        return msgspec.structs.replace(found, pieces=tuple(fresh))

    def leave(self) -> None:
        """In a thread: whoever left does not wait. If it fails, the agent finds that nobody reads."""
        call = self._watching.call
        try:
            use.leave(call.plane, call.caller, call.names, self._asked)
        except errors.PlaneError as e:
            log.warning("stream.kept", task=self._asked.task, reason=str(e))


@get(calls.typed(f"{apps.APP}/logs"), opt={"doc": DOC}, name="get_app_logs")
async def logs(request: Request[Any, Any, Any], call: NamedDependency[calls.Call], hub: NamedDependency[wake.Hub]) -> ServerSentEvent:
    """`lines` events; `done` after the last, or `gone` with a sentence. Refusals are answers, not events."""
    asked = await sync_to_thread(use.ask, call.plane, call.caller, call.names, call.query(views.LogsQuery))
    listener = _Listener(streams.Watching(call, str(request.auth), -1), asked)
    first = await _first(listener, asked, call, hub)
    return ServerSentEvent(_events(listener, asked, first, hub))


async def _first(listener: _Listener, asked: questions.Asked, call: calls.Call, hub: wake.Hub) -> use.Heard:
    """The agent's first word."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + awaiting.WAIT_S
    with hub.expect("plane_pieces", asked.task) as news, hub.expect("plane_app", asked.app) as ends:
        while loop.time() < deadline:
            found = await listener.hear()
            if found.pieces or found.last:
                return found
            await wake.first(min(LOOK_S, deadline - loop.time()), news, ends)
    raise await sync_to_thread(questions.give_up, call.plane, call.caller, call.names, asked)


async def _events(
    listener: _Listener, asked: questions.Asked, found: use.Heard, hub: wake.Hub
) -> AsyncGenerator[ServerSentEventMessage, None]:
    loop = asyncio.get_running_loop()
    spoke = loop.time()
    done = False
    try:
        with hub.expect("plane_pieces", asked.task) as news, hub.expect("plane_app", asked.app) as ends:
            while not hub.draining:
                for message in _lines(found):
                    spoke = loop.time()
                    yield message
                if found.last:
                    done = True
                    yield ServerSentEventMessage(event="done", data=msgspec.json.encode(views.LogPiece(warnings=found.last.warnings)))
                    return
                if loop.time() - spoke > streams.PING_S:  # proxies close what is silent
                    spoke = loop.time()
                    yield ServerSentEventMessage(comment="still here")
                await wake.first(LOOK_S, news, ends)
                try:
                    found = await listener.hear()
                except (errors.PlaneError, _Ended) as e:
                    yield _gone(str(e))
                    return
            yield _gone("this part of the plane is being replaced; ask again")
    finally:
        if not done:
            leaving = loop.run_in_executor(None, listener.leave)  # not awaited: who is cancelled may not wait
            leaving.add_done_callback(lambda _: None)


def _lines(found: use.Heard) -> Iterator[ServerSentEventMessage]:
    """Read and written anew: what an agent says must not be able to look like an event of ours."""
    for _, body in found.pieces:
        if body:
            piece = msgspec.json.decode(body, type=views.LogPiece)
            yield ServerSentEventMessage(event="lines", data=msgspec.json.encode(piece))


def _gone(sentence: str) -> ServerSentEventMessage:
    return ServerSentEventMessage(event="gone", data=msgspec.json.encode({"detail": sentence}))
