"""Looking at an app again whenever something may have changed: woken by its event stream, else every few seconds."""

import contextlib
import queue
import threading
import time
from collections.abc import Iterator

from plane.cli import client, contexts, failures, kinds, session

Json = client.Json
LOOK_S = 2.0  # between looks when the stream says nothing, or cannot be had
REOPEN_S = 1.0  # before a stream that ended is opened again


def looks(where: session.Session, name: str, *, seconds: float) -> Iterator[Json]:
    """The app's document now and after each change, until `seconds` have passed; the last look is at the very end."""
    path = kinds.path(kinds.APP, where, name)
    woken: queue.SimpleQueue[None] = queue.SimpleQueue()
    over = threading.Event()
    threading.Thread(target=_listen, args=(where.context, f"{path}/events", woken, over), daemon=True).start()
    deadline = time.monotonic() + seconds
    try:
        while True:
            yield where.api.get(path).body
            left = deadline - time.monotonic()
            if left <= 0:
                return
            _sleep(woken, min(LOOK_S, left))
    finally:
        over.set()


def _sleep(woken: queue.SimpleQueue[None], seconds: float) -> None:
    """Until woken; one look answers all that came meanwhile."""
    with contextlib.suppress(queue.Empty):
        woken.get(timeout=seconds)
        while True:
            woken.get_nowait()


def _listen(context: contexts.Context, path: str, woken: queue.SimpleQueue[None], over: threading.Event) -> None:
    """Events are wake-ups. Whatever is wrong with the stream shows in the looks, which go on without it.

    The connection is this thread's own: one that is closed while another thread reads it may hang, or read what is not its own.
    """
    with client.Client(context) as api:
        while not over.is_set():
            try:
                for _ in api.events(path):
                    woken.put(None)
                    if over.is_set():
                        return
            except (failures.Failed, ValueError):
                over.wait(REOPEN_S)
