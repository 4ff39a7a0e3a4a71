"""`plane app|project hold` and `unhold`: stopping syncs for now."""

import datetime as dt

import click

from plane.cli import kinds, nouns, session, times


def commands(kind: kinds.Kind, whose: str) -> tuple[click.Command, click.Command]:
    """Both, for a kind that can be held; `whose` syncs they are about."""
    return _hold(kind, whose), _unhold(kind, whose)


def _hold(kind: kinds.Kind, whose: str) -> click.Command:
    @click.command("hold", help=f"Hold {whose}: no syncs, manual ones included, and no self-heal.")
    @nouns.named(kind)
    @click.option("--reason", required=True, help="Why; shown to everybody whose sync it stops.")
    @click.option("--owner", default="", help="Whom to ask about it; default: you.")
    @click.option("--until", default="", metavar="TIME", help="When it ends: a time, or a duration such as 2h; default: never.")
    @session.placed
    def command(where: session.Session, *, name: str, reason: str, owner: str, until: str) -> None:
        body = {"reason": reason, "owner": owner, "until": times.ahead(until, now=dt.datetime.now(dt.UTC)) if until else ""}
        found = where.api.call("PUT", f"{kinds.path(kind, where, name)}/hold", body=body).body
        end = found["status"]["hold"].get("until") or f"`plane {kind.noun} unhold {name}`"
        click.echo(f"{kind.noun}/{name} held until {end}")

    return command


def _unhold(kind: kinds.Kind, whose: str) -> click.Command:
    @click.command("unhold", help=f"Lift the hold of {whose}.")
    @nouns.named(kind)
    @session.placed
    def command(where: session.Session, *, name: str) -> None:
        where.api.call("DELETE", f"{kinds.path(kind, where, name)}/hold")
        click.echo(f"{kind.noun}/{name} released")

    return command
