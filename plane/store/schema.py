"""Bring a database to this version's schema, or tell that it is not there. Runs as the owner of the tables, never as the application."""

import time

import sqlalchemy as sa
from alembic import command, config
from sqlalchemy import exc

from plane.store import revisions

LOCK_ID = 0x706C616E65  # "plane": two migrators wait for each other
LOCK_EVERY_S = 0.2


def migrate(engine: sa.Engine) -> str:
    """Upgrade to head in one go, safe to call from several processes; returns the revision."""
    with engine.connect() as tx:
        _alone(tx)
        try:
            command.upgrade(_settings(tx), "head")
        finally:
            tx.rollback()
            tx.execute(sa.text("SELECT pg_advisory_unlock(:id)"), {"id": LOCK_ID})
            tx.commit()
    return revisions.head()


def _alone(tx: sa.Connection) -> None:
    """The lock is the session's: each migration has a transaction of its own, and one that broke off goes on there.

    It is asked for again and again: whoever waits for it in the database has a snapshot, for whose end an index made beside writers waits.
    """
    while not tx.execute(sa.text("SELECT pg_try_advisory_lock(:id)"), {"id": LOCK_ID}).scalar_one():
        tx.commit()
        time.sleep(LOCK_EVERY_S)
    tx.commit()


def check(engine: sa.Engine) -> None:
    """What `alembic check` does: raise SchemaMismatch when tables.py and the migrations differ."""
    with engine.connect() as tx:
        try:
            command.check(_settings(tx))
        except exc.SQLAlchemyError as e:
            raise revisions.SchemaMismatch(str(e)) from e


def _settings(tx: sa.Connection) -> config.Config:
    settings = config.Config()
    settings.set_main_option("script_location", str(revisions.scripts()))
    settings.attributes["connection"] = tx
    return settings


def provision(engine: sa.Engine, *, login: str, password: str) -> None:
    """Make the application's log-in and put it into both roles; needs CREATEROLE. Safe to repeat; the password is set anew each time."""
    with engine.begin() as tx:
        tx.execute(
            sa.text("SELECT pg_advisory_xact_lock(:id)"), {"id": LOCK_ID}
        )  # roles are the server's: two databases may do this at once
        exists = tx.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :login"), {"login": login}).first()
        verb = "ALTER" if exists else "CREATE"
        quoted = tx.execute(sa.text("SELECT quote_ident(:login), quote_literal(:password)"), {"login": login, "password": password}).one()
        tx.execute(sa.text(f"{verb} ROLE {quoted[0]} LOGIN NOINHERIT PASSWORD {quoted[1]}"))
        tx.execute(sa.text(f"GRANT plane_app, plane_dispatch TO {quoted[0]}"))


def tune(owner: sa.Engine) -> None:
    """Settings of a database that is the plane's alone.

    Tables are looked at every few seconds: until a new one is analysed, the planner takes any index that begins with the tenant to be as
    good as the key, and reads all of a tenant's apps to find fifty of them.
    """
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as database:
        database.execute(sa.text("ALTER SYSTEM SET autovacuum_naptime = '5s'"))
        database.execute(sa.text("SELECT pg_reload_conf()"))
