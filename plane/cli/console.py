"""What lives on a terminal: consoles and cells of rich. Tables are `table`: this module costs a command 50 ms to load."""

import shutil
import sys

from rich import console as rich_console
from rich import text as rich_text

from plane.cli import table


def output(*, err: bool = False) -> rich_console.Console:
    """Stdout or stderr; colours only on a terminal and without NO_COLOR, nothing in a text is markup."""
    stream = sys.stderr if err else sys.stdout
    return rich_console.Console(file=stream, markup=False, highlight=False, emoji=False, width=shutil.get_terminal_size().columns)


def cell(value: str) -> rich_text.Text:
    """A value on one line, coloured when it is a known state."""
    return rich_text.Text(table.line(value), style=table.COLOURS.get(value, ""))
