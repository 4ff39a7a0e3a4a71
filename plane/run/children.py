"""Programs that run beside a process and end with it, however it ends."""

import contextlib
import os
import pathlib
import random
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

import msgspec

from plane.domain import errors

TETHER = pathlib.Path(__file__).with_name("tether.py")
TAIL_LINES = 10
GRACE_S = 10.0  # a database that flushes needs a few; what takes longer hangs
LOOK_S = 0.03  # between two looks at a condition nobody signals; well under what a person notices
PORTS = range(20_000, 32_000)  # below the kernel's ephemeral range (32768), so no outgoing connection takes one between choice and use


class ChildEnded(errors.BackendDown):
    """A child ended by itself; the sentence carries the last lines of its log."""

    def __init__(self, child: str, status: int, last: str) -> None:
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit code {status}"
        super().__init__(child, f"it {how}; last lines of its log:\n{last}")


class NotReady(errors.BackendDown):
    """The children run, but what they were started for did not come in time."""


class Child(msgspec.Struct, frozen=True):
    """A running program, its log and a descriptor that becomes readable when it ends."""

    name: str
    popen: subprocess.Popen[bytes]
    log: pathlib.Path
    ended: int

    @property
    def pid(self) -> int:
        """Of the program itself: it replaces its launcher."""
        return self.popen.pid


class Family:
    """Children of this process; each has its own session (a terminal's Ctrl-C reaches only us) and logs to `folder/NAME.log`.

    The kernel kills them when the *thread* that started them ends: start them from one that lives as long as they must.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.members: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._waker.settimeout(0)
        self._selector.register(self._woken, selectors.EVENT_READ, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end(grace_s=0 if error else GRACE_S)

    def start(self, name: str, argv: Sequence[str], *, env: Mapping[str, str]) -> Child:
        """Start a program (absolute path first) in the folder with exactly this environment."""
        log = self.folder / f"{name}.log"
        tethered = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *argv]
        with log.open("ab") as out:
            popen = subprocess.Popen(
                tethered, cwd=self.folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        child = Child(name=name, popen=popen, log=log, ended=os.pidfd_open(popen.pid))
        self._selector.register(child.ended, selectors.EVENT_READ, child)
        self.members.append(child)
        return child

    def stop(self) -> None:
        """Make `wait` and `until` return; for signal handlers and other threads, and as often as one likes."""
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"x")

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for `stop` (True) or for the time to pass (False).

        Raises:
            ChildEnded: the first that ended by itself.
        """
        for key, _ in self._selector.select(timeout_s):
            if key.data is None:
                return True  # the byte stays: a stop is for good
            child: Child = key.data
            raise ChildEnded(child.name, child.popen.wait(), tail(child.log))
        return False

    def until(self, ready: Callable[[], bool], *, what: str, timeout_s: float) -> bool:
        """Wait until `ready()`; False when stopped before.

        Raises:
            ChildEnded, NotReady: a child ended, or the time passed.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            if time.monotonic() > deadline:
                raise NotReady(what, f"not ready after {timeout_s:.0f} s; the logs are in {self.folder}")
            if self.wait(LOOK_S):
                return False
        return True

    def end(self, *, grace_s: float = GRACE_S) -> None:
        """Ask each to end, newest first; kill what has not after the grace. 0 kills at once."""
        for child in reversed(self.members):
            child.popen.send_signal(signal.SIGTERM if grace_s else signal.SIGKILL)
        deadline = time.monotonic() + grace_s
        for child in reversed(self.members):
            _reap(child, deadline)
        self.members.clear()
        self._selector.close()
        self._woken.close()
        self._waker.close()


def _reap(child: Child, deadline: float) -> None:
    try:
        child.popen.wait(max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        child.popen.kill()
        child.popen.wait()
    os.close(child.ended)


def tail(log: pathlib.Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, each cut at 400 characters; reads at most 64 KiB."""
    with log.open("rb") as opened:
        opened.seek(max(log.stat().st_size - 65_536, 0))
        last = opened.read().decode(errors="replace").splitlines()[-lines:]
    return "\n".join(line[:400] for line in last)


@contextlib.contextmanager
def stopped_by_signals(family: Family) -> Iterator[None]:
    """SIGTERM, SIGINT and SIGHUP stop the family; main thread only."""
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: family.stop()) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody listens on."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 not a secret; at random, so that two that choose at once differ
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
