"""Where the record lies and which part of it is meant, as all its commands are told."""

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

import click

from plane.cli import client, failures, kinds, session, times

Command = Callable[..., Any]
Json = client.Json

COLUMNS = (
    kinds.Column("WHEN", "time", "age"),
    kinds.Column("EVENT", "type"),
    kinds.Column("OUTCOME", "outcome"),
    kinds.Column("BY", "actor.name"),
    kinds.Column("TARGET", "target"),
    kinds.Column("PROJECT", "project"),
    kinds.Column("COMMIT", "commit", "short"),
    kinds.Column("MESSAGE", "message"),
)

_FILTERS = (
    click.option("--type", "type", default="", metavar="TYPE", help="Only these events; commas between, `app.*` for all below."),
    click.option("--actor", default="", metavar="NAME", help="Only what this person, service or agent did; a name or an id."),
    click.option("--app", default="", metavar="NAME", help="Only events of this app."),
    click.option("--target", default="", metavar="KIND/NAME", help="Only events of this subject."),
    click.option("--cluster", default="", metavar="NAME", help="Only events of this cluster."),
    click.option("--commit", default="", metavar="SHA", help="Only events of this commit, or of those that begin so."),
    click.option("--outcome", type=click.Choice(["success", "failure", "denied"]), default=None, help="Only events that ended so."),
    click.option("--only-in", default="", metavar="PROJECT", help="Only events of this project."),
    click.option("--until", default="", metavar="TIME", help="Only events before; as --since."),
)


def filtered(*, since: str) -> Callable[[Command], Command]:
    """Give a command the filters, as one argument `asked` for REST; `since` is the default."""

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def command(*args: Any, **given: Any) -> Any:  # noqa: ANN401 - a command's own
            names = ("since", "until", "type", "actor", "app", "target", "cluster", "commit", "outcome", "only_in")
            asked = {name: given.pop(name) or "" for name in names}
            asked |= {name: moment(asked[name]) for name in ("since", "until") if asked[name]}
            if asked["since"] and asked["until"] and dt.datetime.fromisoformat(asked["until"]) <= dt.datetime.fromisoformat(asked["since"]):
                raise failures.WrongUse(f"--until {asked['until']} is not after --since {asked['since']}: nothing lies between")
            asked["project"] = asked.pop("only_in")
            return function(*args, asked=asked, **given)

        made: Command = command
        for option in reversed(_FILTERS):
            made = option(made)
        return click.option(
            "--since", default=since, show_default=True, metavar="TIME", help="24h, 7d, a date or a time (UTC unless it says)."
        )(made)

    return decorate


def at(where: session.Session) -> str:
    """The tenant's record, or the platform's."""
    return f"/tenants/{where.context.tenant}/audit" if where.context.tenant else "/audit"


def tenant(where: session.Session) -> str:
    """The tenant, for what the platform itself has not; WrongUse."""
    if not where.context.tenant:
        raise failures.WrongUse("projects and apps belong to tenants, and this is the platform: name one with -T TENANT")
    return f"/tenants/{where.context.tenant}"


def moment(since: str) -> str:
    """RFC 3339 of what was typed."""
    return times.since(since, now=dt.datetime.now(dt.UTC))


def event(item: Json) -> Json:
    """An event as it is read: what it leaves out went well."""
    found = item.get("event", item)
    return {"outcome": "success", **(found if isinstance(found, dict) else item)}
