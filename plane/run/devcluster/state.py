"""What a development cluster's folder says about it.

`spec.json` is what was asked for, `state.json` what became of it. `alive` is a file its supervisor holds locked: the kernel lets go of the
lock when the process ends in whatever way, so a process id is believed only while the lock is held. `users` is held, shared, by the
processes it was started for.
"""

import contextlib
import enum
import fcntl
import os
import pathlib
import re
from collections.abc import Iterator

import msgspec

from plane.domain import errors

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
ALIVE = "alive"
USERS = "users"


class Status(enum.StrEnum):
    """Of a cluster as a whole."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    DEAD = "dead"  # the supervisor was killed: its folder is all that is left


class Spec(msgspec.Struct, frozen=True):
    """What was asked for; a leashed cluster ends when nobody holds `users` any more."""

    name: str
    port: int
    nodes: int
    audit_log: bool
    leashed: bool
    kubelet_port: int

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self.port}"


class State(msgspec.Struct, frozen=True):
    """What became of it; `pids` by part."""

    status: Status
    supervisor: int
    pids: dict[str, int] = {}
    detail: str = ""


def check_name(name: str) -> None:
    """Refuse what cannot be a folder and a context."""
    if not NAME.fullmatch(name):
        rule = f"{name!r} is not a name: use up to 40 lower-case letters, digits and dashes, with no dash at an end"
        raise errors.Invalid({"NAME": rule})


def write_spec(folder: pathlib.Path, spec: Spec) -> None:
    """Once, before the supervisor starts."""
    (folder / "spec.json").write_bytes(msgspec.json.encode(spec))


def read_spec(folder: pathlib.Path) -> Spec:
    """Raise FileNotFoundError where there is no cluster."""
    return msgspec.json.decode((folder / "spec.json").read_bytes(), type=Spec)


def write_state(folder: pathlib.Path, state: State) -> None:
    """At once, or not at all."""
    fresh = folder / "state.json.new"
    fresh.write_bytes(msgspec.json.encode(state))
    fresh.replace(folder / "state.json")


def read_state(folder: pathlib.Path) -> State:
    """As last written, except that a supervisor that is gone makes it dead, or keeps it failed."""
    try:
        state = msgspec.json.decode((folder / "state.json").read_bytes(), type=State)
    except FileNotFoundError:
        state = State(status=Status.DEAD, supervisor=0)
    if state.status is Status.FAILED or held(folder / ALIVE):
        return state
    return msgspec.structs.replace(state, status=Status.DEAD, detail="its supervisor was killed")


def held(path: pathlib.Path) -> bool:
    """Whether some process holds the file locked for itself."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def lock(path: pathlib.Path, kind: int) -> int:
    """Open (creating it) and lock; the descriptor carries the lock until it is closed or the process ends.

    Raises:
        BlockingIOError: with LOCK_NB, when another has it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


def release(descriptor: int) -> None:
    """Let go, also where a forked process still has the descriptor."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


@contextlib.contextmanager
def locked(path: pathlib.Path) -> Iterator[None]:
    """Nobody else is inside with the same path."""
    descriptor = lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        release(descriptor)
