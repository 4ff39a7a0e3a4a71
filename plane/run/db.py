"""`plane db`: the schema, as the owner of the tables."""

import sys

import click

from plane import config
from plane.adapters import clock
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


@click.group("db")
def command() -> None:
    """Bring the database to this version, or compare the two."""


@command.command()
@click.option(
    "--login", default="", help="Also make this log-in for the application (needs CREATEROLE); its password is read from standard input."
)
def migrate(login: str) -> None:
    """Upgrade to the newest revision."""
    database = owner(config.load())
    click.echo(f"database is at revision {schema.migrate(database)}")
    if login:
        schema.provision(database, login=login, password=sys.stdin.readline().strip())
        click.echo(f"log-in {login} may use it")


@command.command()
def admin() -> None:
    """Print a token, good for a year, for the platform admin `admin`, who is made if absent."""
    url = config.load().database_url
    if not url:
        message = "DATABASE_URL is not set; it is the application's own log-in"
        raise config.SettingInvalid(message)
    click.echo(bootstrap.admin(engine.connect(url), clock.SystemClock()))


@command.command()
def check() -> None:
    """Fail unless tables and migrations say the same."""
    schema.check(owner(config.load()))


@command.command("rewrap")
def rewrap_all() -> None:
    """After a change of master key: encrypt everything anew under the present one. Servers and workers may run; repeat as you like."""
    with wiring.plane(config.load()) as plane:
        click.echo(f"{rewrap.rewrap(plane)} stored secrets were encrypted anew")
