"""Reading the logs of several containers at once, in bounded memory: the kubelets wait for whoever reads slowly."""

import asyncio
import contextlib
import heapq
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from urllib.parse import urlencode

from plane.adapters.cluster import kube
from plane.agent.watching import cluster
from plane.domain.viewing import logs
from plane.wire import questions

AHEAD = 500  # lines of all containers together that are read ahead of the listener
BUFFER_BYTES = 64 * 1024  # of one connection
BATCH_BYTES = 64 * 1024
MOST_BYTES = 64 * 1024 * 1024  # of one answer
WINDOW_S = 0.2  # lines that arrive together are put in order
QUIET_S = 10.0  # after such a silence an empty batch comes, so that the stream's end is noticed
SILENCE_S = 60.0  # of a log that is not followed
FOLLOWED_S = 3600.0  # the longest a log is followed; a listener asks again


class Reading:
    """Lines of these containers. `warnings` are complete when the batches have ended."""

    def __init__(self, there: cluster.Cluster, wanted: questions.Logs, sources: Sequence[logs.Source]) -> None:
        self._api = there.api
        self._pods = there.kinds.preferred("", "Pod")
        self._wanted = wanted
        self._choice = logs.Choice(wanted.filter)
        self._sources = sources
        self.warnings: list[str] = []

    async def batches(self) -> AsyncIterator[list[logs.Line]]:
        """Lines in order of time; an empty batch is a sign of life."""
        size, until = 0, time.monotonic() + FOLLOWED_S
        async with contextlib.aclosing(self._followed() if self._wanted.follow else self._whole()) as found:
            async for batch in found:
                yield batch
                size += sum(len(line.text) for line in batch)
                if size > MOST_BYTES:
                    self.warnings.append(
                        f"only the first {MOST_BYTES // 1024 // 1024} MiB are shown; choose fewer lines with tail, since or filter"
                    )
                    return
                if time.monotonic() > until:
                    self.warnings.append("the log was followed for an hour; ask again to go on")
                    return

    async def _whole(self) -> AsyncGenerator[list[logs.Line]]:
        """To the end, merged by time: the earliest of the next lines of all containers comes first."""
        queues = [asyncio.Queue[logs.Line | None](max(2, AHEAD // len(self._sources))) for _ in self._sources]
        async with self._readers(queues):
            heap: list[tuple[str, int, logs.Line]] = []
            for number, queue in enumerate(queues):
                await _next(heap, number, queue, "")
            batch: list[logs.Line] = []
            size = 0
            while heap:
                at, number, line = heapq.heappop(heap)
                batch.append(line)
                size += len(line.text)
                if size >= BATCH_BYTES:
                    yield batch
                    batch, size = [], 0
                await _next(heap, number, queues[number], at)
            yield batch

    async def _followed(self) -> AsyncGenerator[list[logs.Line]]:
        """As lines arrive, those that arrive together in order."""
        queue = asyncio.Queue[logs.Line | None](AHEAD)
        left = len(self._sources)
        async with self._readers([queue] * left):
            while left:
                batch, ended = await _gathered(queue)
                left -= ended
                yield logs.merged(batch)

    @contextlib.asynccontextmanager
    async def _readers(self, queues: Sequence["asyncio.Queue[logs.Line | None]"]) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._read(source, queue)) for source, queue in zip(self._sources, queues, strict=True)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, source: logs.Source, queue: "asyncio.Queue[logs.Line | None]") -> None:
        """Put a container's lines, and None after the last."""
        try:
            async for raw in self._raw(source):
                line = logs.read(raw, source)
                if self._choice.passes(line.text):
                    await queue.put(line)
        except (kube.KubeRefused, kube.Unreachable) as e:
            self.warnings.append(f"{source.pod.name}/{source.container}: {e}")
        await queue.put(None)

    async def _raw(self, source: logs.Source) -> AsyncIterator[bytes]:
        if self._pods is None:
            return
        path = f"{self._pods.path(source.pod.namespace, source.pod.name)}/log"
        silence = FOLLOWED_S + SILENCE_S if self._wanted.follow else SILENCE_S
        query = _query(self._wanted, source.container)
        async with self._api.stream(path, query=query, accept="*/*", silence_s=silence, buffer_bytes=BUFFER_BYTES) as content:
            rest = b""
            async for chunk in content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line
                rest = rest[: 4 * logs.LONGEST]  # bytes of a line that will be cut anyway
            if rest:
                yield rest


async def _next(heap: list[tuple[str, int, logs.Line]], number: int, queue: "asyncio.Queue[logs.Line | None]", at: str) -> None:
    """The next line of a container, not before its last one."""
    line = await queue.get()
    if line is not None:
        heapq.heappush(heap, (max(at, line.time), number, line))


async def _gathered(queue: "asyncio.Queue[logs.Line | None]") -> tuple[list[logs.Line], int]:
    """What arrives within a window after the first line, and how many containers ended meanwhile; nothing after a silence."""
    batch: list[logs.Line] = []
    ended = size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            first = await queue.get()
        ended, batch = (1, []) if first is None else (0, [first])
        await asyncio.sleep(WINDOW_S)
        while not queue.empty() and size < BATCH_BYTES:
            line = queue.get_nowait()
            if line is None:
                ended += 1
            else:
                batch.append(line)
                size += len(line.text)
    return batch, ended


def _query(wanted: questions.Logs, container: str) -> str:
    """As the API server reads it; always with times, which bring lines of several containers in order."""
    found: dict[str, str | int] = {"container": container, "timestamps": "true"}
    found |= {"previous": "true"} if wanted.previous else {}
    found |= {"follow": "true"} if wanted.follow else {}
    found |= {"sinceSeconds": wanted.since_s} if wanted.since_s else {}
    found |= {"sinceTime": wanted.since_time} if wanted.since_time else {}
    found |= {"tailLines": wanted.tail} if wanted.tail >= 0 else {}
    return urlencode(found)
