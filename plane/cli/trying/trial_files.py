"""Objects in local files, folders and standard input, and keys that match across them."""

import contextlib
import datetime as dt
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import click
import msgspec

from plane.cli import failures
from plane.domain import errors, kinds, objects
from plane.domain.reading import documents, manifests
from plane.domain.timing import schedules

SUFFIXES = frozenset({".json", ".yaml", ".yml"})
FILE = click.Path(exists=True, allow_dash=True)

namespace_option = click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of objects that name none.")


def output_option(*formats: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`-o`; the first format is the default. Not `show.option`: that loads the REST client, which takes longer than a step."""
    return click.option("-o", "--output", type=click.Choice(formats), default=formats[0], show_default=True, help="Output format.")


def as_json(body: object) -> None:
    """JSON for programs, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(body), indent=2).decode())


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """What the plane refuses is wrong use here: one sentence, exit 2."""
    try:
        yield
    except errors.PlaneError as error:
        raise failures.WrongUse(str(error)) from error


def moment(text: str) -> dt.datetime:
    """RFC 3339 of a flag; without a zone it counts as UTC."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = dt.datetime.min  # noqa: DTZ901 refused below
    if found.year not in schedules.YEARS:
        raise failures.WrongUse(f"{text!r} is no moment; write it as 2026-11-21T10:00:00Z")
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def objects_in(paths: Iterable[str]) -> tuple[objects.Manifest, ...]:
    """All objects in the order of the paths; a folder's files sorted by name, folders below included."""
    return tuple(manifest for file, text in _texts(paths) for manifest in manifests.read(text, file=file))


def unique(paths: Iterable[str]) -> tuple[objects.Manifest, ...]:
    """As objects_in, refusing an object that is there twice."""
    found = objects_in(paths)
    manifests.duplicates(found)
    return found


def placed(key: objects.ObjectKey, namespace: str, known: dict[kinds.Kind, bool]) -> objects.ObjectKey:
    """The key with the namespace filled in where its kind has one: so an object matches whether or not the file says it."""
    if kinds.namespaced(key.group, key.kind, known):
        return msgspec.structs.replace(key, namespace=key.namespace or namespace)
    return msgspec.structs.replace(key, namespace="")


def keys_in(path: str) -> tuple[objects.ObjectKey, ...]:
    """An inventory: objects, or mappings with kind, name and where needed group and namespace; any of them also in lists.

    Raises:
        Unreadable: an entry that names no object.
    """
    return tuple(
        key
        for file, text in _texts([path])
        for document in documents.read(text, file=file)
        if document.value is not None
        for key in _keys(document.value, objects.Position(file, document.line))
    )


def _keys(value: Any, where: objects.Position) -> Iterator[objects.ObjectKey]:  # noqa: ANN401 any JSON data
    if isinstance(value, dict) and not value.get("kind") and len(value) == 1:
        (value,) = value.values()  # {"key": …}, {"items": […]} and the like
    if isinstance(value, list):
        for item in value:
            yield from _keys(item, where)
    elif isinstance(value, dict) and isinstance(value.get("items"), list):
        yield from _keys(value["items"], where)
    else:
        yield _key(value, where)


def _key(value: Any, where: objects.Position) -> objects.ObjectKey:  # noqa: ANN401 any JSON data
    if isinstance(value, dict) and value.get("kind"):
        if isinstance(value.get("metadata"), dict):
            return manifests.of(value, position=where).key
        with contextlib.suppress(msgspec.ValidationError):
            group = value.get("group") or str(value.get("apiVersion") or "").rpartition("/")[0]
            return msgspec.convert({"namespace": "", **value, "group": group}, objects.ObjectKey)
    rule = "an inventory holds objects, or mappings with kind, name and where needed group and namespace"
    raise documents.Unreadable(where, rule)


def _texts(paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if path == "-":
            yield "standard input", sys.stdin.buffer.read()
            continue
        for file in _files(pathlib.Path(path)):
            try:
                yield str(file), file.read_bytes()
            except OSError as error:
                raise errors.Invalid({str(file): f"cannot be read ({error.strerror})"}) from None


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
