"""Endpoints that wait for an agent's answer, a bounded time."""

import asyncio
from typing import Any

from litestar import Response
from litestar.concurrency import sync_to_thread

from plane.api import calls, wake
from plane.server.asking import questions

WAIT_S = 10.0  # an agent with an open claim answers within one; the client's own patience is longer
LOOK_S = 0.5  # between looks at a row that somebody waits for, where no wake-up comes


async def answered(call: calls.Call, hub: wake.Hub, asked: questions.Asked, answer: Any) -> Response[bytes]:  # noqa: ANN401 - a use case
    """What the agent said, or the sentence that it does not. `answer(plane, caller, names, asked)` gives None until it has."""
    found = await within(call, hub, asked, answer)
    if found is None:
        raise await sync_to_thread(questions.give_up, call.plane, call.caller, call.names, asked)
    return calls.respond(found)


async def within(call: calls.Call, hub: wake.Hub, asked: questions.Asked, answer: Any) -> Any:  # noqa: ANN401 - a use case and its answer
    """The same, None when the time is over; the question stands."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAIT_S
    with hub.expect("plane_app", asked.app) as news:
        while loop.time() < deadline:
            found = await sync_to_thread(answer, call.plane, call.caller, call.names, asked)
            if found:
                return found
            await news.wait(LOOK_S)
    return None
