"""`plane NOUN list|get|delete|edit`: the verbs every kind of document has, made once."""

import click

from plane import groups
from plane.cli import completion, get, kinds, session, show, store


def group(kind: kinds.Kind, doc: str) -> click.Group:
    """A group named for the kind, with the verbs all kinds have."""
    made = groups.Group(kind.noun, help=doc)
    for command in (_list(kind), _get(kind), _delete(kind), _edit(kind)):
        made.add_command(command)
    return made


def named(kind: kinds.Kind) -> session.Decorator:
    """A NAME argument that completes to the names there are."""
    return click.argument("name", shell_complete=completion.names(kind))


def _list(kind: kinds.Kind) -> click.Command:
    @click.command("list", help=f"List {kind.collection}.")
    @get.selection
    @show.option()
    @session.placed
    def command(where: session.Session, *, limit: int, labels: str, output: str) -> None:
        show.documents(kind, store.several(where, kind, limit=limit, labels=labels), output=output)

    return command


def _get(kind: kinds.Kind) -> click.Command:
    @click.command("get", help=f"Show one {kind.noun}.")
    @named(kind)
    @show.option()
    @session.placed
    def command(where: session.Session, *, name: str, output: str) -> None:
        get.show_one(where, kind, name, output=output)

    return command


def _delete(kind: kinds.Kind) -> click.Command:
    @click.command("delete", help=f"Delete one {kind.noun}.")
    @named(kind)
    @session.placed
    def command(where: session.Session, *, name: str) -> None:
        get.remove(where, kind, name)

    return command


def _edit(kind: kinds.Kind) -> click.Command:
    @click.command("edit", help=f"Edit one {kind.noun} in your editor.")
    @named(kind)
    @session.placed
    def command(where: session.Session, *, name: str) -> None:
        get.change(where, kind, name)

    return command
