"""Files of other sources: `$ref/path` in a chart's valueFiles, as Argo CD writes it, appear below a folder of their own."""

import posixpath
import re
from collections.abc import Collection, Iterator

import msgspec

from plane.domain import apps

FOLDER = ".refs"  # a name that no values file of the repository itself can have by chance
NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_REFERENCE = re.compile(r"\$(?P<ref>[A-Za-z0-9_-]+)/(?P<path>.+)")


def used(source: apps.Source) -> frozenset[str]:
    """The refs that a source's valueFiles name."""
    return frozenset(found["ref"] for name in _value_files(source) if (found := _REFERENCE.fullmatch(name)))


def replaced(source: apps.Source) -> apps.Source:
    """The source with every `$ref/path` as the path at which `Laid` shows it."""
    if source.helm is None or not used(source):
        return source
    names = tuple(_laid(name) for name in source.helm.value_files)
    return msgspec.structs.replace(source, helm=msgspec.structs.replace(source.helm, value_files=names))


def shown(name: str) -> str:
    """A values file as the app's author wrote it."""
    return f"${name.removeprefix(f'/{FOLDER}/')}" if name.startswith(f"/{FOLDER}/") else name


def split(roots: Collection[str]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """What a source reads of its own repository, and of each ref's; sorted."""
    own, others = set[str](), dict[str, set[str]]()
    for root in roots:
        parts = root.split("/", 2)
        if parts[0] == FOLDER and len(parts) > 2:  # noqa: PLR2004 - folder, ref, path
            others.setdefault(parts[1], set()).add(parts[2])
        else:
            own.add(root)
    return tuple(sorted(own)), {ref: tuple(sorted(paths)) for ref, paths in others.items()}


def problems(at: str, source: apps.Source, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Broken rules by path. `known`: the refs of all sources."""
    for n, name in enumerate(_value_files(source)):
        if not name.startswith("$"):
            continue
        field, found = f"{at}.helm.valueFiles[{n}]", _REFERENCE.fullmatch(name)
        if found is None or ".." in found["path"].split("/"):
            yield field, "must be written $REF/path/to/values.yaml, without `..`"
        elif found["ref"] not in known:
            there = ", ".join(f"${ref}" for ref in sorted(known)) or "none"
            yield field, f"names ${found['ref']}, and no source has ref: {found['ref']} (there is: {there})"


def _value_files(source: apps.Source) -> tuple[str, ...]:
    return source.helm.value_files if source.helm else ()


def _laid(name: str) -> str:
    found = _REFERENCE.fullmatch(name)
    return f"/{FOLDER}/{found['ref']}/{posixpath.normpath(found['path'])}" if found else name
