"""The graph of a kustomization: which files of the repository it can read."""

import bisect
import posixpath
import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from plane import ports
from plane.domain import errors
from plane.domain.reading import documents

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")  # in kustomize's own order
MAX_BYTES = 1024 * 1024
MAX_FOLDERS = 1000

Kind = Literal["file", "folder", "either"]

# Field → what its items name. Items of "either" and of patchesStrategicMerge may be YAML themselves.
LISTS: dict[str, Kind] = {
    "resources": "either",
    "bases": "folder",
    "components": "folder",
    "crds": "file",
    "configurations": "file",
    "patchesStrategicMerge": "file",
    "generators": "either",
    "transformers": "either",
    "validators": "either",
}
PATHS = ("patches", "patchesJson6902", "replacements")  # lists of mappings with a `path`
GENERATORS = ("configMapGenerator", "secretGenerator")
PLUGINS = ("generators", "transformers", "validators")
INFLATORS = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
FUNCTION = re.compile(rb"config\.kubernetes\.io/function|config\.k8s\.io/function|HelmChartInflationGenerator")

INLINE = re.compile(r"\n|^\s*\{|: ")  # the item is YAML itself
_REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*::|://|^git@|^[\w-]+(\.[\w-]+)+/|[?&](ref|version|timeout)=|\.git(/|$|\?)")


class Reference(msgspec.Struct, frozen=True):
    """A name in a kustomization file, with the field and line it stands at."""

    field: str
    name: str
    kind: Kind
    line: int


class Graph(msgspec.Struct, frozen=True):
    """All files, sorted, and the folders of all kustomizations."""

    files: tuple[ports.File, ...]
    folders: tuple[str, ...]


def walk(tree: ports.Tree, path: str) -> Graph:
    """Follow a kustomization to all it reads.

    Raises:
        RenderFailed: with file and line, for what is missing, remote, outside the repository or a plug-in.
    """
    files: dict[str, ports.File] = {}
    folders: list[str] = []
    waiting = [posixpath.normpath(path)]
    while waiting:
        folder = waiting.pop()
        if folder in folders:
            continue
        folders.append(folder)
        if len(folders) > MAX_FOLDERS:
            raise errors.RenderFailed(f"more than {MAX_FOLDERS} kustomizations hang together; split the app", where=path)
        for found in _own(tree, folder):
            files[found.path] = found
            waiting += _follow(tree, folder, found, files)
    return Graph(tuple(sorted(files.values())), tuple(sorted(folders)))


def _own(tree: ports.Tree, folder: str) -> list[ports.File]:
    """The folder's kustomization file; kustomize itself refuses two."""
    found = [file for name in NAMES if (file := _file(tree, posixpath.normpath(posixpath.join(folder, name))))]
    if not found:
        raise errors.RenderFailed("there is no kustomization.yaml in this folder", where=folder)
    return found


def _follow(tree: ports.Tree, folder: str, own: ports.File, files: dict[str, ports.File]) -> Iterator[str]:
    """Add what one kustomization names to `files`; yield the folders it builds on."""
    for reference in references(_content(tree, own), own.path):
        where = f"{own.path}:{reference.line}"
        path = posixpath.normpath(posixpath.join(folder, reference.name))
        file = _file(tree, path) if reference.kind != "folder" and not path.startswith("..") else None
        if file is not None:
            _check_inside(reference, path, folder, where)
            if reference.field in PLUGINS and FUNCTION.search(_content(tree, file)):
                raise errors.RenderFailed(f"{reference.field} names {reference.name}, a plug-in, and plug-ins are never run", where=where)
            files[path] = file
        elif reference.kind != "file" and _is_folder(tree, path):
            yield path
        else:
            raise errors.RenderFailed(_absent(reference, path), where=where)


def _check_inside(reference: Reference, path: str, folder: str, where: str) -> None:
    if folder != "." and not path.startswith(f"{folder}/"):
        reason = (
            f"{reference.field} names {reference.name}, outside the kustomization's own folder; move it there, or make its folder a base"
        )
        raise errors.RenderFailed(reason, where=where)


def _absent(reference: Reference, path: str) -> str:
    said = f"{reference.field} names {reference.name}"
    if path.startswith(("/", "..")) and not _REMOTE.search(reference.name):
        return f"{said}, which leaves the repository"
    if _REMOTE.search(reference.name):
        return f"{said}, a remote address; renders have no network: copy it into the repository"
    return f"{said}, which is not in the repository (links are not followed)"


def references(text: bytes, file: str) -> tuple[Reference, ...]:
    """Every file and folder a kustomization names; RenderFailed when it cannot be read or wants a plug-in or chart."""
    try:
        documents_ = [document.value for document in documents.read(text, file=file)]
    except documents.Unreadable as e:
        raise errors.RenderFailed(str(e).removeprefix(f"{e.where}: "), where=e.where) from e
    body = documents_[0] if len(documents_) == 1 else None
    if not isinstance(body, dict):
        raise errors.RenderFailed("a kustomization is one YAML mapping", where=file)
    for field in INFLATORS:
        if body.get(field):
            reason = f"{field} is not supported: a chart inside a kustomization would be fetched; render the chart as a source of its own"
            raise errors.RenderFailed(reason, where=f"{file}:{_line(text, field)}")
    if found := FUNCTION.search(text):
        line = text.count(b"\n", 0, found.start()) + 1
        raise errors.RenderFailed("plug-ins and functions are never run", where=f"{file}:{line}")
    return tuple(Reference(field, name, kind, _line(text, name)) for field, name, kind in _names(body))


def _names(body: dict[str, Any]) -> Iterator[tuple[str, str, Kind]]:
    for field, kind in LISTS.items():
        yield from ((field, name, kind) for name in _items(body, field, str) if not INLINE.search(name))
    for field in PATHS:
        yield from ((field, item["path"], "file") for item in _items(body, field, dict) if isinstance(item.get("path"), str))
    for field in GENERATORS:
        for item in _items(body, field, dict):
            for part in ("files", "envs"):
                yield from ((f"{field}.{part}", name.rpartition("=")[2], "file") for name in _items(item, part, str))
            if isinstance(item.get("env"), str):
                yield f"{field}.env", item["env"], "file"
    openapi = body.get("openapi")
    if isinstance(openapi, dict) and isinstance(openapi.get("path"), str):
        yield "openapi.path", openapi["path"], "file"


def _items(body: dict[str, Any], field: str, kind: type) -> list[Any]:
    """The list's items of the right type; about the others kustomize itself has the better words."""
    found = body.get(field)
    return [item for item in found if isinstance(item, kind)] if isinstance(found, list) else []


def _line(text: bytes, name: str) -> int:
    """The first line that has the name."""
    return text.count(b"\n", 0, max(0, text.find(name.encode()))) + 1


def _content(tree: ports.Tree, file: ports.File) -> bytes:
    if file.size_bytes > MAX_BYTES:
        raise errors.RenderFailed(f"a kustomization of {file.size_bytes:,} bytes is larger than the {MAX_BYTES:,} allowed", where=file.path)
    return tree.read((file,))[file.path]


def _file(tree: ports.Tree, path: str) -> ports.File | None:
    """The file of exactly this path, found as listings are sorted."""
    try:
        there = tree.files(posixpath.dirname(path) or ".")
    except errors.SourceRefused:
        return None
    place = bisect.bisect_left(there, path, key=lambda file: file.path)
    return there[place] if place < len(there) and there[place].path == path else None


def _is_folder(tree: ports.Tree, path: str) -> bool:
    try:
        return bool(tree.files(path))
    except errors.SourceRefused:
        return False
