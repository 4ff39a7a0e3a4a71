"""`plane auth`: who may do what, and why; break-glass roles."""

import functools
import sys

import click

from plane import groups
from plane.cli import failures, kinds, session, show, times

_ABLE = (
    kinds.Column("KIND", "kind"),
    kinds.Column("NAME", "name"),
    kinds.Column("ROLE", "role"),
    kinds.Column("NOW", "now", "flag"),
    kinds.Column("BECAUSE", "because"),
)
_WEIGHED = (kinds.Column("VERDICT", "verdict"), kinds.Column("BECAUSE", "because"))
_TAKEN = (
    kinds.Column("ROLEBINDING", "binding"),
    kinds.Column("ROLE", "role"),
    kinds.Column("PERSON", "person"),
    kinds.Column("TAKEN", "takenAt", "age"),
    kinds.Column("UNTIL", "until"),
    kinds.Column("ENDED", "endedAt"),
    kinds.Column("REASON", "reason"),
)
_APPROVALS = (
    kinds.Column("ID", "id"),
    kinds.Column("PERSON", "person"),
    kinds.Column("PERMISSION", "permission"),
    kinds.Column("ORDER", "order"),
    kinds.Column("ASKED", "askedAt", "age"),
    kinds.Column("APPROVED", "approvedAt"),
    kinds.Column("USED", "usedAt"),
)
_CHANGE = ("current", "new")
_as = click.option("--as", "who", default="", metavar="USER", help="Ask for somebody else; needs access:get.")


@click.group(cls=groups.Group)
def auth() -> None:
    """Check permissions; break-glass roles; second approvals."""


def _wish(function: session.Command) -> session.Command:
    """VERB and RESOURCE; a resource of the kind app may name one: `app/web`."""
    return click.argument("verb")(click.argument("resource")(function))


@auth.command("can-i")
@_wish
@_as
@show.option("table", "json", "yaml")
@session.placed
def can_i(where: session.Session, *, verb: str, resource: str, who: str, output: str) -> None:
    """Say whether you may VERB the RESOURCE: exit 0 yes, 1 no.

    RESOURCE is a kind, such as app, or one app: app/web. Actions are `action:apps/Deployment/restart app/web`.
    """
    found = where.api.get(f"{_above(where)}/can-i", who=who, **_params(where, verb, resource)).body
    if not show.body(found, output=output):
        click.echo(f"{'yes' if found['allowed'] else 'no'}: {found['because']}")
    if not found["allowed"]:
        sys.exit(failures.DIFFERS)


@auth.command("explain")
@_wish
@_as
@show.option("table", "json", "yaml")
@session.placed
def explain(where: session.Session, *, verb: str, resource: str, who: str, output: str) -> None:
    """Explain a permission: every role that speaks for or against it, closest match first."""
    found = where.api.get(f"{_above(where)}/explain-access", who=who, **_params(where, verb, resource)).body
    if not show.body(found, output=output):
        click.echo(f"{'yes' if found['allowed'] else 'no'}: {found['because']}\n")
        show.listing(_WEIGHED, found["weighed"], nothing="No role is given at all.")


@auth.command("who-can")
@_wish
@show.option("table", "json", "yaml")
@session.placed
def who_can(where: session.Session, *, verb: str, resource: str, output: str) -> None:
    """List who may VERB the RESOURCE, now or under a condition."""
    items = list(where.api.get(f"{_above(where)}/who-can", **_params(where, verb, resource)).body["items"])
    if not show.body({"items": items}, output=output):
        show.listing(_ABLE, items, nothing="Nobody here.")


@auth.command("break-glass")
@click.argument("rolebinding")
@click.option("--reason", required=True, help="Why; recorded in the audit log.")
@click.option("--for", "span", default="1h", show_default=True, help="Duration, at most 4h.")
@session.placed
def break_glass(where: session.Session, *, rolebinding: str, reason: str, span: str) -> None:
    """Take the role of a break-glass RoleBinding that names you."""
    minutes = int(times.span(span).total_seconds() // 60)
    taken = where.api.call("POST", _glass(where, rolebinding), body={"reason": reason, "minutes": minutes}).body
    click.echo(f"you are {taken['role']} by rolebinding/{rolebinding} until {taken['until']}; give it back with `plane auth return-glass`")


@auth.command("return-glass")
@click.argument("rolebinding")
@session.placed
def return_glass(where: session.Session, *, rolebinding: str) -> None:
    """Give a break-glass role back before it ends."""
    where.api.call("DELETE", _glass(where, rolebinding))
    click.echo(f"rolebinding/{rolebinding} returned")


@auth.command("glass")
@show.option("table", "json", "yaml")
@session.placed
def glass(where: session.Session, *, output: str) -> None:
    """List who took which break-glass role, newest first."""
    items = list(where.api.get(f"{_above(where)}/glass").body["items"])
    if not show.body({"items": items}, output=output):
        show.listing(_TAKEN, items, nothing="Nobody took one.")


@auth.command("approvals")
@show.option("table", "json", "yaml")
@session.placed
def approvals(where: session.Session, *, output: str) -> None:
    """List requests that wait for a second person, newest first."""
    items = list(where.api.get(f"/tenants/{where.tenant()}/approvals").body["items"])
    if not show.body({"items": items}, output=output):
        show.listing(_APPROVALS, items, nothing="Nothing waits.")


@auth.command("approve")
@click.argument("approval", metavar="ID")
@session.placed
def approve(where: session.Session, *, approval: str) -> None:
    """Approve somebody else's request; they then repeat their command."""
    given = where.api.call("POST", f"/tenants/{where.tenant()}/approvals/{kinds.checked('approval', approval)}").body
    click.echo(f"{given['person']} may now do {given['order']}, once, until {given['expiresAt']}")


def _above(where: session.Session) -> str:
    return f"/tenants/{where.context.tenant}" if where.context.tenant else ""


def _glass(where: session.Session, name: str) -> str:
    return f"{_above(where)}/rolebindings/{kinds.checked('rolebinding', name)}/glass"


def _params(where: session.Session, verb: str, resource: str) -> dict[str, str]:
    """`app/web` names an app; any other resource is asked about here, in the project when one is in use."""
    kind, _, name = resource.partition("/")
    app = name if kind in ("app", "apps") else ""
    if app:
        return {"verb": verb, "resource": kind, "project": where.project(), "app": app}
    return {"verb": verb, "resource": resource, "project": where.context.project if where.context.tenant else ""}


@auth.command("password")
@session.placed
def password(where: session.Session) -> None:
    """Change your own password, as a local admin; not on a terminal: two lines on stdin."""
    ask = functools.partial(click.prompt, hide_input=True)
    typed = sys.stdin.isatty()
    said = (ask("Your password"), ask("The new one", confirmation_prompt=True)) if typed else tuple(sys.stdin.read().splitlines())
    if len(said) != len(_CHANGE):
        raise failures.WrongUse("two lines are expected on standard input: your password and the new one")
    ended = where.api.call("POST", "/me/password", body=dict(zip(_CHANGE, said, strict=True))).body["ended"]
    click.echo(f"changed; {ended} other log-ins with the one before ended")
