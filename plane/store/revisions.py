"""Which schema a database has and which one this program needs; without Alembic, which only those who change it import."""

import pathlib

import sqlalchemy as sa
from sqlalchemy import exc

from plane.domain import errors


class SchemaMismatch(errors.PlaneError):
    """The database is not at the version this program needs."""

    code = "schema-mismatch"


def scripts() -> pathlib.Path:
    """The migrations: beside the package in a checkout, inside it when installed."""
    inside = pathlib.Path(__file__).parent.parent / "_migrations"
    return inside if inside.is_dir() else pathlib.Path(__file__).parent.parent.parent / "migrations"


def head() -> str:
    """The newest revision this program knows: a migration's file begins with its number."""
    return max(file.name.partition("_")[0] for file in (scripts() / "versions").glob("*.py"))


def require(engine: sa.Engine) -> None:
    """Raise SchemaMismatch unless the database is at head, BackendDown when it is away."""
    try:
        with engine.connect() as tx:
            found = _found(tx)
    except exc.OperationalError as e:
        raise errors.BackendDown("database", "the database does not answer; look at DATABASE_URL and whether Postgres runs") from e
    if found != head():
        message = f"the database is at revision {found or 'none'}, this version needs {head()}; run `plane db migrate`"
        raise SchemaMismatch(message)


def _found(tx: sa.Connection) -> str:
    """Empty where nothing was ever migrated."""
    if not tx.execute(sa.text("SELECT to_regclass('alembic_version') IS NOT NULL")).scalar_one():
        return ""
    return str(tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none() or "")
