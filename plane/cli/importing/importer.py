"""`plane import KIND`: other tools' settings as the plane's documents."""

import click

from plane import groups

KINDS = {
    "argocd-rbac": ("plane.cli.importing.argo_rbac:command", "Argo CD's access policy, as Roles and RoleBindings."),
    "argocd-project": ("plane.cli.importing.argo_project:command", "Argo CD's AppProjects, as Projects."),
}


@click.group(cls=groups.Lazy, name="import", sections={"Kinds": KINDS})
def group() -> None:
    """Convert another tool's settings to the plane's documents.

    It prints a plan and contacts nothing; `-o yaml` prints documents for `plane apply -f -`.
    """
