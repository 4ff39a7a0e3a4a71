"""The plane's end of the template process: started when first needed, replaced when it dies."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from plane.adapters.sandbox import messages
from plane.domain import errors

ROOT = Path(__file__).parents[3]  # the folder that holds the package, wherever it is installed
START_S = 30
ANSWER_BYTES = 64 * 1024


class Template:
    """Thread-safe. Forks in the order asked, about a millisecond each."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(modules)
        self._lock = threading.Lock()
        self._orders: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._missing: tuple[str, ...] = ()

    def fork(self, order: messages.Order) -> tuple[socket.socket, BinaryIO]:
        """The channel to a new cell, and where its `Took` comes when it has ended; BackendDown when no template can be started."""
        mine, theirs = socket.socketpair()
        took, told = os.pipe()
        body, files = msgspec.msgpack.encode(order), [theirs.fileno(), told]
        with theirs, os.fdopen(told, "wb"), self._lock:
            try:
                socket.send_fds(self._connected(), [body], files)
            except OSError:  # it died since the last render
                self._stop()
                socket.send_fds(self._connected(), [body], files)
        return mine, os.fdopen(took, "rb", buffering=0)

    def missing(self) -> tuple[str, ...]:
        """What the template said this kernel or container withholds."""
        with self._lock:
            self._connected()
            return self._missing

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()

    def _connected(self) -> socket.socket:
        if self._orders is None:
            self._orders = self._start()
        return self._orders

    def _start(self) -> socket.socket:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mine.settimeout(START_S)
        with theirs:
            command = [sys.executable, "-P", "-m", "plane.adapters.sandbox.template", str(theirs.fileno())]
            environment = {
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
                "LC_ALL": "C.UTF-8",
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                process_group=0,  # no session: Linux may share processors among sessions first (sched(7), autogroup), however nice they are
            )
        try:
            mine.send(msgspec.msgpack.encode(messages.Start(self._modules)))
            self._missing = msgspec.msgpack.decode(mine.recv(ANSWER_BYTES), type=messages.Started).missing
        except (OSError, msgspec.DecodeError) as e:
            mine.close()
            raise errors.BackendDown("sandbox", f"the template process of the renderers does not start: {self._last_words()}") from e
        self._process.stderr.close()  # type: ignore[union-attr]  # a pipe, above; from here on nothing inside has a place to write to
        mine.settimeout(None)
        return mine

    def _last_words(self) -> str:
        process, self._process = self._process, None
        if process is None:
            return ""
        process.kill()
        _, said = process.communicate()
        return (said.decode(errors="replace").strip().splitlines() or ["it gave no reason"])[-1]

    def _stop(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(ChildProcessError):
                self._process.wait()
            self._process = None
