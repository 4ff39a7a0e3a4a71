"""`plane context`: the planes one talks to, as kubectl has them."""

import click
import msgspec

from plane import groups
from plane.cli import contexts, failures, kinds, show

_COLUMNS = (
    kinds.Column("CURRENT", "current"),
    kinds.Column("NAME", "name"),
    kinds.Column("URL", "url"),
    kinds.Column("TENANT", "tenant"),
    kinds.Column("PROJECT", "project"),
)


@click.group(cls=groups.Group)
def context() -> None:
    """Choose the plane, tenant and project to work in."""


@context.command("list")
@show.option("table", "json", "yaml", "name")
def list_(*, output: str) -> None:
    """List the contexts; tokens are never shown."""
    found = contexts.load(contexts.path())
    items = [{"current": "*" if each.name == found.current else "", **_shown(each)} for each in found.contexts]
    if output == "name":
        click.echo("".join(f"{each.name}\n" for each in found.contexts), nl=False)
    elif not show.body({"items": items}, output=output):
        show.listing(_COLUMNS, items, nothing="No contexts yet; make one with `plane login URL`.")


@context.command("show")
@click.argument("name", default="")
@show.option("table", "json", "yaml")
def show_(*, name: str, output: str) -> None:
    """Show one context; default: the current one."""
    found = contexts.load(contexts.path())
    chosen = _shown(found.find(name or _current(found)))
    if not show.body(chosen, output=output):
        show.facts(chosen.items())


@context.command("use")
@click.argument("name")
def use(*, name: str) -> None:
    """Make NAME the current context."""
    file = contexts.path()
    found = contexts.load(file)
    contexts.save(file, contexts.File(found.find(name).name, found.contexts))
    click.echo(f"Context {name!r} is current.")


@context.command("delete")
@click.argument("name")
def delete(*, name: str) -> None:
    """Remove the context NAME and its token; the token itself stays valid until it is revoked."""
    file = contexts.path()
    contexts.save(file, contexts.load(file).without(name))
    click.echo(f"Context {name!r} is forgotten; its token stays valid until `plane token revoke` or its end.")


@context.command("set")
@click.argument("name", default="")
@click.option("-T", "--tenant", help="Tenant to work in; empty for none.")
@click.option("-P", "--project", help="Project to work in; empty for none.")
@click.option("--ca", metavar="FILE", help="PEM file of certificate authorities to trust for the plane; default: the system's.")
def set_(*, name: str, tenant: str | None, project: str | None, ca: str | None) -> None:
    """Change a context's tenant, project or CA; default: the current one."""
    given = {"tenant": tenant, "project": project, "ca": ca}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise failures.WrongUse("nothing to change; give --tenant, --project or --ca")
    file = contexts.path()
    found = contexts.load(file)
    changed = msgspec.structs.replace(found.find(name or _current(found)), **changes)
    contexts.save(file, found.having(changed))
    click.echo(f"Context {changed.name!r} works in tenant {changed.tenant or '(none)'}, project {changed.project or '(none)'}.")


def _current(found: contexts.File) -> str:
    if not found.current:
        raise failures.WrongUse("there is no current context; choose one with `plane context use NAME`, or make one with `plane login URL`")
    return found.current


def _shown(each: contexts.Context) -> dict[str, str]:
    return {"name": each.name, "url": each.url, "ca": each.ca, "tenant": each.tenant, "project": each.project}
