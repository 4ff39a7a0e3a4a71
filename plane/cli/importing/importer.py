"""`plane import KIND`: names the kinds and imports only the one asked for."""

import importlib

import click

KINDS = {
    "argocd-rbac": ("plane.cli.importing.argo_rbac:command", "Argo CD's access policy, as Roles and RoleBindings."),
    "argocd-project": ("plane.cli.importing.argo_project:command", "Argo CD's AppProjects, as Projects."),
}


class Kinds(click.Group):
    """A group that finds its commands in KINDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's own signature
        """Sorted names."""
        return sorted(KINDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's own signature
        """Import it."""
        if cmd_name not in KINDS:
            return None
        module, attribute = KINDS[cmd_name][0].split(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and what they do, importing none."""
        with formatter.section("Kinds"):
            formatter.write_dl([(name, KINDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=Kinds, name="import")
def group() -> None:
    """Another tool's documents as the plane's own.

    It prints a plan and contacts nothing; `-o yaml` prints documents for `plane apply -f -`.
    """
