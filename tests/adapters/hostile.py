"""Renderers that try to get out. Each attempt says what it reached; the test says what it must have been."""

import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from plane import ports
from plane.adapters.sandbox import workbench
from plane.domain import objects
from plane.domain.reading import manifests


class Hostile:
    """As a renderer: alone, or with a shell as its program."""

    def __init__(self, name: str, program: str = "") -> None:
        self.name, self.program = name, program

    def detects(self, *_: object) -> bool:
        return True

    def inputs(self, *_: object) -> tuple[ports.File, ...]:
        return ()

    def roots(self, *_: object) -> frozenset[str]:
        return frozenset()

    def version(self) -> str:
        return "1"


def render(job: ports.RenderJob, bench: workbench.Workbench) -> Iterator[objects.Manifest]:
    if "script" in job.files:
        bench.place({"input": b"mine"}, below="repo")
        done = bench.run(["-c", job.files["script"].decode()], environment={}, where=bench.folder / "repo")
        reached = {"code": str(done.code), "out": done.out.decode(), "err": done.err}
    else:
        reached = {name: _attempt(name, job.files[name].decode()) for name in job.files}
    yield manifests.of({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": reached})


def _attempt(name: str, argument: str) -> str:
    try:
        return str(ATTEMPTS[name](argument))
    except (OSError, RuntimeError) as e:
        return type(e).__name__


def _connect(address: str) -> str:
    host, port = address.rsplit(":", 1)
    with socket.socket() as connecting:
        connecting.connect((host, int(port)))
        return "connected"


def _datagram(address: str) -> str:
    host, port = address.rsplit(":", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        return f"sent {sending.sendto(b'x', (host, int(port)))}"


def _abstract(name: str) -> str:
    with socket.socket(socket.AF_UNIX) as connecting:
        connecting.connect(f"\0{name}")
        return "connected"


def _fork(_: str) -> str:
    if os.fork() == 0:
        os._exit(0)
    return "forked"


def _kill(pid: str) -> str:
    os.kill(int(pid), signal.SIGTERM)
    return "killed"


def _gain_root(_: str) -> str:
    os.setresuid(0, 0, 0)
    return f"uid {os.getuid()}"


def _memory(_: str) -> str:
    held = []
    while True:
        held.append(bytes(range(256)) * 40960)


def _loop(_: str) -> str:
    while True:
        pass


def _crash(_: str) -> str:
    ctypes.string_at(0)
    return "alive"


def _depth(_: str) -> str:
    sys.setrecursionlimit(10_000_000)

    def deeper() -> None:
        deeper()

    deeper()
    return "alive"


def _descriptors(_: str) -> str:
    found = []
    for number in range(64):
        with contextlib.suppress(OSError):
            os.fstat(number)
            found.append(number)
    return str(found)


ATTEMPTS: dict[str, Callable[[str], str]] = {
    "read": lambda path: Path(path).read_text()[:10],
    "list": lambda path: str(os.listdir(path)[:1]),  # noqa: PTH208  # what is listed is a word in an answer
    "write": lambda path: str(Path(path).write_text("x")),
    "connect": _connect,
    "datagram": _datagram,
    "abstract": _abstract,
    "fork": _fork,
    "kill": _kill,
    "root": _gain_root,
    "environment": lambda _: str(sorted(os.environ)),
    "memory": _memory,
    "loop": _loop,
    "crash": _crash,
    "depth": _depth,
    "descriptors": _descriptors,
    "nice": lambda _: str(os.nice(0)),
    "session": lambda _: str(os.getsid(0)),
}
