"""Files of documents: read, checked as far as a reader can, put in the order they depend on."""

import pathlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

import click
import msgspec

from plane.cli import failures, kinds, lines
from plane.domain.reading import documents

SUFFIXES = {".yaml", ".yml", ".json"}
STDIN = "-"

Json = dict[str, Any]


class Manifest(msgspec.Struct, frozen=True):
    """One document of a file. `line` is where it begins, from 1; `text` is the file from there on."""

    kind: kinds.Kind
    body: Json
    file: str
    line: int
    text: str

    @property
    def name(self) -> str:
        """The name it gives itself."""
        return str(self.body["metadata"]["name"])

    @property
    def place(self) -> tuple[str, str]:
        """The tenant and project it gives itself, empty where it does not."""
        meta = self.body["metadata"]
        return str(meta.get("tenant") or ""), str(meta.get("project") or "")

    def label(self) -> str:
        """`app/web`."""
        return f"{self.kind.noun}/{self.name}"

    def where(self, path: str = "") -> str:
        """`file:line` of a field, or of the document when the field cannot be found."""
        within = lines.locate(self.text, path) if path else -1
        return f"{self.file}:{self.line + max(within, 0)}"


def files_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`-f`, which repeatable."""
    return click.option(
        "-f", "--filename", "filenames", multiple=True, metavar="FILE|DIR|-", help="File, folder or - for stdin; repeatable."
    )(function)


def read(filenames: Iterable[str]) -> list[Manifest]:
    """All documents, those that others need first.

    Raises:
        WrongUse: every broken rule of every file, with file and line.
    """
    found: list[Manifest] = []
    broken: list[str] = []
    for file, content in _contents(filenames):
        try:
            parsed = [document for document in documents.read(content, file=file) if document.value is not None]
        except documents.Unreadable as error:
            broken.append(str(error))
            continue
        for document in parsed:
            rule = _rule(document.value)
            if rule:
                broken.append(f"{file}:{document.line}: {rule}")
            else:
                found.append(_manifest(document.value, content, file, document.line))
    broken += _twice(found)
    if broken:
        raise _refusal(broken)
    if not found:
        raise failures.WrongUse(f"no documents in {', '.join(filenames)}; each begins with `apiVersion: {kinds.API_VERSION}`")
    return sorted(found, key=lambda each: kinds.rank(each.kind))


def _refusal(broken: list[str]) -> failures.WrongUse:
    if len(broken) == 1:
        return failures.WrongUse(broken[0])
    return failures.WrongUse(f"{len(broken)} documents cannot be used", details=tuple(broken))


def _contents(filenames: Iterable[str]) -> Iterable[tuple[str, bytes]]:
    for name in filenames:
        if name == STDIN:
            yield "standard input", sys.stdin.buffer.read()
            continue
        for file in _files(pathlib.Path(name)):
            try:
                yield str(file), file.read_bytes()
            except OSError as error:
                raise failures.WrongUse(f"{file}: cannot be read ({error.strerror})") from error


def _files(place: pathlib.Path) -> list[pathlib.Path]:
    if not place.is_dir():
        return [place]
    found = sorted(file for file in place.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not found:
        raise failures.WrongUse(f"{place}: no .yaml, .yml or .json file in this folder (folders below it are not read)")
    return found


def _rule(body: Any) -> str:  # noqa: ANN401 any YAML
    """The rule a document breaks before the plane can even be asked, or the empty string."""
    if not isinstance(body, dict):
        return f"a document is a mapping with apiVersion, kind, metadata and spec, not a {type(body).__name__}"
    if body.get("apiVersion") != kinds.API_VERSION:
        given = body.get("apiVersion")
        return f"apiVersion is {given!r}, not {kinds.API_VERSION}; Kubernetes manifests go into a Git repository that an App names"
    known = {kind.name for kind in kinds.KINDS}
    if body.get("kind") not in known:
        given = str(body.get("kind"))
        return f"kind {given!r} is unknown{failures.nearest(given, known)}; known kinds: {', '.join(sorted(known))}"
    meta = body.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str) or not meta["name"]:
        return "metadata.name is missing; give the document a name of lower-case letters, digits and dashes"
    return ""


def _manifest(body: Json, content: bytes, file: str, line: int) -> Manifest:
    rest = content.decode().splitlines()[line - 1 :]
    end = next((at for at, text in enumerate(rest) if at and text.startswith("---")), len(rest))
    kind = next(kind for kind in kinds.KINDS if kind.name == body["kind"])
    return Manifest(kind, body, file, line, "\n".join(rest[:end]))


def _twice(found: list[Manifest]) -> list[str]:
    first: dict[tuple[str, str, str, str], Manifest] = {}
    broken = []
    for each in found:
        other = first.setdefault((each.kind.name, *each.place, each.name), each)
        if other is not each:
            broken.append(f"{each.where()}: {each.label()} is already in {other.where()}; keep one")
    return broken
