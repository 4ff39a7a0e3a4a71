"""Manifests as they lie in a folder."""

import posixpath
from collections.abc import Iterator, Sequence

from plane import ports
from plane.adapters.renderers import globs
from plane.adapters.sandbox import workbench
from plane.domain import apps, objects
from plane.domain.reading import manifests

ENDINGS = (".yaml", ".yml", ".json")
SKIP = b"+argocd:skip-file-rendering"  # in a comment on the first line; the name users have in their files


class Plain:
    """Every YAML and JSON file of the source's path, also of the folders below it with `directory.recurse`."""

    name = "plain"

    def detects(self, files: Sequence[ports.File], source: apps.Source) -> bool:  # noqa: ARG002  # the port's signature
        """Always: what nothing else recognises is manifests."""
        return True

    def inputs(self, tree: ports.Tree, source: apps.Source) -> tuple[ports.File, ...]:
        """By name alone; no content is read to find them."""
        directory = source.directory or apps.Directory()
        base = posixpath.normpath(source.path)
        return tuple(file for file in tree.files(source.path) if _wanted(directory, posixpath.relpath(file.path, base)))

    def roots(self, tree: ports.Tree, source: apps.Source) -> frozenset[str]:  # noqa: ARG002  # the port's signature
        """The source's path."""
        return frozenset({posixpath.normpath(source.path)})

    def version(self) -> str:
        """Of the rules by which text becomes objects; raised when they change."""
        return "plain/1"


def render(job: ports.RenderJob, bench: workbench.Workbench) -> Iterator[objects.Manifest]:  # noqa: ARG001  # every renderer's signature
    """Objects in the order of paths, then of documents."""
    for path in sorted(job.files):
        text = job.files[path]
        if not _skipped(text):
            yield from manifests.read(text, file=path)


def _wanted(directory: apps.Directory, path: str) -> bool:
    if not path.endswith(ENDINGS) or ("/" in path and not directory.recurse):
        return False
    if directory.exclude and globs.matches(directory.exclude, path):
        return False
    return not directory.include or globs.matches(directory.include, path)


def _skipped(text: bytes) -> bool:
    first = text[:1024].split(b"\n", 1)[0].lstrip(b"\xef\xbb\xbf \t")
    return first.startswith(b"#") and SKIP in first
