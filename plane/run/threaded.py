"""An aiohttp handler served over TLS by a thread of its own, for the companions of demo and tests."""

import asyncio
import contextlib
import queue
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager

import msgspec
from aiohttp import web

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Resources = Callable[[], AbstractAsyncContextManager[Handler]]

LAST_WORDS_S = 0.1  # for open streams at the end; who watches here is about to stop, too


class Served(msgspec.Struct, frozen=True):
    """A listening server on 127.0.0.1."""

    port: int
    loop: asyncio.AbstractEventLoop
    done: asyncio.Event


@contextlib.contextmanager
def serve(resources: Resources, *, tls: ssl.SSLContext) -> Iterator[Served]:
    """Serve the handler that `resources` opens in the server's own loop; both are gone at the end."""
    started: queue.SimpleQueue[Served | BaseException] = queue.SimpleQueue()
    thread = threading.Thread(target=_thread, args=(resources, tls, started), daemon=True)
    thread.start()
    served = started.get()
    if isinstance(served, BaseException):
        raise served
    try:
        yield served
    finally:
        served.loop.call_soon_threadsafe(served.done.set)
        thread.join()


def _thread(resources: Resources, tls: ssl.SSLContext, started: queue.SimpleQueue[Served | BaseException]) -> None:
    try:
        asyncio.run(_serve(resources, tls, started))
    except OSError as failure:  # no port, no memory: the one who waits must hear
        started.put(failure)


async def _serve(resources: Resources, tls: ssl.SSLContext, started: queue.SimpleQueue[Served | BaseException]) -> None:
    done = asyncio.Event()
    async with resources() as handler, _listening(handler, tls) as port:
        started.put(Served(port=port, loop=asyncio.get_running_loop(), done=done))
        await done.wait()


@contextlib.asynccontextmanager
async def _listening(handler: Handler, tls: ssl.SSLContext) -> AsyncIterator[int]:
    runner = web.ServerRunner(web.Server(handler, auto_decompress=False), shutdown_timeout=LAST_WORDS_S)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
