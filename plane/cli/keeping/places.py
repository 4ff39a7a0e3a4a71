"""`plane tenant`, `plane project`: where everything else lives."""

import click

from plane.cli import failures, get, kinds, nouns, session, show, store
from plane.cli.keeping import offboarding
from plane.cli.running import holds

tenant = nouns.group(kinds.TENANT, "Tenants, isolated from each other, and their quotas.")
project = nouns.group(kinds.PROJECT, "Projects: what a group of a tenant's apps may use.")

tenant.add_command(offboarding.command)

_QUOTAS = (kinds.Column("QUOTA", "quota"), kinds.Column("USED", "used"), kinds.Column("LIMIT", "limit"))


@tenant.command("get")
@nouns.named(kinds.TENANT)
@show.option()
@session.placed
def get_tenant(where: session.Session, *, name: str, output: str) -> None:
    """Show one tenant, with its use of each quota."""
    found = store.read(where, kinds.TENANT, name).body
    show.document(kinds.TENANT, found, output=output)
    if output in ("table", "wide"):
        click.echo()
        show.listing(_QUOTAS, found["status"].get("quotas", ()), nothing="")


for order in holds.commands(kinds.PROJECT, "a project's apps"):
    project.add_command(order)

_ORPHANS = (
    kinds.Column("CLUSTER", "cluster"),
    kinds.Column("NAMESPACE", "namespace"),
    kinds.Column("GROUP", "group"),
    kinds.Column("KIND", "kind"),
    kinds.Column("NAME", "name"),
    kinds.Column("AGE", "created", "age"),
)


@project.command("orphans")
@nouns.named(kinds.PROJECT)
@show.option("table", "json", "yaml")
@session.placed
def orphans(where: session.Session, *, name: str, output: str) -> None:
    """List orphaned objects: those in the namespaces of the project's apps that belong to no app."""
    found = where.api.get(f"{kinds.path(kinds.PROJECT, where, name)}/orphans").body
    if not show.body(found, output=output):
        everywhere = "Every object belongs to an app, or is left out by spec.orphanedResources.ignore."
        nothing = "No orphaned object was found where one could look." if found["warnings"] else everywhere
        show.listing(_ORPHANS, found["items"], nothing=nothing)
        for sentence in found["warnings"]:
            click.echo(failures.visible(f"Warning: {sentence}"), err=True)


_description = click.option("--description", default="", help="One line of description.")


@tenant.command("create")
@click.argument("name")
@_description
@show.option("table", "json", "yaml", "name")
@session.placed
def create_tenant(where: session.Session, *, name: str, description: str, output: str) -> None:
    """Create a tenant."""
    get.create(where, kinds.TENANT, name, {"spec": {"description": description}}, output=output)


@project.command("create")
@click.argument("name")
@_description
@click.option(
    "--source-repo",
    "repos",
    multiple=True,
    metavar="GLOB",
    help="Repositories (globs) its apps may use; default: all of the project's. Repeatable.",
)
@click.option(
    "--destination",
    "places",
    multiple=True,
    metavar="CLUSTER/NAMESPACE",
    help="Destinations (globs) of its apps; default: everything granted to the tenant. Repeatable.",
)
@show.option("table", "json", "yaml", "name")
@session.placed
def create_project(
    where: session.Session, *, name: str, description: str, repos: tuple[str, ...], places: tuple[str, ...], output: str
) -> None:
    """Create a project."""
    pairs = [place.partition("/") for place in places]
    destinations = [{"cluster": cluster, "namespace": namespace or "*"} for cluster, _, namespace in pairs]
    spec = {"description": description, "sourceRepos": list(repos), "destinations": destinations}
    get.create(where, kinds.PROJECT, name, {"spec": spec}, output=output)
