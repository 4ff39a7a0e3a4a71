"""The command line as a user runs it: arguments, files and environment in; text and an exit code out. The plane behind it is real."""

import pathlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
import uvicorn
from click import testing
from litestar import Litestar

from plane import __main__ as program
from plane.adapters import clock
from plane.api import app
from plane.server import bootstrap, context
from plane.store import engine
from tests.support import planes, waiting

Run = Callable[..., testing.Result]


@pytest.fixture
def environment(tmp_path: pathlib.Path) -> dict[str, str | None]:
    """No context, no plane, a file of contexts of the test's own."""
    gone = dict.fromkeys(("PLANE_URL", "PLANE_TOKEN", "PLANE_CA", "PLANE_TENANT", "PLANE_PROJECT", "VISUAL", "EDITOR"), None)
    return {**gone, "PLANE_CONFIG": str(tmp_path / "config.yaml"), "COLUMNS": "120"}


@pytest.fixture
def run(environment: dict[str, str | None]) -> Run:
    """`run("get", "apps", code=0)` gives the result; another exit code than expected fails with all that was printed."""

    def command(*words: str, code: int = 0, typed: str | None = None, **variables: str) -> testing.Result:
        found = testing.CliRunner().invoke(program.main, list(words), input=typed, env={**environment, **variables}, prog_name="plane")
        assert found.exit_code == code, f"exit {found.exit_code}: {found.output}{found.exception!r}"
        return found

    return command


@pytest.fixture(scope="session")
def served(_engine: engine.Engine, _parts: dict[str, Any], database_url: str) -> Litestar:
    """The API of this worker's database."""
    return app.create(context.Plane(engine=_engine, clock=clock.SystemClock(), **_parts), database_url=database_url)


@pytest.fixture(scope="session")
def _address(served: Litestar, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it is: a free port."""
    log = (tmp_path_factory.mktemp("api") / "log").open("w")  # its log is not what a command prints meanwhile
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=log))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(served, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        waiting.until(lambda: server.started or not thread.is_alive())
        assert server.started, "the API did not start"
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()
    structlog.reset_defaults()
    log.close()


@pytest.fixture
def api(_address: str, database: engine.Engine, environment: dict[str, str | None]) -> str:
    """A plane with empty tables, and its admin's token in the environment; gives the address."""
    environment |= {"PLANE_URL": _address, "PLANE_TOKEN": bootstrap.admin(database, clock.SystemClock())}
    return _address


@pytest.fixture
def shop(api: str, fleet: planes.Fleet, environment: dict[str, str | None]) -> planes.Fleet:
    """Tenant acme with project shop on cluster east, and the commands there."""
    environment |= {"PLANE_TENANT": "acme", "PLANE_PROJECT": "shop"}
    return fleet
