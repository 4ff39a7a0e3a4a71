"""`plane tenant`, `plane project`: where everything else lives."""

import click

from plane.cli import get, holds, kinds, nouns, session, show

tenant = nouns.group(kinds.TENANT, "Tenants: people and projects that see nothing of other tenants.")
project = nouns.group(kinds.PROJECT, "Projects: a tenant's apps that share rules.")

for order in holds.commands(kinds.PROJECT, "a project's apps"):
    project.add_command(order)

_description = click.option("--description", default="", help="A line for people.")


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
@click.option("--source-repo", "repos", multiple=True, metavar="GLOB", help="Repositories its apps may name; all of the project otherwise.")
@click.option(
    "--destination", "places", multiple=True, metavar="CLUSTER/NAMESPACE", help="Where its apps may go, globs; all granted otherwise."
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
