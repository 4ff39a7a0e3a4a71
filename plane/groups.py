"""Groups of commands: help that shows whole sentences, and sub-commands that are imported when they are asked for."""

import importlib
from collections.abc import Mapping
from typing import Any

import click
from click import shell_completion

WHOLE = 1000  # characters of a summary; click's own limit cuts sentences at the end of the line

Entries = Mapping[str, tuple[str, str]]  # name → `module:attribute` of the click command, and its line in the group's help


class Group(click.Group):
    """Its help gives the first sentence of each command in full."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and first sentences, wrapped."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(WHOLE)) for name, command in found if command and not command.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Lazy(click.Group):
    """Imports only the command that is asked for: help is fast, and an agent's install needs nothing of the server's.

    `sections`: heading → commands, in the order of the group's help.
    """

    def __init__(self, *words: Any, sections: Mapping[str, Entries], **settings: Any) -> None:  # noqa: ANN401 click's own
        super().__init__(*words, **settings)
        self.sections = sections
        self.entries = {name: entry for entries in sections.values() for name, entry in entries.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's own signature
        """Sorted names."""
        return sorted(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's own signature
        """Import it."""
        if cmd_name not in self.entries:
            return None
        module, attribute = self.entries[cmd_name][0].split(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest names for a word that is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as unknown:
            raise click.NoSuchCommand(unknown.command_name, possibilities=self.entries, ctx=ctx) from unknown

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 click's own signature
        """Names and what they do, section by section, importing none."""
        width = max(map(len, self.entries))
        for heading, entries in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), summary) for name, (_, summary) in entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[shell_completion.CompletionItem]:
        """Names and what they do, importing none; options as of any command."""
        known = sorted((name, summary) for name, (_, summary) in self.entries.items() if name.startswith(incomplete))
        options = click.Command.shell_complete(self, ctx, incomplete)  # past click.Group, which would import every command
        return [*(shell_completion.CompletionItem(name, help=summary) for name, summary in known), *options]
