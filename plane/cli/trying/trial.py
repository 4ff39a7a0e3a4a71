"""`plane try STEP`: one step of the flow on local files; contacts nothing."""

import click

from plane import groups

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


@click.group(cls=groups.Lazy, name="try", sections={"Steps": STEPS})
def group() -> None:
    """Run one step of the flow on local files.

    It contacts nothing; `-` is standard input.
    """
