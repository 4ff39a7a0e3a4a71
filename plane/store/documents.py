"""Rows of documents: the same five statements for every kind, always with the tenant named."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx
from plane.store.layout import tables

Row = sa.Row[Any]
Conditions = tuple[sa.ColumnElement[bool], ...]
Where = Mapping[str, str | None]  # tenant_id and project_id as far as the kind has them


class Shelf(msgspec.Struct, frozen=True):
    """Where a kind's rows lie: `whole` reads one document, `slim` reads lists and leaves out what is large."""

    table: sa.Table
    whole: sa.Select[Any]
    slim: sa.Select[Any]


def find(tx: Tx, shelf: Shelf, where: Where, name: str) -> Row | None:
    """One document by its name."""
    return tx.execute(shelf.whole.where(*_at(shelf.table, where), shelf.table.c.name == name)).one_or_none()


def lock(tx: Tx, shelf: Shelf, where: Where, name: str) -> Row | None:
    """As `find`, held until the transaction ends."""
    query = shelf.whole.where(*_at(shelf.table, where), shelf.table.c.name == name)
    return tx.execute(query.with_for_update(of=shelf.table)).one_or_none()


class Wanted(msgspec.Struct, frozen=True):
    """Which documents of a place: after a name, so many, with all the labels, and only those that further conditions allow."""

    after: str = ""
    limit: int = 50
    labels: Mapping[str, str] = {}
    only: Conditions = ()


def page(tx: Tx, shelf: Shelf, where: Where, wanted: Wanted) -> Sequence[Row]:
    """Documents by name."""
    query = shelf.slim.where(*_listed(shelf.table, where, wanted), shelf.table.c.name > wanted.after)
    return tx.execute(query.order_by(shelf.table.c.name).limit(wanted.limit)).all()


def among(shelf: Shelf, ids: Collection[str]) -> Conditions:
    """Only documents with these ids."""
    return (shelf.table.c.id.in_(sorted(ids)),)


def total(tx: Tx, shelf: Shelf, where: Where, wanted: Wanted) -> int:
    """How many documents all pages hold together."""
    query = sa.select(sa.func.count()).select_from(shelf.table)
    return int(tx.execute(query.where(*_listed(shelf.table, where, wanted))).scalar_one())


def _listed(table: sa.Table, where: Where, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    carried = (table.c.labels[key].astext == value for key, value in wanted.labels.items())
    return [*_at(table, where), *carried, *wanted.only]


def add(tx: Tx, shelf: Shelf, where: Where, values: Mapping[str, Any]) -> bool:
    """Insert; False when the name, or another unique field, is taken."""
    made = pg.insert(shelf.table).values({**where, **values}).on_conflict_do_nothing().returning(shelf.table.c.id)
    return tx.execute(made).one_or_none() is not None


def change(tx: Tx, shelf: Shelf, where: Where, identity: str, values: Mapping[str, Any], *, now: dt.datetime) -> None:
    """Update a locked row; its version rises."""
    table = shelf.table
    tx.execute(
        sa.update(table).where(*_at(table, where), table.c.id == identity).values(**values, version=table.c.version + 1, updated_at=now)
    )


def remove(tx: Tx, shelf: Shelf, where: Where, identity: str) -> None:
    """Delete a locked row."""
    tx.execute(sa.delete(shelf.table).where(*_at(shelf.table, where), shelf.table.c.id == identity))


def count(tx: Tx, table: sa.Table, where: Mapping[str, Any]) -> int:
    """How many rows have these values."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(table).where(*_at(table, where))).scalar_one())


def _at(table: sa.Table, where: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in where.items()]


def plain(table: sa.Table, *, without: Sequence[str] = (), heavy: Sequence[str] = ()) -> Shelf:
    """A shelf that needs no other table."""
    columns = [column for column in table.c if column.name not in without]
    return Shelf(table, sa.select(*columns), sa.select(*(column for column in columns if column.name not in heavy)))


TENANTS = plain(tables.tenants)
PROJECTS = plain(tables.projects, without=["fingerprint_key"])
REPOSITORIES = plain(tables.repositories)
CREDENTIALS = plain(tables.credentials, without=["wrapped"])
POLICY_SETS = plain(tables.policy_sets, heavy=["files"])
