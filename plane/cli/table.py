"""Tables: aligned columns that fit the terminal; whole and plain when the output is not one."""

import shutil
import sys
from collections.abc import Sequence

from rich import console as rich_console
from rich import text as rich_text

from plane.cli import failures

GAP = 2
SMALLEST = 6  # a column is never squeezed below this: five letters and the ellipsis

COLOURS = {
    "Synced": "green",
    "Healthy": "green",
    "succeeded": "green",
    "HookSucceeded": "green",
    "active": "green",
    "OutOfSync": "yellow",
    "Progressing": "blue",
    "Suspended": "magenta",
    "Missing": "yellow",
    "PruneSkipped": "yellow",
    "Degraded": "red",
    "failed": "red",
    "SyncFailed": "red",
    "HookFailed": "red",
    "refused": "red",
    "revoked": "red",
    "denied": "red",
    "Unknown": "bright_black",
    "Unchanged": "bright_black",
}


def fit(widths: Sequence[int], room: int) -> list[int]:
    """Widths whose sum with the gaps is at most `room`: the widest give way first, down to SMALLEST."""
    fitted = list(widths)
    excess = sum(fitted) + GAP * (len(fitted) - 1) - room
    for _ in range(excess):
        widest = max(fitted)
        if widest <= SMALLEST:
            break
        fitted[fitted.index(widest)] -= 1
    return fitted


def lay(titles: Sequence[str], rows: Sequence[Sequence[str]], *, room: int) -> list[rich_text.Text]:
    """The table's lines, header first; `room` 0: as wide as it wants. Line breaks in a cell become spaces."""
    body = [[cell(value) for value in row] for row in rows]
    grid = [[rich_text.Text(title, style="bold") for title in titles], *body]
    widths = [max(row[column].cell_len for row in grid) for column in range(len(titles))]
    if room:
        widths = fit(widths, room)
    return [_line(row, widths) for row in grid]


def show(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print it on stdout."""
    out = output()
    for line in lay(titles, rows, room=out.width if out.is_terminal else 0):
        out.print(line, soft_wrap=True)


def output(*, err: bool = False) -> rich_console.Console:
    """Stdout or stderr; colours only on a terminal and without NO_COLOR, nothing in a text is markup."""
    stream = sys.stderr if err else sys.stdout
    return rich_console.Console(file=stream, markup=False, highlight=False, emoji=False, width=shutil.get_terminal_size().columns)


def cell(value: str) -> rich_text.Text:
    """A value on one line, coloured when it is a known state."""
    return rich_text.Text(failures.visible(" ".join(value.split())), style=COLOURS.get(value, ""))


def _line(row: Sequence[rich_text.Text], widths: Sequence[int]) -> rich_text.Text:
    line = rich_text.Text()
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        last = column == len(widths) - 1
        shown = cell.copy()
        shown.truncate(width, overflow="ellipsis", pad=not last)
        line.append_text(shown)
        if not last:
            line.append(" " * GAP)
    line.rstrip()
    return line
