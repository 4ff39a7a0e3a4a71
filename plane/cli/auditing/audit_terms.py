"""`plane audit terms|erase`: how long events stay, and what is forgotten of people."""

import click

from plane.cli import session, show
from plane.cli.auditing import audit_places


@click.command("terms")
@click.option("--keep-days", type=click.IntRange(0), help="How long events stay: 0 for ever, otherwise at least 400.")
@click.option("--hold", help="Why nothing may leave or be erased for now; an empty text lifts the hold.")
@show.option("table", "json", "yaml")
@session.placed
def terms(where: session.Session, *, keep_days: int | None, hold: str | None, output: str) -> None:
    """Show or change how long events are kept."""
    place = f"{audit_places.at(where)}/terms"
    found = where.api.get(place).body
    wanted = {"keepDays": keep_days, "hold": hold}
    if any(value is not None for value in wanted.values()):
        wish = {name: found[name] if value is None else value for name, value in wanted.items()}
        found = where.api.call("PUT", place, body=wish).body
    if not show.body(found, output=output):
        days = found["keepDays"]
        show.facts([("events stay", f"{days} days" if days else "for ever"), ("hold", found["hold"])])


@click.command("erase")
@click.argument("name", required=False)
@click.option(
    "--author", "authors", multiple=True, metavar="NAME",
    help="As Git names who wrote or committed, a commit's key (SHA256:…), or a provider's name of somebody; may be repeated.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Ask nothing.")
@session.placed
def erase(where: session.Session, *, name: str | None, authors: tuple[str, ...], yes: bool) -> None:
    """Forget the name and addresses of a person or service in all their events, or who made commits; the proofs hold."""
    if not (name or authors):
        raise click.UsageError("say whom: NAME of a person or service, or --author NAME of commits")
    if not yes:
        click.confirm("Their names and addresses are gone for good from the record. Go on?", abort=True)
    if name:
        place = f"/tenants/{where.context.tenant}/people" if where.context.tenant else "/people"
        where.api.call("POST", f"{place}/{name}/erase")
        click.echo(f"person/{name} is forgotten in the record")
    if authors:
        found = where.api.call("POST", f"{audit_places.at(where)}/erase", body={"authors": list(authors)}).body
        click.echo(f"they are forgotten in {found['events']} events")
