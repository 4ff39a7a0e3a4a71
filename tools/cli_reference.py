"""Writes docs/cli.md from the commands themselves: `python tools/cli_reference.py`; with --check it only compares."""

import inspect
import pathlib
import sys
from collections.abc import Iterator

import click

from plane import __main__ as program
from plane.cli import failures

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "cli.md"
EVERYWHERE = {"help", "context", "tenant", "project"}  # said once, at the top

HEAD = """\
# The command line

*Written by `tools/cli_reference.py` from the commands themselves.*

`plane NOUN VERB` works on one kind of thing; `plane apply|get|delete|edit|diff` work on documents of any kind.

## Where a command works

`plane login URL` keeps an address and a token as a *context* in `~/.config/gitops-plane/config.yaml` (readable by you alone; `PLANE_CONFIG`
names another file). `plane context` shows, chooses and changes contexts. Every command that talks to a plane takes

| option | environment | meaning |
|---|---|---|
| `--context NAME` | | this context instead of the current one |
| `-T`, `--tenant` | `PLANE_TENANT` | tenant to work in; `-` for the platform itself |
| `-P`, `--project` | `PLANE_PROJECT` | project to work in |
| | `PLANE_URL` | address of the plane; then nothing of the current context is used |
| | `PLANE_TOKEN` | token, instead of the context's |
| | `PLANE_CA` | file of PEM certificates that the plane's own must come from |

`NO_COLOR` switches colours off; they are off anyway where the output is not a terminal. `-o json` prints what the API answered.

## Exit codes

| code | meaning |
|---|---|
"""


def page() -> str:
    """The whole page."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in failures.MEANINGS.items())
    return HEAD + codes + "".join(_sections(program.main, "plane"))


def _sections(command: click.Command, path: str) -> Iterator[str]:
    with click.Context(command, info_name=path) as ctx:
        if isinstance(command, click.Group):
            if path != "plane":
                yield f"\n## `{path}`\n\n{_text(command)}\n"
            for name in command.list_commands(ctx):
                found = command.get_command(ctx, name)
                if found and not found.hidden:
                    yield from _sections(found, f"{path} {name}")
        else:
            level = "##" if path.count(" ") == 1 else "###"
            yield f"\n{level} `{_usage(command, ctx, path)}`\n\n{_text(command)}\n{_options(command, ctx)}"


def _usage(command: click.Command, ctx: click.Context, path: str) -> str:
    arguments = [part for part in command.collect_usage_pieces(ctx) if part != "[OPTIONS]"]
    return " ".join([path, *arguments])


def _text(command: click.Command) -> str:
    """The help as written: one paragraph per paragraph, a block that click must not wrap as code."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(f"```\n{part[2:]}\n```" if part.startswith("\b\n") else part.replace("\n", " ") for part in paragraphs)


def _options(command: click.Command, ctx: click.Context) -> str:
    shown = [option for option in command.get_params(ctx) if isinstance(option, click.Option) and option.name not in EVERYWHERE]
    rows = [option.get_help_record(ctx) for option in shown if "--help" not in option.opts]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows if row]
    return "\n| option | |\n|---|---|\n" + "".join(f"| `{names}` | {text} |\n" for names, text in cells) if cells else ""


def main() -> int:
    """Write, or compare."""
    wanted = page()
    if "--check" not in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted
    if not same:
        print(f"{PAGE.name} is not what the commands say; run `python tools/cli_reference.py`")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
