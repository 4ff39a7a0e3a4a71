"""How many statements a piece of work takes: what does not depend on how busy the machine is."""

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import event


@contextlib.contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """Those that go to the database until the end, as they are sent; each transaction has one of its own that says whose it is."""
    sent: list[str] = []

    def note(*about: object) -> None:
        sent.append(str(about[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
