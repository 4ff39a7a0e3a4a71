"""Renders side by side, each in a cell of its own; the watch over their time, memory and answers."""

import contextlib
import itertools
import os
import queue
import select
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from plane import ports
from plane.adapters.sandbox import messages, warm
from plane.domain import errors, objects
from plane.domain.permitting import quotas
from plane.domain.reading import documents, manifests
from plane.domain.rendering import metering

TICK_MS = 25  # how often a render's memory and time are looked at; its answer is noticed at once
MOST_COUNTED = 1000  # processes looked at per tick: beyond the bound, how far does not matter
CHUNK = 1024 * 1024
PAGE = os.sysconf("SC_PAGESIZE")
TICKS = os.sysconf("SC_CLK_TCK")
TIMES, RESIDENT = slice(11, 15), 21  # of proc_pid_stat(5), counted from the state: utime to cstime, rss
TOOK_BYTES = 64
END_MS = 1000  # a killed process ends at once, unless the machine is busy with something else
RUN_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # memory: nothing a tenant sends reaches a disk

DIED = "the renderer died without an answer; it crashed, or used up its memory or processor time"


class Pool:
    """ports.RenderPool. `renderers` by name; a renderer's module has the function `render` that its cells run."""

    def __init__(self, renderers: Mapping[str, ports.Renderer], *, size: int, limits: messages.Limits | None = None) -> None:
        self._programs = {name: str(getattr(one, "program", "")) for name, one in renderers.items()}
        self._limits = limits or messages.Limits()
        self._template = warm.Template({name: type(one).__module__ for name, one in renderers.items()})
        self._slots: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(size):
            self._slots.put(slot)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the template; cells still at work end with it."""
        self._template.close()

    def missing_protections(self) -> tuple[str, ...]:
        """What this kernel or container withholds."""
        return self._template.missing()

    def render(self, renderer: str, job: ports.RenderJob, meter: metering.Meter | None = None) -> tuple[objects.Manifest, ...]:
        """Objects in source order; waits for a free slot first."""
        meter = meter or metering.Meter()
        limits = _lowered(self._limits, meter.memory_bytes)
        slot = self._slots.get()
        try:
            with _folder(self._programs[renderer]) as folder:
                order = messages.Order(slot, renderer, limits, self._programs[renderer], folder, job.patient)
                cell = _Cell(*self._template.fork(order), limits, of_tenant=limits is not self._limits)
                answer = cell.finish(job, meter)
        finally:
            self._slots.put(slot)
        return _checked(answer, limits)


def _lowered(limits: messages.Limits, memory_bytes: int | None) -> messages.Limits:
    if memory_bytes is None or memory_bytes >= limits.memory_bytes:
        return limits
    return msgspec.structs.replace(limits, memory_bytes=memory_bytes)


@contextlib.contextmanager
def _folder(program: str) -> Iterator[str]:
    """A private place in memory for a render that runs a program; gone afterwards, however it ended."""
    if not program:
        yield ""
        return
    made = tempfile.mkdtemp(prefix="plane-render-", dir=RUN_FOLDER)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


class _Cell:
    """One forked process, from its first sign of life to its end. `of_tenant`: the bound of its memory is the tenant's quota."""

    def __init__(self, channel: socket.socket, took: BinaryIO, limits: messages.Limits, *, of_tenant: bool) -> None:
        self._channel, self._took, self._limits, self._of_tenant = channel, took, limits, of_tenant
        self._deadline = time.monotonic() + limits.wall_s

    def finish(self, job: ports.RenderJob, meter: metering.Meter) -> messages.Answer:
        """Hand over the work and wait for the answer; RenderFailed when a bound is reached first."""
        with self._took, self._channel:
            self._channel.settimeout(self._limits.wall_s)
            try:
                _, handles, _, _ = socket.recv_fds(self._channel, 1, 1)
            except OSError as e:
                raise errors.BackendDown("sandbox", "no process could be started for the render") from e
            if not handles:
                raise errors.BackendDown("sandbox", "the render's process could not lock itself down")
            watch = _Watch(handles[0])
            with self._metered(watch, meter), _ending(handles[0]):
                body = self._exchange(msgspec.msgpack.encode(messages.Work(job)), watch)
        try:
            answer: messages.Answer = msgspec.msgpack.decode(body, type=messages.Answer)
        except (msgspec.DecodeError, RecursionError) as e:
            raise errors.RenderFailed(DIED) from e
        return answer

    @contextlib.contextmanager
    def _metered(self, watch: "_Watch", meter: metering.Meter) -> Iterator[None]:
        """A program that was killed with its cell has told nobody what it took: then what was seen from here counts."""
        try:
            yield
        finally:
            ended = select.poll()
            ended.register(self._took, select.POLLIN)
            said = self._took.read(TOOK_BYTES) if ended.poll(END_MS) else b""
            took = msgspec.msgpack.decode(said, type=messages.Took) if said else messages.Took(0, 0)
            meter.took(metering.Spent(max(took.cpu_s, watch.cpu_s), max(took.peak_bytes, watch.peak_bytes)))

    def _exchange(self, work: bytes, watch: "_Watch") -> bytes:
        self._channel.settimeout(0)
        ready = select.poll()
        ready.register(self._channel, select.POLLIN | select.POLLOUT)
        unsent, answer = memoryview(work), bytearray()
        while True:
            for _, events in ready.poll(TICK_MS):
                if events & select.POLLOUT and unsent:
                    unsent = unsent[self._channel.send(unsent) :]
                    if not unsent:
                        self._channel.shutdown(socket.SHUT_WR)
                        ready.modify(self._channel, select.POLLIN)
                elif events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                    chunk = self._take()
                    if not chunk:
                        return bytes(answer)
                    answer += chunk
            self._hold(len(answer), watch)

    def _take(self) -> bytes:
        try:
            return self._channel.recv(CHUNK)
        except ConnectionError:
            return b""

    def _hold(self, answered: int, watch: "_Watch") -> None:
        limits = self._limits
        if answered > limits.output_bytes:
            raise errors.RenderFailed(f"it renders to more than {limits.output_bytes // messages.MIB} MiB; split the app")
        if time.monotonic() > self._deadline:
            raise errors.RenderFailed(f"rendering took longer than {limits.wall_s:g} s and was stopped")
        resident, processes = watch.held()
        if resident > limits.memory_bytes:
            raise _too_large(limits.memory_bytes // messages.MIB, of_tenant=self._of_tenant)
        if processes > limits.processes:
            raise errors.RenderFailed(f"rendering started more than {limits.processes} processes and was stopped")


def _too_large(mib: int, *, of_tenant: bool) -> errors.RenderFailed:
    if not of_tenant:
        return errors.RenderFailed(f"rendering used more than {mib} MiB of memory and was stopped")
    ways = "split the app, or ask the platform team for a higher quota"
    return quotas.RenderTooLarge(
        f"rendering used more than {mib} MiB of memory, the tenant's quota for one render, and was stopped; {ways}"
    )


class _Held(msgspec.Struct, frozen=True):
    """Of a process: what it holds now, and the processor time that it and its ended children have had."""

    resident: int
    cpu_s: float


class _Watch:
    """How much a cell and the program below it hold; read by the plane, so that nothing inside can hide it."""

    def __init__(self, handle: int) -> None:
        self.cpu_s, self.peak_bytes = 0.0, 0
        lines = Path(f"/proc/self/fdinfo/{handle}").read_text().splitlines()
        self._pid = next(line.split()[1] for line in lines if line.startswith("Pid:"))
        self._next = time.monotonic() + TICK_MS / 1000

    def held(self) -> tuple[int, int]:
        """Bytes and processes now, looked up once per tick; nothing in between and when the process has ended."""
        now = time.monotonic()
        if now < self._next:
            return 0, 0
        self._next = now + TICK_MS / 1000
        found = list(itertools.islice(_below(self._pid), MOST_COUNTED))
        resident = sum(one.resident for one in found)
        self.cpu_s = max(self.cpu_s, sum(one.cpu_s for one in found))
        self.peak_bytes = max(self.peak_bytes, resident)
        return resident, len(found)


def _below(pid: str) -> Iterator[_Held]:
    """A process and each below it."""
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        with contextlib.suppress(OSError, IndexError):  # it has just ended
            yield _held(Path(f"/proc/{one}/stat").read_text())
            waiting += Path(f"/proc/{one}/task/{one}/children").read_text().split()


def _held(stat: str) -> _Held:
    """From a line of proc_pid_stat(5), whose name in brackets may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return _Held(int(fields[RESIDENT]) * PAGE, sum(map(int, fields[TIMES])) / TICKS)


@contextlib.contextmanager
def _ending(handle: int) -> Iterator[None]:
    """End the cell when done with it; its program has asked the kernel to end with it."""
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)


def _checked(answer: messages.Answer, limits: messages.Limits) -> tuple[objects.Manifest, ...]:
    """Manifests made here from the cell's data: a cell is never believed about keys, duplicates or bounds."""
    if isinstance(answer, messages.Refused):
        raise errors.RenderFailed(answer.reason, where=answer.where)
    if len(answer.objects) > limits.objects:
        raise errors.RenderFailed(DIED)
    try:
        made = tuple(manifests.of(body, position=objects.Position(file, line) if file else None) for file, line, body in answer.objects)
        manifests.duplicates(made)
    except documents.Unreadable as e:
        raise errors.RenderFailed(str(e).removeprefix(f"{e.where}: "), where=e.where) from e
    return made
