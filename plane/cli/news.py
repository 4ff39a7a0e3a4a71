"""Looking at an app again whenever something may have changed: woken by its event stream, else every few seconds."""

import contextlib
import queue
import threading
import time
from collections.abc import Iterator

from plane.cli import client, failures, kinds, session

Json = client.Json
LOOK_S = 2.0  # between looks when the stream says nothing, or cannot be had
REOPEN_S = 1.0  # before a stream that ended is opened again


def looks(where: session.Session, name: str, *, seconds: float) -> Iterator[Json]:
    """The app's document now and after each change, until `seconds` have passed; the last look is at the very end."""
    woken: queue.SimpleQueue[None] = queue.SimpleQueue()
    path = kinds.path(kinds.APP, where, name)
    threading.Thread(target=_listen, args=(where.api, f"{path}/events", woken), daemon=True).start()
    deadline = time.monotonic() + seconds
    while True:
        yield where.api.get(path).body
        left = deadline - time.monotonic()
        if left <= 0:
            return
        with contextlib.suppress(queue.Empty):
            woken.get(timeout=min(LOOK_S, left))
        while not woken.empty():  # one look answers all that came meanwhile
            woken.get()


def _listen(api: client.Client, path: str, woken: queue.SimpleQueue[None]) -> None:
    """Events are wake-ups; whatever is wrong with the stream shows in the looks, which go on without it."""
    while True:
        try:
            for _ in api.events(path):
                woken.put(None)
        except failures.Refused:
            return
        except (failures.Failed, RuntimeError, ValueError):  # RuntimeError: the client was closed, the command is over
            time.sleep(REOPEN_S)
