"""Documents in one local file or standard input, each with its place."""

import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from plane.domain import errors, objects
from plane.domain.reading import documents as texts
from plane.wire import reading

Json = dict[str, Any]
Found = tuple[objects.Position, Json]


def read(path: str) -> Iterator[Found]:
    """All of them; `-` is standard input.

    Raises:
        Invalid: a file that cannot be read. Unreadable: text that is no document.
    """
    file = "standard input" if path == "-" else path
    try:
        text = sys.stdin.buffer.read() if path == "-" else pathlib.Path(path).read_bytes()
    except OSError as error:
        raise errors.Invalid({path: f"cannot be read ({error.strerror})"}) from None
    for document in texts.read(text, file=file):
        where = objects.Position(file, document.line)
        if isinstance(document.value, dict):
            yield where, document.value
        elif document.value is not None:
            raise texts.Unreadable(where, "is no document: a mapping with apiVersion, kind, metadata and spec is needed")


def convert(where: objects.Position, body: Json, kind: type[reading.T], prefix: str = "") -> reading.T:
    """As a document of a kind; Invalid names file, line and field."""
    try:
        return reading.convert(body, kind)
    except errors.Invalid as error:
        paths = {".".join(part for part in (prefix, path) if part): rule for path, rule in error.problems.items()}
        raise errors.Invalid({f"{where}: {path}" if path else str(where): rule for path, rule in paths.items()}) from None


def is_(body: Json, group: str, kind: str) -> bool:
    """Whether a document says to be of a group, or of a version of it, and of a kind."""
    return str(body.get("apiVersion", "")).startswith(group) and body.get("kind") == kind
