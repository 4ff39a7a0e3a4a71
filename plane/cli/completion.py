"""Shell completion: the script that switches it on, and names asked from the plane."""

import contextlib
from collections.abc import Callable

import click
from click import shell_completion

from plane.cli import contexts, failures, kinds, session, store

Completer = Callable[[click.Context, click.Parameter, str], list[str]]
MOST = 200  # more than anybody reads


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    r"""Print the completion script for your shell.

    \b
    bash:  plane completion bash > ~/.local/share/bash-completion/completions/plane
    zsh:   plane completion zsh > "${fpath[1]}/_plane"
    fish:  plane completion fish > ~/.config/fish/completions/plane.fish
    """
    kind = shell_completion.get_completion_class(shell)
    root = ctx.find_root()
    if kind is None:
        raise failures.WrongUse(f"no completion is known for {shell}")
    click.echo(kind(root.command, {}, "plane", "_PLANE_COMPLETE").source())


def names(kind: kinds.Kind) -> Completer:
    """Completes to the names of what there is; to nothing when the plane does not say."""

    def complete(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
        given = ctx.params
        with contextlib.suppress(failures.Failed), contextlib.ExitStack() as stack:
            chosen = contexts.choose(contexts.load(contexts.path()), name=given.get("context") or "")
            place = session.within(chosen, tenant=given.get("tenant") or "", project=given.get("project") or "")
            where = session.Session(lambda: place, lambda: session.connect(chosen, stack))
            found = store.several(where, kind, limit=MOST, labels="")
            return [name for name in (str(kinds.dig(each, "metadata.name")) for each in found) if name.startswith(begun)]
        return []

    return complete
