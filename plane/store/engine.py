"""The only ways to a transaction. Roles and settings are local to the transaction, so a pooled connection carries nothing over."""

import contextlib
import select
from collections.abc import Iterator
from typing import Any, TypeAlias

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc

from plane.domain import access, errors

Engine = sa.Engine  # named here, so that use cases need no SQLAlchemy
Tx = sa.Connection
Row: TypeAlias = sa.Row[*tuple[Any, ...]]  # any row; what comes out of it is converted at once
TENANT_ROLE = "plane_app"  # sees one tenant's rows through row-level security
DISPATCH_ROLE = "plane_dispatch"  # sees ids, times, states and tenant keys of all; no document, no blob
POOL_SIZE = 8  # one per worker thread and request thread in flight; beyond it callers wait POOL_WAIT_S
POOL_WAIT_S = 5.0

# The last: a process that stands still in a transaction (SIGSTOP, a lost machine) keeps its row locks for so long.
_OPTIONS = "-c timezone=UTC -c lock_timeout=5000 -c statement_timeout=30000 -c idle_in_transaction_session_timeout=30000"
_DISK_FULL = "53100"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
_FULL = "the database's disk is full; make room, what waits goes on by itself"
_ENTER = sa.text("SELECT set_config('role', :role, true), set_config('plane.tenant', :tenant, true)")


def connect(url: str) -> sa.Engine:
    """An engine for the application's log-in, a member of both roles (`postgresql+psycopg://…`)."""
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=POOL_WAIT_S,
        hide_parameters=True,  # an error names the statement, never a value
        connect_args={"prepare_threshold": 3, "options": _OPTIONS},
    )
    sa.event.listen(engine, "checkout", _look_first)
    return engine


def _look_first(connection: psycopg.Connection, *_: object) -> None:
    """Not to use a connection that the server has ended: nothing may be there to read at one that waits in the pool.

    It tells what SQLAlchemy's `pool_pre_ping` asks the server for, without a round trip in each transaction.
    """
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise exc.DisconnectionError


def as_login(url: str, login: str, password: str) -> str:
    """The same database as another log-in."""
    return sa.make_url(url).set(username=login, password=password).render_as_string(hide_password=False)


@contextlib.contextmanager
def begin(engine: sa.Engine, scope: access.Scope) -> Iterator[sa.Connection]:
    """A transaction that sees one tenant (or, with PLATFORM_TENANT, what belongs to the platform).

    Raises:
        BackendDown: the database is away or all connections are busy.
    """
    with _enter(engine, TENANT_ROLE, scope.tenant) as tx:
        yield tx


@contextlib.contextmanager
def dispatch(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction over all tenants that sees keys, times and states only; raises as `begin`."""
    with _enter(engine, DISPATCH_ROLE, "") as tx:
        yield tx


def binary(tx: Tx) -> None:
    """Let the answers to this transaction come as Postgres keeps them: bytes are not written as digits and read again."""
    sa.event.listen(tx, "before_cursor_execute", _as_kept)


def _as_kept(_: Tx, cursor: psycopg.Cursor[Any], *__: object) -> None:
    cursor.format = psycopg.pq.Format.BINARY


@contextlib.contextmanager
def _enter(engine: sa.Engine, role: str, tenant: str) -> Iterator[sa.Connection]:
    try:
        with engine.begin() as tx:
            tx.execute(_ENTER, {"role": role, "tenant": tenant})
            yield tx
    except (exc.OperationalError, exc.TimeoutError, exc.InterfaceError) as e:
        full = getattr(getattr(e, "orig", None), "sqlstate", "") == _DISK_FULL
        raise errors.BackendDown("database", _FULL if full else "the database does not answer or is busy") from e
    except exc.InternalError as e:
        if not e.connection_invalidated:
            raise
        raise errors.BackendDown("database", "the database ended a transaction that stood still") from e
