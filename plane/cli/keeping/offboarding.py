"""`plane tenant offboard`: what goes with a tenant, shown first; then removed, apps and their objects before all else."""

from collections.abc import Iterator

import click

from plane.cli import client, failures, get, kinds, nouns, session, show, store

IN_PROJECT = (kinds.APP, kinds.REPOSITORY, kinds.CREDENTIAL)  # in the order in which they can go
IN_TENANT = (
    kinds.CLUSTER,
    kinds.POLICY_SET,
    kinds.HEALTH_CHECK,
    kinds.SINK,
    kinds.IDENTITY_PROVIDER,
    kinds.WORKLOAD_TRUST,
    kinds.ROLE_BINDING,
    kinds.USER,
)
COLUMNS = (
    kinds.Column("KIND", "kind"),
    kinds.Column("PROJECT", "metadata.project"),
    kinds.Column("NAME", "metadata.name"),
    kinds.Column("ON", "spec.destination.cluster"),
    kinds.Column("NAMESPACE", "spec.destination.namespace"),
)


@click.command("offboard")
@nouns.named(kinds.TENANT)
@click.option("--yes", is_flag=True, help="Delete it all.")
@click.option("--keep-objects", is_flag=True, help="Leave the apps' objects in the clusters.")
@show.option("table", "json", "yaml")
@session.placed
def command(where: session.Session, *, name: str, yes: bool, keep_objects: bool, output: str) -> None:
    """Show everything that belongs to tenant NAME; with --yes, delete it.

    Apps go first, and their objects with them, which the clusters' agents do: while any are going, the rest stays, and the same command
    goes on later. The audit log stays.
    """
    found = list(_all(where, name))
    if not yes:
        if not show.body({"items": found}, output=output):
            show.listing(COLUMNS, found, nothing=f"Tenant {name} is empty.")
            click.echo(f"{len(found)} documents go with tenant/{name}; run it again with --yes to remove them", err=True)
        return
    apps = [one for one in found if one["kind"] == kinds.APP.name]
    for one in apps:
        if not one.get("status", {}).get("deleting"):
            get.remove(_place(where, name, one), kinds.APP, one["metadata"]["name"], cascade="false" if keep_objects else "true")
    if apps:
        raise failures.Failed(f"{len(apps)} apps of tenant {name} are going; run the same command again to go on", code=failures.DIFFERS)
    for one in found:
        get.remove(_place(where, name, one), kinds.find(one["kind"].lower()), one["metadata"]["name"], absent_is_fine=True)
    get.remove(where, kinds.TENANT, name)


def _all(where: session.Session, tenant: str) -> Iterator[client.Json]:
    """Every document, those first that others need no more."""
    projects = list(store.several(where.within(tenant, ""), kinds.PROJECT, limit=0, labels=""))
    for kind in IN_PROJECT:
        for project in projects:
            yield from store.several(where.within(tenant, project["metadata"]["name"]), kind, limit=0, labels="")
    for kind in IN_TENANT:
        listed = store.several(where.within(tenant, ""), kind, limit=0, labels="")
        yield from (one for one in listed if kind is not kinds.CLUSTER or one["metadata"].get("tenant"))  # the platform's stay
    yield from projects


def _place(where: session.Session, tenant: str, one: client.Json) -> session.Session:
    return where.within(tenant, one["metadata"].get("project", ""))
