"""`plane try STEP`: one step of the flow on local files; contacts nothing. Names the steps and imports only the one asked for."""

import importlib

import click

STEPS = {
    "access": ("plane.cli.trying.trial_access:command", "What bindings, or Argo CD's policy.csv, let somebody do."),
    "actions": ("plane.cli.trying.trial_actions:command", "What can be done to live objects."),
    "diff": ("plane.cli.trying.trial_diff:command", "What an apply would change in live objects."),
    "health": ("plane.cli.trying.trial_health:command", "How live objects are."),
    "plan": ("plane.cli.trying.trial_plan:command", "What an agent would do, in order."),
    "policy": ("plane.cli.trying.trial_policy:command", "What policies say about manifests."),
    "project": ("plane.cli.trying.trial_project:command", "Whether a project permits an app."),
    "render": ("plane.cli.trying.trial_render:command", "The objects that a folder or an App makes."),
    "trust": ("plane.cli.trying.trial_trust:command", "Whether a trust rule lets a CI job's token in, and which claim does not fit."),
    "windows": ("plane.cli.trying.trial_windows:command", "Whether an app may sync at a moment."),
}


class Steps(click.Group):
    """A group that finds its commands in STEPS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's own signature
        """Sorted names."""
        return sorted(STEPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's own signature
        """Import it."""
        if cmd_name not in STEPS:
            return None
        module, attribute = STEPS[cmd_name][0].split(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and what they do, importing none."""
        with formatter.section("Steps"):
            formatter.write_dl([(name, STEPS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=Steps, name="try")
def group() -> None:
    """One step of the flow on local files.

    It contacts nothing; `-` is standard input.
    """
