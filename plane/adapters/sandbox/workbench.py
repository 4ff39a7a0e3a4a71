"""What a renderer that needs a program is given inside its cell: a private folder, and one way to run that program."""

import os
import select
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import msgspec

from plane.adapters.sandbox import kernel, messages
from plane.domain import errors

STDERR_BYTES = 64 * 1024
CHUNK = 256 * 1024


class Output(msgspec.Struct, frozen=True):
    """How a program ended."""

    code: int
    out: bytes
    err: str


class Workbench:
    """Opened before the locks close: the program stays reachable by its descriptor alone, whatever folder it lies in."""

    def __init__(self, order: messages.Order) -> None:
        self._limits = order.limits
        self._program = order.program
        self._file = os.open(order.program, os.O_RDONLY | os.O_CLOEXEC) if order.program else -1
        self.folder = Path(order.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file >= 0:
            os.close(self._file)

    def place(self, files: Mapping[str, bytes], *, below: str) -> Path:
        """Write the files below a folder of the workbench; RenderFailed for a path that would leave it."""
        root = self.folder / below
        root.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if name.startswith("/") or ".." in name.split("/"):
                raise errors.RenderFailed("the path leaves the repository", where=name)
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return root

    def run(self, arguments: Sequence[str], *, environment: Mapping[str, str], where: Path) -> Output:
        """Run the program to its end in the folder `where`.

        Raises:
            RenderFailed: it printed more than a render may.
        """
        out, err = os.pipe(), os.pipe()
        base = {"HOME": str(self.folder), "TMPDIR": str(self.folder), "PATH": "", "LC_ALL": "C.UTF-8", "GOMAXPROCS": "2"}
        limit = {"GOMEMLIMIT": str(self._limits.memory_bytes * 3 // 4), "GOGC": "400"}  # most renders end before a first collection
        child = os.fork()
        if child == 0:
            os.chdir(where)
            self._become([Path(self._program).name, *arguments], {**base, **limit, **environment}, (out[1], err[1]))
        os.close(out[1])
        os.close(err[1])
        said = _drain({out[0]: self._limits.output_bytes, err[0]: STDERR_BYTES})
        if len(said[out[0]]) > self._limits.output_bytes:
            raise errors.RenderFailed(f"it renders to more than {self._limits.output_bytes // messages.MIB} MiB; split the app")
        _, status = os.waitpid(child, 0)
        return Output(os.waitstatus_to_exitcode(status), said[out[0]], said[err[0]].decode(errors="replace"))

    def _become(self, arguments: list[str], environment: dict[str, str], pipes: tuple[int, int]) -> NoReturn:
        try:
            kernel.die_with_parent(signal.SIGKILL)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for here, there in ((nothing, 0), (pipes[0], 1), (pipes[1], 2)):
                os.dup2(here, there)
            os.execve(self._file, arguments, environment)  # noqa: S606  # by descriptor: no path, no shell
        finally:
            os._exit(127)


def _drain(pipes: Mapping[int, int]) -> dict[int, bytes]:
    """Read all pipes to their ends, each at most one byte beyond its bound; the rest is thrown away, or ends the reading for the first."""
    kept: dict[int, bytearray] = {pipe: bytearray() for pipe in pipes}
    first = next(iter(pipes))
    waiting = select.poll()
    left = set(pipes)
    for pipe in pipes:
        waiting.register(pipe, select.POLLIN)
    while left and len(kept[first]) <= pipes[first]:
        for pipe, _ in waiting.poll():
            chunk = os.read(pipe, CHUNK)
            kept[pipe] += chunk[: pipes[pipe] + 1 - len(kept[pipe])]
            if not chunk:
                waiting.unregister(pipe)
                left.discard(pipe)
    return {pipe: bytes(content) for pipe, content in kept.items()}
