"""`pytest --shuffle-rows`: the database answers each query that names no order in a random one.

Without ORDER BY rows come as they happen to lie, nearly always as they were written, so that a test that relies on it fails once in a
thousand runs. In-process tests only; what WITH changes and the order inside of aggregates are not reached.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.sql.dml import UpdateBase


def pytest_addoption(parser: pytest.Parser) -> None:
    """A hunt, not part of `make test`: each run shuffles anew."""
    parser.addoption("--shuffle-rows", action="store_true", help="answer queries without ORDER BY in a random order")


def pytest_configure(config: pytest.Config) -> None:
    """Listen at every engine."""
    if config.getoption("--shuffle-rows"):
        sa.event.listen(sa.Engine, "before_execute", _shuffled, retval=True)


def _shuffled(
    _tx: sa.Connection, statement: sa.Executable, many: Sequence[Any], one: Mapping[str, Any], _options: Mapping[str, Any]
) -> tuple[sa.Executable, Sequence[Any], Mapping[str, Any]]:
    return _any_order(statement) if len(many) <= 1 else statement, many, one


def _any_order(statement: sa.Executable) -> sa.Executable:
    match statement:
        case sa.Select() if statement._order_by_clauses or len(statement.selected_columns) == 0:  # noqa: SLF001 - no public way to ask
            return statement
        case sa.Select() if not statement._distinct:  # noqa: SLF001
            return statement.order_by(sa.func.random())
        case sa.Select() | sa.CompoundSelect() if not statement._order_by_clauses:  # noqa: SLF001
            return sa.select(statement.subquery()).order_by(sa.func.random())
        case sa.TextClause():
            return _text(statement)
        case UpdateBase() if statement._returning:  # noqa: SLF001
            return sa.select(statement.cte()).order_by(sa.func.random())
    return statement


def _text(statement: sa.TextClause) -> sa.TextClause:
    flat = statement.text.strip()
    while (inner := re.sub(r"\([^()]*\)", "", flat)) != flat:
        flat = inner
    changes = re.search(
        r"\b(INSERT|UPDATE|DELETE|MERGE)\b(?! NOWAIT| SKIP| OF)", statement.text.replace("FOR UPDATE", "").replace("DO UPDATE", "")
    )
    if (
        "ORDER BY" in flat
        or not re.match("SELECT|WITH|.* RETURNING ", flat, re.DOTALL)
        or (changes and flat.startswith(("WITH", "SELECT")))
    ):
        return statement
    wrapped = "WITH q AS ({}) SELECT * FROM q ORDER BY random()" if changes else "SELECT * FROM ({}) q ORDER BY random()"
    shuffled = sa.text(wrapped.format(statement.text))
    shuffled._bindparams = statement._bindparams  # noqa: SLF001 - their types
    return shuffled
