"""`plane waiver`: exceptions from policies, asked for by one person and approved by another."""

import datetime as dt
from typing import Any

import click

from plane.cli import failures, get, kinds, nouns, session, show, times

waiver = nouns.group(kinds.WAIVER, "Waivers: time-limited exceptions from policy rules for some of a project's objects.")


@waiver.command("create")
@click.argument("name")
@click.option("--rule", required=True, metavar="SET/RULE", help="Rule as `plane app explain` names it: house/W01, platform/house/I02.")
@click.option("--reason", required=True, help="Why; shown to the approver.")
@click.option("--until", required=True, metavar="TIME", help="When it ends: a time, or a duration such as 30d.")
@click.option("--ticket", default="", help="Ticket that tracks it.")
@click.option("--break-glass", "breakGlass", is_flag=True, help="Take effect at once, for at most four hours; reviewed afterwards.")
@click.option("--app", "apps", multiple=True, metavar="GLOB", help="Only in these apps; repeatable, as are the next three.")
@click.option("--kind", "kinds", multiple=True, help="Only objects of this kind, as apps/Deployment.")
@click.option("--object", "names", multiple=True, metavar="GLOB", help="Only objects with these names.")
@click.option("--image", "images", multiple=True, help="Only objects all of whose containers run these images.")
@show.option("table", "json", "yaml", "name")
@session.placed
def create(where: session.Session, *, name: str, rule: str, until: str, output: str, **said: Any) -> None:  # noqa: ANN401 - fields of spec
    """Request a waiver; it takes effect once somebody else has approved it."""
    policy, _, of = rule.rpartition("/")
    if not policy:
        raise failures.WrongUse(f"--rule {rule!r} names no policy set; write SET/RULE, as `plane app explain` does: house/W01")
    spec = {"policy": policy, "rule": of, "expiresAt": times.ahead(until, now=dt.datetime.now(dt.UTC))}
    get.create(where, kinds.WAIVER, name, {"spec": spec | {field: value for field, value in said.items() if value}}, output=output)


@waiver.command("approve")
@nouns.named(kinds.WAIVER)
@session.placed
def approve(where: session.Session, *, name: str) -> None:
    """Approve a waiver that somebody else requested."""
    found = where.api.call("POST", f"{kinds.path(kinds.WAIVER, where, name)}/approve").body
    click.echo(f"waiver/{name} in force until {found['spec']['expiresAt']}")


@waiver.command("revoke")
@nouns.named(kinds.WAIVER)
@session.placed
def revoke(where: session.Session, *, name: str) -> None:
    """Revoke a waiver now."""
    where.api.call("POST", f"{kinds.path(kinds.WAIVER, where, name)}/revoke")
    click.echo(f"waiver/{name} revoked")
