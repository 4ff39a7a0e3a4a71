"""The few kinds of columns and keys that the tables are made of."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def among(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """The column is one of a list bound as `name`: one parameter however long, so that driver and database know the statement again."""
    return column == sa.any_(sa.bindparam(name, type_=pg.ARRAY(column.type)))


def ident(name: str = "id", *, null: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, pg.UUID(as_uuid=False), nullable=null, server_default=None if default is None else sa.text(f"'{default}'"))


def time(name: str, *, null: bool = True, now: bool = False) -> sa.Column[Any]:
    return sa.Column(name, pg.TIMESTAMP(timezone=True), nullable=null, server_default=sa.func.now() if now else None)


def text(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=null, server_default=None if default is None else sa.text(f"'{default}'"))


def json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, pg.JSONB, nullable=null, server_default=None if null else sa.text("'{}'"))


def number(name: str, default: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text(str(default)))


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def blob(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, pg.BYTEA, nullable=null)


def document() -> tuple[sa.Column[Any], ...]:
    """What every stored document has."""
    times = (time("created_at", null=False, now=True), time("updated_at", null=False, now=True))
    return text("name"), json("spec"), json("labels"), number("version", 1), *times


def tenant_key(*columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", *columns)


def in_project(table: str = "projects") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", "project_id"], [f"{table}.tenant_id", f"{table}.id"], ondelete="RESTRICT")


def of_app() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], ondelete="CASCADE")
