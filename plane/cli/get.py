"""`plane get`, `plane delete`, `plane edit`: any kind of document."""

import os
import pathlib
import shlex
import subprocess
import tempfile
from typing import Any

import click

from plane.cli import apply, client, failures, kinds, manifests, news, session, show, store, times
from plane.domain.reading import yaml_text

KIND = kinds.Parameter()
Json = client.Json
_ACCEPTED = 202


def selection(function: session.Command) -> session.Command:
    """`--limit` and `-l`."""
    labels = click.option("-l", "--labels", default="", metavar="KEY=VALUE,...", help="Only documents with all of these labels.")
    limit = click.option("--limit", type=click.IntRange(0), default=0, help="Show at most this many; default: all.")
    return limit(labels(function))


@click.command()
@click.argument("kind", type=KIND)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@selection
@show.option()
@session.placed
def get(where: session.Session, *, kind: kinds.Kind, names: tuple[str, ...], output: str, **selected: Any) -> None:  # noqa: ANN401 of `selection`
    """List the documents of a KIND, or show those named."""
    if len(names) == 1:
        show_one(where, kind, names[0], output=output)
    elif names:
        show.documents(kind, [store.read(where, kind, name).body for name in names], output=output)
    else:
        show.documents(kind, store.several(where, kind, **selected), output=output)


@click.command()
@click.argument("kind", type=KIND, required=False)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@manifests.files_option
@click.option(
    "--timeout",
    default="5m",
    show_default=True,
    help="With -f: how long to wait for each app's objects to be gone before deleting what the app needs.",
)
@session.placed
def delete(where: session.Session, *, kind: kinds.Kind | None, names: tuple[str, ...], filenames: tuple[str, ...], timeout: str) -> None:
    """Delete documents: KIND NAME..., or everything in the files, dependents first."""
    seconds = times.span(timeout).total_seconds()
    if bool(names) == bool(filenames):
        raise failures.WrongUse("say what to delete: `plane delete KIND NAME`, or `plane delete -f FILE`")
    if kind:
        for name in names:
            remove(where, kind, name)
    going: list[tuple[session.Session, str]] = []
    for each in reversed(manifests.read(filenames)) if filenames else ():
        home = store.home_of(where, each)
        if each.kind is not kinds.APP:
            while going:
                _until_gone(*going.pop(), seconds=seconds)
        if remove(home, each.kind, each.name, absent_is_fine=True):
            going.append((home, each.name))


@click.command()
@click.argument("kind", type=KIND)
@click.argument("name")
@session.placed
def edit(where: session.Session, *, kind: kinds.Kind, name: str) -> None:
    """Edit a document in your editor (VISUAL, EDITOR, else vi).

    Nobody else's change is overwritten: when the document changed meanwhile, or the plane refuses yours, your text stays in a file.
    """
    change(where, kind, name)


def change(where: session.Session, kind: kinds.Kind, name: str) -> None:
    """Let a person change one document."""
    found = store.read(where, kind, name)
    file = _draft(kind, store.written(found.body))
    before = file.read_bytes()
    _editor(file)
    if file.read_bytes() == before:
        file.unlink()
        click.echo("Nothing changed.", err=True)
        return
    try:
        edited = _one(file, kind, name)
        _write(store.home_of(where, edited) if kind.inner else where, edited, etag=found.etag)
    except failures.Failed as refusal:
        kept = f"your text is kept; mend it and run `plane apply -f {file}`"
        raise failures.Failed(refusal.message, code=refusal.code, details=(*refusal.details, kept)) from refusal
    file.unlink()
    click.echo(f"{kind.noun}/{name} edited")


def show_one(where: session.Session, kind: kinds.Kind, name: str, *, output: str) -> None:
    """One document."""
    show.document(kind, store.read(where, kind, name).body, output=output)


def create(where: session.Session, kind: kinds.Kind, name: str, parts: Json, *, output: str) -> None:
    """Create a document from flags and say so."""
    kinds.path(kind, where, name)
    body = {"apiVersion": kinds.API_VERSION, "kind": kind.name, "metadata": {"name": name}, **parts}
    made = store.write(where, kind, body, etag="").body
    if output == "table":
        click.echo(f"{kind.noun}/{name} created")
    else:
        show.document(kind, made, output=output)


def remove(where: session.Session, kind: kinds.Kind, name: str, *, absent_is_fine: bool = False, **params: str) -> bool:
    """Delete one document and say so; True when it is only on its way, as an app is until its objects are gone."""
    try:
        reply = store.remove(where, kind, name, params)
    except failures.Refused as refusal:
        if refusal.code == failures.NOT_FOUND and absent_is_fine:
            click.echo(f"{kind.noun}/{name} absent")
            return False
        raise
    click.echo(f"{kind.noun}/{name} {'deleting' if reply.status == _ACCEPTED else 'deleted'}")
    return reply.status == _ACCEPTED


def _until_gone(where: session.Session, name: str, *, seconds: float) -> None:
    try:
        for _ in news.looks(where, name, seconds=seconds):
            pass
    except failures.Refused as refusal:
        if refusal.code != failures.NOT_FOUND:
            raise
    else:
        raise failures.Failed(
            f"app/{name} is still being deleted, so what it needs stays; see `plane app explain {name}`, then run this again"
        )


def _write(where: session.Session, each: manifests.Manifest, *, etag: str) -> None:
    try:
        store.write(where, each.kind, store.written(each.body), etag=etag)
    except failures.Refused as refusal:
        raise apply.located(each, refusal) from refusal


def _draft(kind: kinds.Kind, body: Json) -> pathlib.Path:
    handle, name = tempfile.mkstemp(prefix=f"plane-{kind.noun}-", suffix=".yaml")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(yaml_text.dump(body))
    return pathlib.Path(name)


def _editor(file: pathlib.Path) -> None:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        subprocess.run([*shlex.split(chosen), str(file)], check=True)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise failures.WrongUse(f"the editor {chosen!r} failed ({error}); set EDITOR to one that works. Your text is in {file}") from error


def _one(file: pathlib.Path, kind: kinds.Kind, name: str) -> manifests.Manifest:
    found = manifests.read([str(file)])
    if len(found) != 1 or found[0].kind is not kind or found[0].name != name:
        raise failures.WrongUse(f"{file}: an edit keeps one document, its kind and its name; make others with `plane apply`")
    return found[0]
