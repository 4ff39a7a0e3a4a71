"""Start, find and stop development clusters.

    with clusters.start("demo", nodes=2) as cluster:
        print(cluster.kubeconfig)

A cluster started here ends when the process that holds it ends, however it ends. The command line's `up` starts one that outlives it.
"""

import contextlib
import datetime as dt
import fcntl
import os
import pathlib
import shutil
import signal
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import msgspec

from plane import config
from plane.domain import errors
from plane.run import children
from plane.run.devcluster import credentials, state, supervisor

DATA = pathlib.Path(__file__).parent
LOG = "supervisor.log"


class DevCluster(msgspec.Struct, frozen=True):
    """A running cluster and this process's hold on it; `shared` clusters end with the last process that holds them."""

    name: str
    folder: pathlib.Path
    server: str
    hold: int = -1  # the locked descriptor of `users`; none when the cluster outlives us
    shared: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> pathlib.Path:
        """Of its admin, with certificates inside."""
        return self.folder / credentials.ADMIN

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by part, and the supervisor's."""
        now = state.read_state(self.folder)
        return {"supervisor": now.supervisor, **now.pids}

    def stop(self) -> None:
        """Let go; where nobody else holds the cluster, it is gone on return."""
        if not self.shared:
            stop(self.name, prefix=self.folder.parent)
        if self.hold >= 0:
            state.release(self.hold)


def default_prefix() -> pathlib.Path:
    """Where clusters live unless told otherwise."""
    return config.default_state() / "devclusters"


def start(name: str, *, nodes: int = 1, prefix: pathlib.Path | None = None, audit_log: bool = False, outlive: bool = False) -> DevCluster:
    """Start a cluster of this name; ready for pods on return.

    Raises:
        Conflict: it runs already.
        BackendDown: a part ended or did not become ready.
    """
    prefix = prefix or default_prefix()
    with _alone(name, prefix):
        folder = prefix / name
        if state.held(folder / state.ALIVE):
            raise errors.Conflict(f"the development cluster {name!r} runs already; stop it with `plane devcluster down {name}`")
        hold = _launch(prepare(name, nodes=nodes, prefix=prefix, audit_log=audit_log, leashed=not outlive))
        return _opened(folder, hold=hold, shared=False)


def share(name: str, *, nodes: int = 1, prefix: pathlib.Path | None = None) -> DevCluster:
    """Join the cluster of this name, which the first to ask starts and the last to leave stops; for parallel test workers."""
    prefix = prefix or default_prefix()
    with _alone(name, prefix):
        folder = prefix / name
        hold = _joined(folder)
        if hold < 0:
            hold = _launch(prepare(name, nodes=nodes, prefix=prefix, audit_log=False, leashed=True))
        return _opened(folder, hold=hold, shared=True)


def find(name: str, *, prefix: pathlib.Path | None = None) -> DevCluster:
    """The running cluster of this name, not held.

    Raises:
        NotFound: none of that name runs.
    """
    folder = (prefix or default_prefix()) / name
    if not state.held(folder / state.ALIVE):
        raise errors.NotFound("development cluster", name)
    return _opened(folder, hold=-1, shared=False)


def names(prefix: pathlib.Path | None = None) -> tuple[str, ...]:
    """Of all that run or left a folder behind, sorted."""
    found = (prefix or default_prefix()).glob("*/spec.json")
    return tuple(sorted(spec.parent.name for spec in found))


def stop(name: str, *, prefix: pathlib.Path | None = None) -> bool:
    """Stop it and remove its folder; False when there was nothing of that name."""
    folder = (prefix or default_prefix()) / name
    if not folder.is_dir():
        return False
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ChildProcessError):
        if state.held(folder / state.ALIVE):
            pid = state.read_state(folder).supervisor
            os.kill(pid, signal.SIGTERM)
            state.release(state.lock(folder / state.ALIVE, fcntl.LOCK_SH))
            os.waitpid(pid, 0)  # no zombie, where it is a child of ours
    shutil.rmtree(folder, ignore_errors=True)
    return True


def prepare(name: str, *, nodes: int, prefix: pathlib.Path, audit_log: bool, leashed: bool) -> pathlib.Path:
    """Make the folder a supervisor starts from, in place of what a dead one left."""
    folder = prefix / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    ports = children.free_port(), children.free_port()
    spec = state.Spec(name=name, port=ports[0], nodes=nodes, audit_log=audit_log, leashed=leashed, kubelet_port=ports[1])
    state.write_spec(folder, spec)
    credentials.write(folder, cluster=name, server=spec.server, now=dt.datetime.now(dt.UTC))
    for file in ("stages.yaml", "audit-policy.yaml", "container-log.txt", "growing-log.txt"):
        shutil.copy(DATA / file, folder / file)
    return folder


def run(name: str, *, nodes: int, prefix: pathlib.Path, audit_log: bool, tell: supervisor.Tell) -> None:
    """A cluster in this process, until a signal stops it; `tell` hears when it is ready.

    Raises:
        Conflict, BackendDown: as `start`.
    """
    with contextlib.ExitStack() as starting:
        starting.enter_context(_alone(name, prefix))
        folder = prepare(name, nodes=nodes, prefix=prefix, audit_log=audit_log, leashed=False)

        def heard(word: str) -> None:
            starting.close()
            tell(word)

        failure = supervisor.supervise(folder, tell=heard)
    if failure:
        raise errors.BackendDown(_called(name), failure)


@contextlib.contextmanager
def _alone(name: str, prefix: pathlib.Path) -> Iterator[None]:
    state.check_name(name)
    try:
        prefix.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise errors.Invalid({"--prefix": f"{prefix} cannot be made a folder: {failure.strerror}"}) from failure
    with state.locked(prefix / f".{name}.lock"):
        yield


def _joined(folder: pathlib.Path) -> int:
    """The hold on a running cluster; -1 when there is none to join."""
    if not state.held(folder / state.ALIVE):
        return -1
    if state.read_state(folder).status is not state.Status.READY:  # who started it was killed meanwhile
        stop(folder.name, prefix=folder.parent)
        return -1
    try:
        return state.lock(folder / state.USERS, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:  # its last user has just left
        stop(folder.name, prefix=folder.parent)
        return -1


def _launch(folder: pathlib.Path) -> int:
    """Start the supervisor and wait for its word; the hold on a leashed cluster, else -1."""
    hold = state.lock(folder / state.USERS, fcntl.LOCK_SH) if state.read_spec(folder).leashed else -1
    reading, writing = os.pipe()
    _spawn_supervisor(folder, writing)
    os.close(writing)
    with open(reading, encoding="utf-8") as words:  # noqa: PTH123 a descriptor
        word = words.readline()
        if word.strip() == supervisor.READY:
            return hold
        sentence = (word + words.read()).strip() or children.tail(folder / LOG)
    if hold >= 0:
        state.release(hold)
    raise errors.BackendDown(_called(folder.name), sentence)


def _spawn_supervisor(folder: pathlib.Path, words: int) -> None:
    """In a session of its own, to outlive this process's terminal; its word comes through the descriptor."""
    log = str(folder / LOG)
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", supervisor.__name__, str(folder)],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, words, 1),
            (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT, 0o600),
        ],
        setsid=True,
    )


def _opened(folder: pathlib.Path, *, hold: int, shared: bool) -> DevCluster:
    return DevCluster(name=folder.name, folder=folder, server=state.read_spec(folder).server, hold=hold, shared=shared)


def _called(name: str) -> str:
    return f"development cluster {name}"
