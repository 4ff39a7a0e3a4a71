"""Secrets between files and the plane: read from a file, standard input or a prompt, written for their owner alone."""

import os
import pathlib
import sys

import click

from plane.cli import failures

STDIN = "-"


def read(file: str | None, *, prompt: str) -> str:
    """The whole text of the file; of standard input for `-` or when it is no terminal; else what a person types."""
    if file is None and sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True))
    found = sys.stdin.read() if file is None or file == STDIN else _text(pathlib.Path(file))
    if not found.strip():
        raise failures.WrongUse(f"{'standard input' if file in {None, STDIN} else file} is empty; {prompt.lower()} is expected there")
    return found


def keep(file: pathlib.Path, text: str) -> None:
    """Write one line into a new file, 0600."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
    except OSError as error:
        raise failures.WrongUse(f"{file}: cannot be written ({error.strerror}); name a file that is not there yet") from error


def check_new(file: str | None) -> None:
    """Refuse a file that `keep` would refuse, before the secret is made."""
    if file and pathlib.Path(file).exists():
        raise failures.WrongUse(f"{file}: is there already; name a file that is not there yet")


def _text(file: pathlib.Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise failures.WrongUse(f"{file}: cannot be read ({getattr(error, 'strerror', None) or 'not text'})") from error
