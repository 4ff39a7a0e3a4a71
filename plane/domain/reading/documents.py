"""Text of one file → its documents, cut and read as kubectl does.

Where it differs from kubectl it refuses: duplicate keys, bytes that are not UTF-8, text that kubectl would silently skip.
"""

import re
from collections.abc import Iterator

from plane.domain import errors, objects
from plane.domain.reading import json_text, yaml_text

MAX_BYTES = 10_000_000  # as Argo CD bounds a folder of manifests
BOM = b"\xef\xbb\xbf"

_SEPARATOR = re.compile(rb"^---([^\n]*)(?:\n|\Z)", re.MULTILINE)


class Unreadable(errors.PlaneError):
    """Text that does not hold Kubernetes objects. `where` is `file:line`."""

    code = "manifest-unreadable"
    fields = ("where",)

    def __init__(self, where: objects.Position, rule: str) -> None:
        self.where = str(where)
        super().__init__(f"{where}: {rule}")


def read(text: bytes, *, file: str) -> Iterator[yaml_text.Parsed]:
    """Documents in order with lines counted from 1, empty ones too; a text that begins with `{` is JSON as far as it goes, then YAML.

    Raises:
        Unreadable: with file and line, the rule and the way out.
    """
    _check(text, file)
    text = text.removeprefix(BOM)
    start = 0
    if text.lstrip().startswith(b"{"):
        found = _json(text.decode(), file)
        yield from (_moved(document, 1) for document in found.documents)
        start = len(text.decode()[: found.end].encode())
    for part, line in _parts(text[start:], text.count(b"\n", 0, start) + 1, file):
        try:
            yield _moved(yaml_text.parse(part), line)
        except yaml_text.BadText as error:
            raise Unreadable(objects.Position(file, line + error.line), error.rule) from error


def _check(text: bytes, file: str) -> None:
    if len(text) > MAX_BYTES:
        raise Unreadable(objects.Position(file), f"{len(text):,} bytes are more than the {MAX_BYTES:,} allowed; split the file")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise Unreadable(objects.Position(file, line), f"byte 0x{text[error.start]:02x} is not UTF-8; save the file as UTF-8") from error


def _json(text: str, file: str) -> json_text.Found:
    try:
        found = json_text.parse(text)
    except yaml_text.BadText as error:
        raise Unreadable(objects.Position(file, error.line + 1), error.rule) from error
    # As kubectl: after two documents a stream is JSON for good; before that it may be YAML in flow style.
    if found.failure and (len(found.documents) > 1 or file.endswith(".json")):
        raise Unreadable(objects.Position(file, found.failure.line + 1), found.failure.rule) from found.failure
    return found


def _parts(text: bytes, line: int, file: str) -> Iterator[tuple[bytes, int]]:
    """Cut at lines that begin with `---`, before parsing, as kubectl does; each part with its first line."""
    start = 0
    for separator in _SEPARATOR.finditer(text):
        here = line + text.count(b"\n", start, separator.start())
        rest = separator[1].strip()
        if rest and not rest.startswith(b"#"):
            raise Unreadable(objects.Position(file, here), "only a comment may follow `---` on its line; move the rest to the next line")
        if separator.start() > start:
            yield text[start : separator.start()], line
        start, line = separator.end(), here + 1
    if start < len(text):
        # kubectl reads by line and ends each with a newline, so a block text at the very end of a file has one too.
        yield text[start:] + (b"" if text.endswith(b"\n") else b"\n"), line


def _moved(document: yaml_text.Parsed, lines: int) -> yaml_text.Parsed:
    return yaml_text.Parsed(document.value, document.line + lines, tuple(line + lines for line in document.item_lines))
