"""A worker at work for several tenants: what holds one of them up holds up nobody else."""

import contextlib
import ipaddress
import os
import pathlib
import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest
import sqlalchemy as sa

from plane import config
from plane.adapters.git import mirrors, transport
from plane.adapters.sandbox import messages, pool
from plane.run import wiring
from plane.run.devgit import DevGit
from plane.run.worker import Worker
from plane.server import context
from plane.store.layout import tables
from tests.support import planes, waiting

LONG_S = 600.0  # the bound of a slow step, longer than a test waits: its test ends it
EACH = 2  # renders of one tenant
HANGING = os.cpu_count() or 2  # as many as a worker has cores
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hello}\n"
ENDLESS = "{{ range until 10000 }}{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}{{ end }}"


@pytest.fixture
def acme(plane: context.Plane, owner: sa.Engine) -> planes.Fleet:
    """The tenant that is held up."""
    return planes.make_fleet(plane, owner, tenant="acme", project="shop", cluster="east")


@pytest.fixture
def globex(plane: context.Plane, owner: sa.Engine) -> planes.Fleet:
    """The tenant that pushes."""
    return planes.make_fleet(plane, owner, tenant="globex", project="shop", cluster="west")


@contextlib.contextmanager
def working(plane: context.Plane, database_url: str) -> Iterator[None]:
    """A worker for the block; what it is at must come to an end by itself."""
    worker = Worker(plane, config.Settings(database_url=database_url), threads=EACH * wiring.TENANTS_RENDERING)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


@pytest.fixture
def patient(plane: context.Plane, tmp_path: pathlib.Path) -> Iterator[context.Plane]:
    """A plane that waits long for a Git host."""
    limits = transport.Limits(refs_s=LONG_S, fetch_s=LONG_S)
    with contextlib.closing(
        mirrors.Mirrors(tmp_path, transport=transport.Transport(allowed=(ipaddress.ip_network("127.0.0.0/8"),), limits=limits))
    ) as git:
        yield msgspec.structs.replace(plane, git=git)


@contextlib.contextmanager
def silence() -> Iterator[str]:
    """A Git host that takes connections and says nothing, until the block ends; gives the URL of a repository."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}/web.git"


def pushed(fleet: planes.Fleet, devgit: DevGit, name: str) -> None:
    """A repository with one app."""
    url = devgit.create(name, planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, name), url)
    said(fleet)


def said(fleet: planes.Fleet) -> None:
    """Wake the worker, as a request does that makes rows due."""
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("SELECT pg_notify('plane_due', '')")


def tasks(fleet: planes.Fleet) -> int:
    return int(fleet.row("SELECT count(*) AS n FROM tasks WHERE tenant_id = :tenant", tenant=fleet.tenant).n)


def leased(fleet: planes.Fleet, table: str) -> int:
    """Rows that are being worked on."""
    query = f"SELECT count(*) AS n FROM {table} WHERE tenant_id = :tenant AND lease IS NOT NULL"  # noqa: S608 - a literal below
    return int(fleet.row(query, tenant=fleet.tenant).n)


def decided(fleet: planes.Fleet) -> int:
    return int(fleet.row("SELECT count(*) AS n FROM app_states WHERE tenant_id = :tenant", tenant=fleet.tenant).n)


def test_a_repository_that_hangs_holds_up_no_other(
    patient: context.Plane, acme: planes.Fleet, globex: planes.Fleet, devgit: DevGit, database_url: str
) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(working(patient, database_url))
        for n in range(HANGING):
            url = stack.enter_context(silence())
            place = {"tenant_id": acme.tenant, "project_id": acme.project, "name": f"hangs-{n}", "spec": {"url": url}, "url": url}
            acme.add(tables.repositories, **place, poll_at=acme.plane.clock.now())
        said(acme)
        waiting.until(lambda: leased(acme, "repositories") == HANGING)
        pushed(globex, devgit, "beside-a-hanging-repository")
        waiting.until(lambda: tasks(globex) == 1)
        assert leased(acme, "repositories") == HANGING


def test_an_app_whose_source_hangs_holds_up_no_other_tenant(
    patient: context.Plane, acme: planes.Fleet, globex: planes.Fleet, devgit: DevGit, database_url: str
) -> None:
    with working(patient, database_url), silence() as url:
        place = {"tenant_id": acme.tenant, "project_id": acme.project, "name": "hangs", "spec": {"url": url}, "url": url}
        acme.app("web", acme.add(tables.repositories, **place), url)  # never polled: it is fetched when the app is prepared
        waiting.until(lambda: leased(acme, "apps") == 1)
        pushed(globex, devgit, "beside-a-hanging-source")
        waiting.until(lambda: tasks(globex) == 1)
        assert (leased(acme, "apps"), decided(acme)) == (1, 0)


def test_renders_without_end_hold_up_no_other_tenant(acme: planes.Fleet, globex: planes.Fleet, devgit: DevGit, database_url: str) -> None:
    limits = messages.Limits(wall_s=LONG_S, cpu_s=int(LONG_S))
    with contextlib.ExitStack() as stack:
        renders = pool.Pool(acme.plane.renderers, size=EACH * wiring.TENANTS_RENDERING, limits=limits)
        stack.enter_context(working(msgspec.structs.replace(acme.plane, pool=renders), database_url))
        stack.enter_context(renders)
        chart = {"Chart.yaml": "apiVersion: v2\nname: endless\nversion: 1.0.0\n", "templates/endless.yaml": ENDLESS}
        url = devgit.create("endless", {f"web-{n}/{path}": text.encode() for n in range(EACH) for path, text in chart.items()})
        repository = acme.repository(devgit, "endless")
        for n in range(EACH):
            acme.app(f"web-{n}", repository, url)
        said(acme)
        waiting.until(lambda: leased(acme, "apps") == EACH)
        pushed(globex, devgit, "beside-endless-renders")
        waiting.until(lambda: tasks(globex) == 1)
        assert (leased(acme, "apps"), decided(acme)) == (EACH, 0)
