"""`plane user`, `plane token`, `plane me`: who may ask, and with what. Without a tenant (`-T -`): the platform's own people."""

import pathlib

import click

from plane import groups
from plane.cli import client, kinds, nouns, private, session, show
from plane.domain.granting import roles

user = nouns.group(kinds.USER, "Users and services of a tenant, and their roles.")

_USERS = (
    kinds.Column("NAME", "name"),
    kinds.Column("TYPE", "kind"),
    kinds.Column("ROLES", "roles", "roles"),
    kinds.Column("STATE", "state"),
    kinds.Column("AGE", "createdAt", "age"),
)
_TOKENS = (
    kinds.Column("ID", "id"),
    kinds.Column("NAME", "name"),
    kinds.Column("BEGINS", "prefix"),
    kinds.Column("EXPIRES", "expiresAt"),
    kinds.Column("REVOKED", "revokedAt"),
    kinds.Column("USED", "usedAt", "age"),
    kinds.Column("SCOPES", "scopes", "words"),
    kinds.Column("NETWORKS", "networks", "words"),
    kinds.Column("AGE", "createdAt", "age"),
)


def _built_in(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    return [name for name in roles.BUILT_IN if name.startswith(begun)]


_role = click.argument("role", shell_complete=_built_in)
_only_in = click.option("--only-in", default="", metavar="PROJECT", help="Grant the role in this project only.")


@click.command()
@show.option("table", "json", "yaml")
@session.placed
def me(where: session.Session, *, output: str) -> None:
    """Show who you are and which roles you hold."""
    found = where.api.get("/me").body
    if not show.body(found, output=output):
        show.facts(
            [
                ("name", found["name"]),
                ("type", found["kind"]),
                ("plane", where.context.url),
                *(("role", show.held(role)) for role in found["roles"]),
            ]
        )


@user.command("list")
@show.option("table", "json", "yaml")
@session.placed
def list_users(where: session.Session, *, output: str) -> None:
    """List users with their roles."""
    items = list(where.api.items(_users(where)))
    shown = [{**item, "state": "disabled" if item["disabled"] else "active"} for item in items]
    if not show.body({"items": items}, output=output):
        show.listing(_USERS, shown, nothing="Nobody here; make somebody with `plane user create NAME`.")


@user.command("create")
@click.argument("name")
@click.option("--service", is_flag=True, help="A service account, not a person.")
@click.option("--role", shell_complete=_built_in, help="Also grant this role.")
@_only_in
@session.placed
def create(where: session.Session, *, name: str, service: bool, role: str | None, only_in: str) -> None:
    """Create a user; `plane token create NAME` then lets them log in."""
    where.api.call("POST", _users(where), body={"name": name, "kind": "service" if service else "user"})
    click.echo(f"user/{name} created")
    if role:
        _grant(where, name, role, only_in)


@user.command("grant")
@click.argument("name")
@_role
@_only_in
@session.placed
def grant(where: session.Session, *, name: str, role: str, only_in: str) -> None:
    """Grant a role in the tenant, or in one of its projects."""
    _grant(where, name, role, only_in)


@user.command("ungrant")
@click.argument("name")
@_role
@_only_in
@session.placed
def ungrant(where: session.Session, *, name: str, role: str, only_in: str) -> None:
    """Take a role away at once; roles from a RoleBinding are removed there."""
    taken = where.api.call("DELETE", f"{_one(where, name)}/roles", params={"role": role, "project": only_in}).body
    still = f" by hand; still by rolebinding {', '.join(taken['bindings'])}" if taken.get("bindings") else ""
    click.echo(f"user/{name} is no longer {show.held({'role': role, 'project': only_in})}{still}")


@user.command("disable")
@click.argument("name")
@session.placed
def disable(where: session.Session, *, name: str) -> None:
    """Disable a user at once; the audit log keeps the name."""
    where.api.call("POST", f"{_one(where, name)}/disable")
    click.echo(f"user/{name} disabled")


@user.command("enable")
@click.argument("name")
@session.placed
def enable(where: session.Session, *, name: str) -> None:
    """Enable a user again, with the roles they had."""
    where.api.call("POST", f"{_one(where, name)}/enable")
    click.echo(f"user/{name} enabled")


_token_file = click.option("--token-file", metavar="FILE", help="Write it to this new file (0600) instead of printing it.")


@click.group(cls=groups.Group)
def token() -> None:
    """API tokens of users and services."""


@token.command("list")
@click.argument("user_name", metavar="USER")
@show.option("table", "json", "yaml")
@session.placed
def list_tokens(where: session.Session, *, user_name: str, output: str) -> None:
    """List a user's tokens; their secrets are shown only when they are created."""
    items = list(where.api.items(f"{_one(where, user_name)}/tokens"))
    if not show.body({"items": items}, output=output):
        show.listing(_TOKENS, items, nothing=f"user/{user_name} has no token; make one with `plane token create {user_name}`.")


@token.command("create")
@click.argument("user_name", metavar="USER")
@click.option("--name", default="cli", show_default=True, help="Name of the token.")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="Days until it expires.")
@click.option(
    "--scope", "scopes", multiple=True, metavar="PERMISSION", help="Limit the token to this permission, such as app:sync; repeatable."
)
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="Limit the token to this network; repeatable.")
@_token_file
@session.placed
def create_token(where: session.Session, *, user_name: str, token_file: str | None, **wish: object) -> None:
    """Create a token for a user and print it, once."""
    private.check_new(token_file)
    _hand_over(user_name, where.api.call("POST", f"{_one(where, user_name)}/tokens", body=wish).body, token_file)


@token.command("rotate")
@click.argument("user_name", metavar="USER")
@click.argument("token_id", metavar="ID")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="Days until the new one expires.")
@click.option("--overlap-hours", type=click.IntRange(0, 168), default=24, show_default=True, help="Hours until the old one ends.")
@_token_file
@session.placed
def rotate_token(where: session.Session, *, user_name: str, token_id: str, days: int, overlap_hours: int, token_file: str | None) -> None:
    """Replace a token and print the new one; the old one ends after the overlap."""
    private.check_new(token_file)
    wish = {"days": days, "overlapHours": overlap_hours}
    _hand_over(user_name, where.api.call("POST", f"{_one(where, user_name)}/tokens/{token_id}/rotate", body=wish).body, token_file)


def _hand_over(user_name: str, made: client.Json, token_file: str | None) -> None:
    if token_file:
        private.keep(pathlib.Path(token_file), made["token"])
    else:
        click.echo(made["token"])
    click.echo(
        f"token {made['name']!r} of user/{user_name} is valid until {made['expiresAt']}{f'; it is in {token_file}' if token_file else ''}",
        err=True,
    )


@token.command("revoke")
@click.argument("user_name", metavar="USER")
@click.argument("token_id", metavar="ID")
@session.placed
def revoke(where: session.Session, *, user_name: str, token_id: str) -> None:
    """Revoke a token at once."""
    where.api.call("DELETE", f"{_one(where, user_name)}/tokens/{token_id}")
    click.echo(f"token {token_id} of user/{user_name} revoked")


def _users(where: session.Session) -> str:
    return f"/tenants/{where.context.tenant}/people" if where.context.tenant else "/people"


def _one(where: session.Session, name: str) -> str:
    return f"{_users(where)}/{kinds.checked('user', name)}"


def _grant(where: session.Session, name: str, role: str, only_in: str) -> None:
    where.api.call("POST", f"{_one(where, name)}/roles", body={"role": role, "project": only_in})
    click.echo(f"user/{name} is now {show.held({'role': role, 'project': only_in})}")
