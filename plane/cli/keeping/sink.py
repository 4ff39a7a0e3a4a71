"""`plane sink`: where the audit log is sent."""

import click

from plane.cli import kinds, nouns, session

sink = nouns.group(kinds.SINK, "Where the audit log is sent; `-T -` for the platform's own. Create them with `plane apply`.")


@sink.command("replay")
@nouns.named(kinds.SINK)
@click.option(
    "--from", "position", type=click.IntRange(0), required=True, metavar="PLACE", help="Position of the first event to send again."
)
@session.placed
def replay(where: session.Session, *, name: str, position: int) -> None:
    """Send events again from a position on, including rejected ones."""
    where.api.call("POST", f"{_at(where)}/{name}/replay", body={"position": position})
    click.echo(f"sink/{name} goes on from {position}")


@sink.command("refused")
@nouns.named(kinds.SINK)
@session.placed
def refused(where: session.Session, *, name: str) -> None:
    """List events that the destination rejected, and why."""
    for one in where.api.get(f"{_at(where)}/{name}/refused").body["items"]:
        click.echo(f"{one['seq']}: {one['reason']}")


def _at(where: session.Session) -> str:
    return f"/tenants/{where.context.tenant}/sinks" if where.context.tenant else "/sinks"
