"""The values of a chart: which files hold them, and how they are kept out of messages."""

import bisect
import itertools
import json
import posixpath
import re
from collections.abc import Iterator

from plane import ports
from plane.domain import apps, errors, objects
from plane.domain.reading import documents

SHORTEST = 3  # shorter values are words of every message
MOST = 10_000
HIDDEN = "***"

_FILE_NAME = re.compile(r"[\w./-]+\.(?:ya?ml|tpl|txt|json|tgz)(?::\d+)*")


def path(source: apps.Source, name: str) -> str:
    """Where a values file lies in the repository: relative to the chart, or to the root when it begins with `/`.

    Raises:
        RenderFailed: a URL, a reference to another source, or a path that leaves the repository.
    """
    where = posixpath.normpath(source.path)
    if "://" in name:
        reason = f"source.helm.valueFiles: {name} is a remote file; commit it, or name it by a source with a ref"
        raise errors.RenderFailed(reason, where=where)
    found = posixpath.normpath(name.lstrip("/") if name.startswith("/") else posixpath.join(source.path, name))
    if found == ".." or found.startswith("../"):
        raise errors.RenderFailed(f"source.helm.valueFiles: {name} leaves the repository", where=where)
    return found


def find(tree: ports.Tree, wanted: str) -> ports.File | None:
    """The file of exactly this path; None also for links, which are never followed."""
    try:
        there = tree.files(posixpath.dirname(wanted) or ".")
    except errors.SourceRefused:
        return None
    place = bisect.bisect_left(there, wanted, key=lambda file: file.path)
    return there[place] if place < len(there) and there[place].path == wanted else None


def inline(options: apps.Helm) -> dict[str, bytes]:
    """The app's own values as a file, if any; as in Argo CD, `valuesObject` takes the place of `values`."""
    if options.values_object:
        return {"values-object.yaml": objects.canonical(options.values_object)}
    return {"values.yaml": options.values.encode()} if options.values.strip() else {}


def hide(message: str, job: ports.RenderJob) -> str:
    """The message with every value of the chart replaced; names of files stay."""
    try:
        forms = sorted({form for value in _values(job) for form in _forms(value)}, key=len, reverse=True)[:MOST]
    except documents.Unreadable as e:
        return f"its message is withheld, as these values cannot be told from its words: {e}"
    if not forms:
        return message
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?!\w)")
    kept = [*_FILE_NAME.finditer(message)]
    edges = [0, *(edge for found in kept for edge in found.span()), len(message)]
    pieces = [message[start:end] for start, end in itertools.pairwise(edges)]
    return "".join(pattern.sub(HIDDEN, piece) if number % 2 == 0 else piece for number, piece in enumerate(pieces))


def _values(job: ports.RenderJob) -> Iterator[object]:
    options = job.source.helm or apps.Helm()
    names = [posixpath.normpath(posixpath.join(job.source.path, "values.yaml")), *(path(job.source, name) for name in options.value_files)]
    texts = {name: job.files[name] for name in names if name in job.files} | inline(options)
    for name, text in texts.items():
        for document in documents.read(text, file=name):
            yield from _leaves(document.value)
    for parameter in options.parameters:
        yield from (parameter.value, *re.split(r"(?<!\\),", parameter.value.strip("{}")))


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield value


def _forms(value: object) -> Iterator[str]:
    """The value as it may stand in a message: whole, quoted as Go and JSON quote, and line by line."""
    for text in (str(value), json.dumps(value, ensure_ascii=False).strip('"'), *str(value).splitlines()):
        if len(text.strip()) >= SHORTEST:
            yield text.strip()
