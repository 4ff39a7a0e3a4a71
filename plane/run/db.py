"""`plane db`: the schema, as the owner of the tables."""

import contextlib
import sys
from collections.abc import Iterator

import click

from plane import config, groups
from plane.adapters import clock
from plane.adapters.secrets import passwords as argon2
from plane.domain.granting import passwords
from plane.run import wiring
from plane.server import bootstrap
from plane.server.delivering import rewrap
from plane.store import engine, schema


def owner(settings: config.Settings) -> engine.Engine:
    """An engine for the owner's log-in."""
    url = settings.migration_url or settings.database_url
    if not url:
        message = "PLANE_MIGRATION_URL is not set; it is the log-in that owns the tables"
        raise config.SettingInvalid(message)
    return engine.connect(url)


@click.group("db", cls=groups.Group)
def command() -> None:
    """The database: migrate it, make the first admin, re-encrypt after a key change."""


@command.command()
@click.option(
    "--login",
    default="",
    help="Also create or update this database role for the application (needs CREATEROLE); its password is read from stdin.",
)
def migrate(login: str) -> None:
    """Migrate the database to this program's version."""
    database = owner(config.load())
    click.echo(f"database is at revision {schema.migrate(database)}")
    if login:
        schema.provision(database, login=login, password=sys.stdin.readline().strip())
        click.echo(f"log-in {login} may use it")


@command.command()
def admin() -> None:
    """Print a token, valid for a year, for the platform admin `admin`, creating the user if absent."""
    with _application() as database:
        click.echo(bootstrap.admin(database, clock.SystemClock()))


@command.command()
@click.option("--remove", is_flag=True, help="Remove the password instead, and end sessions and tokens that it began.")
def password(*, remove: bool) -> None:
    """Set the password of the platform admin `admin` for `plane login --local`, creating the user if absent; ends a lock-out."""
    with _application() as database:
        click.echo(_unset(database) if remove else _set(database))


def _set(database: engine.Engine) -> str:
    if sys.stdin.isatty():
        said = str(click.prompt("New password", hide_input=True, confirmation_prompt=True))
    else:
        said = sys.stdin.readline().rstrip("\r\n")
    passwords.check(said, name=bootstrap.NAME)
    ended = bootstrap.password(database, clock.SystemClock(), argon2.Argon2().hashed(said))
    return f"admin has this password now; {ended} log-ins with the one before ended"


def _unset(database: engine.Engine) -> str:
    return "the password is gone" if bootstrap.no_password(database, clock.SystemClock()) else "there was none"


@contextlib.contextmanager
def _application() -> Iterator[engine.Engine]:
    url = config.load().database_url
    if not url:
        message = "DATABASE_URL is not set; it is the application's own log-in"
        raise config.SettingInvalid(message)
    database = engine.connect(url)
    yield database
    database.dispose()


@command.command()
def check() -> None:
    """Check that tables and migrations agree; change nothing."""
    schema.check(owner(config.load()))


@command.command("rewrap")
def rewrap_all() -> None:
    """Re-encrypt everything under the current master key, after it changed. Servers and workers may run; safe to repeat.

    Secrets that were written before the audit log had fingerprints of them get theirs.
    """
    with wiring.plane(config.load()) as plane:
        done = rewrap.rewrap(plane)
    click.echo(f"{done.secrets} stored secrets were encrypted anew, {done.fingerprints} got a fingerprint for the audit log")
