"""What rules may know of an app's sources: where they are, and what rendering them reached for besides their own files."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from plane.domain import apps
from plane.domain.judging import surroundings

_ACTION = re.compile(rb"\{\{(?!-?\s*/\*)(.*?)\}\}", re.DOTALL)  # a comment is none
_TEXT = re.compile(rb'"(?:\\.|[^"\\])*"|`[^`]*`', re.DOTALL)
_FUNCTION = re.compile(rb"(?<![.$\w])(lookup|getHostByName)\b")
_NAME = re.compile(rb"^name:[ \t]*[\"']?([\w.-]+)", re.MULTILINE)


def origin(source: apps.Source, kind: str, *, floating: bool) -> surroundings.SourceOrigin:
    """One source. `kind`: the renderer's name; empty when it only lends files."""
    return msgspec.convert(
        {
            "repoURL": source.repo_url,
            "path": source.path,
            "revision": source.target_revision,
            "floating": floating,
            "kind": kind,
        },
        surroundings.SourceOrigin,
    )


def chart(source: apps.Source, files: Mapping[str, bytes]) -> str:
    """The chart's name as its Chart.yaml says; empty when it does not."""
    found = _NAME.search(files.get(posixpath.normpath(posixpath.join(source.path, "Chart.yaml")), b""))
    return found[1].decode() if found else ""


def functions(files: Mapping[str, bytes]) -> frozenset[str]:
    """Functions of Helm's templates whose answers lie outside the chart; packed charts are not looked into."""
    return frozenset(name for path, text in files.items() if "templates" in path.split("/") for name in _called(text))


def _called(text: bytes) -> Iterator[str]:
    for action in _ACTION.finditer(text):
        yield from (found[1].decode() for found in _FUNCTION.finditer(_TEXT.sub(b"", action[1])))


def together(origins: Iterable[surroundings.SourceOrigin], called: Iterable[str]) -> surroundings.SourceFacts:
    """What rules are told."""
    return surroundings.SourceFacts(origins=tuple(origins), functions=tuple(sorted(called)))
