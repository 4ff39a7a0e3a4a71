"""Tables: aligned columns that fit the terminal; whole and plain when the output is not one."""

import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence

import click

from plane.cli import failures

PLAIN = ("dumb", "unknown")  # terminals without colours
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


def lay(titles: Sequence[str], rows: Sequence[Sequence[str]], *, room: int, coloured: bool = False) -> list[str]:
    """The table's lines, header first; `room` 0: as wide as it wants. Line breaks in a cell become spaces."""
    grid = [list(titles), *([line(value) for value in row] for row in rows)]
    widths = [max(width(row[column]) for row in grid) for column in range(len(titles))]
    if room:
        widths = fit(widths, room)
    styles = [["bold"] * len(titles), *([COLOURS.get(value, "") for value in row] for row in rows)]
    return [_line(row, widths, style if coloured else [""] * len(row)) for row, style in zip(grid, styles, strict=True)]


def show(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print it on stdout; colours only on a terminal and without NO_COLOR."""
    terminal = sys.stdout.isatty()
    room = shutil.get_terminal_size().columns if terminal else 0
    plain = not terminal or os.environ.get("NO_COLOR") or os.environ.get("TERM") in PLAIN
    for text in lay(titles, rows, room=room, coloured=not plain):
        click.echo(text, color=True if terminal else None)


def line(value: str) -> str:
    """A value on one line, without what would drive a terminal."""
    return failures.visible(" ".join(value.split()))


def width(text: str) -> int:
    """Columns it takes: two for a wide character, none for one that joins another."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def cut(text: str, room: int) -> str:
    """The text, or its beginning and an ellipsis."""
    if width(text) <= room:
        return text
    while text and width(text) > room - 1:
        text = text[:-1]
    return text + "…"


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _line(row: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> str:
    shown = [cut(text, room) for text, room in zip(row, widths, strict=True)]
    gaps = [" " * (room - width(text) + GAP) for text, room in zip(shown, widths, strict=True)]
    return "".join(_styled(text, style) + gap for text, style, gap in zip(shown, styles, gaps, strict=True)).rstrip()


def _styled(text: str, style: str) -> str:
    return click.style(text, bold=True) if style == "bold" else click.style(text, fg=style) if style and text else text
