"""`plane session`: who is logged in in a browser. Without a user: oneself."""

import click

from plane import groups
from plane.cli import kinds, session, show

_SESSIONS = (
    kinds.Column("ID", "id"),
    kinds.Column("NAME", "name"),
    kinds.Column("FROM", "address"),
    kinds.Column("BROWSER", "browser"),
    kinds.Column("EXPIRES", "expiresAt"),
    kinds.Column("USED", "usedAt", "age"),
    kinds.Column("AGE", "createdAt", "age"),
)
_user = click.option("--user", "user_name", default="", metavar="NAME", help="Of this user; default: your own.")


@click.group("session", cls=groups.Group)
def sessions() -> None:
    """Browser sessions."""


@sessions.command("list")
@_user
@show.option("table", "json", "yaml")
@session.placed
def list_sessions(where: session.Session, *, user_name: str, output: str) -> None:
    """List open sessions."""
    items = list(where.api.items(_place(where, user_name)))
    if not show.body({"items": items}, output=output):
        show.listing(_SESSIONS, items, nothing="No browser is logged in.")


@sessions.command("end")
@_user
@click.argument("session_id", metavar="ID")
@session.placed
def end(where: session.Session, *, user_name: str, session_id: str) -> None:
    """End a session at once."""
    where.api.call("DELETE", f"{_place(where, user_name)}/{session_id}")
    click.echo(f"session {session_id} ended")


def _place(where: session.Session, user_name: str) -> str:
    if not user_name:
        return "/sessions"
    above = f"/tenants/{where.context.tenant}" if where.context.tenant else ""
    return f"{above}/people/{kinds.checked('user', user_name)}/sessions"
