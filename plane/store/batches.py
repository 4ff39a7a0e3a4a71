"""Many rows in one statement: one JSON text that Postgres takes apart.

A statement of its own for each row is a turn of driver and executor each, and an app passes through about twenty on its way to done.
Arrays would do as well but are written element by element in Python; JSON is written and read in C on both sides.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.engine import Tx

_ENCODER = msgspec.json.Encoder()  # bytes become base64


def given(**types: Any) -> dict[str, sa.ColumnElement[Any]]:  # noqa: ANN401 - SQLAlchemy's types
    """Columns, of these names and types, of the rows that a statement is executed with as `rows` (`packed`)."""
    columns = [sa.column(name, sa.Text() if isinstance(type_, pg.BYTEA) else type_) for name, type_ in types.items()]
    rows = sa.func.json_to_recordset(sa.cast(sa.bindparam("rows", type_=sa.Text), pg.JSON)).table_valued(*columns)
    named = rows.render_derived(name="given", with_types=True).c
    return {name: sa.func.decode(named[name], "base64") if isinstance(type_, pg.BYTEA) else named[name] for name, type_ in types.items()}


def packed(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as `given` takes them; None is NULL."""
    return _ENCODER.encode(rows).decode()


def add(tx: Tx, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, which all have the same columns."""
    if rows:
        tx.execute(insertion(table, tuple(rows[0])), {"rows": packed(rows)})


@functools.cache
def insertion(table: sa.Table, names: tuple[str, ...]) -> pg.Insert:
    """The statement of `add`, for those who have more to say about it."""
    rows = given(**{name: table.c[name].type for name in names})
    return pg.insert(table).from_select(names, sa.select(*(rows[name] for name in names)))
