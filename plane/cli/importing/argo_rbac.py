"""`plane import argocd-rbac`: Argo CD's access policy as Roles and RoleBindings, and what has no equivalent."""

import click
import msgspec

from plane.cli import table
from plane.cli.importing import rbac
from plane.cli.trying import trial_access, trial_files
from plane.domain.granting import argo_policy
from plane.domain.reading import yaml_text
from plane.wire import documents


@click.command("argocd-rbac")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="FILE…")
@click.option("--tenant", default="", help="Tenant of the roles.")
@click.option("--user", "users", multiple=True, help="A subject that is a user; all others are groups. Repeatable.")
@trial_files.output_option("table", "json", "yaml")
def command(files: tuple[str, ...], tenant: str, users: tuple[str, ...], output: str) -> None:
    """Convert policy.csv to Roles and RoleBindings, and list what has no equivalent.

    FILEs are policy.csv, the ConfigMap argocd-rbac-cm, and AppProjects for the roles of projects. Nothing is written: `-o yaml` prints
    documents for `plane apply -f -`, and the notes to standard error.
    """
    with trial_files.refusals():
        made = rbac.Import(policy(files), tenant=tenant, users=frozenset(users)).made()
    found: list[documents.Role | documents.RoleBinding] = [*made.roles, *made.bindings]
    if output == "json":
        trial_files.as_json({"documents": [_body(one) for one in found], "notes": made.notes})
        return
    if output == "yaml":
        click.echo("---\n".join(yaml_text.dump(_body(one)) for one in found), nl=False)
    else:
        table.show(["KIND", "NAME", "PLACE", "GIVES", "TO"], [_row(one) for one in found])
    for note in made.notes:
        click.echo(str(note), err=output == "yaml")


def policy(files: tuple[str, ...]) -> argo_policy.Policy:
    """The lines of the files alone, without what Argo CD has built in; those of projects behind the others."""
    found = trial_access.written(files)
    for one in found.projects.values():
        found = found.plus(one)
    return found


def _row(one: documents.Role | documents.RoleBinding) -> list[str]:
    if isinstance(one, documents.Role):
        return ["Role", one.metadata.name, "", ", ".join(one.spec.permissions), ""]
    spec = one.spec
    place = "/".join(part for part in (spec.project, spec.app) if part) or "the tenant"
    return ["RoleBinding", one.metadata.name, place, spec.role, ", ".join(f"{each.kind} {each.name}" for each in spec.subjects)]


def _body(one: documents.Role | documents.RoleBinding) -> dict[str, object]:
    """Without what says nothing."""
    whole = msgspec.to_builtins(one)
    spec = {field: value for field, value in whole["spec"].items() if value}
    if isinstance(one, documents.RoleBinding):
        spec["subjects"] = [{"kind": each.kind, "name": each.name} for each in one.spec.subjects]
    return {"apiVersion": whole["apiVersion"], "kind": whole["kind"], "metadata": whole["metadata"], "spec": spec}
