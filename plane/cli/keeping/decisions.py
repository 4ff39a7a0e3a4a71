"""`plane policy decisions|replay|findings`: what policy said of releases, whether it would say so again, and what apps break."""

import click

from plane.cli import client, failures, kinds, session, show, table
from plane.domain.judging import decisions as domain

Json = client.Json
_COLUMNS = (
    kinds.Column("ID", "id"),
    kinds.Column("AGE", "time", "age"),
    kinds.Column("PROJECT", "project"),
    kinds.Column("APP", "app"),
    kinds.Column("CLUSTER", "cluster"),
    kinds.Column("REVISION", "commit", "short"),
    kinds.Column("VERDICT", "verdict"),
    kinds.Column("VIOLATIONS", "violations"),
)

_FINDINGS = (
    kinds.Column("AGE", "firstSeen", "age"),
    kinds.Column("PROJECT", "project"),
    kinds.Column("APP", "app"),
    kinds.Column("MODE", "mode"),
    kinds.Column("POLICY", "policy"),
    kinds.Column("RULE", "rule"),
    kinds.Column("OBJECT", "object"),
    kinds.Column("WAIVER", "waiver"),
)
_SUMS = (
    kinds.Column("NAME", "name"),
    kinds.Column("OPEN", "open"),
    kinds.Column("STOPPING", "stopping"),
    kinds.Column("WAIVED", "waived"),
    kinds.Column("APPS", "apps"),
    kinds.Column("OPENED 7D", "opened"),
    kinds.Column("CLOSED 7D", "closed"),
    kinds.Column("OLDEST", "oldest", "age"),
)


@click.command("decisions")
@click.argument("identity", default="", metavar="[ID]")
@click.option("--app", default="", help="Of apps of this name.")
@click.option("--verdict", type=click.Choice(domain.WORDS), default=None, help="With this verdict.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many.")
@show.option("table", "json", "yaml")
@session.placed
def decisions(where: session.Session, *, identity: str, app: str, verdict: str | None, limit: int, output: str) -> None:
    """List policy decisions about releases, newest first, or show one with every rule's outcome.

    With -P those of one project. The id is that of `plane app explain` and of the audit log.
    """
    if identity:
        _one(where, identity, output=output)
        return
    asked = {"project": where.asked[1], "app": app, "verdict": verdict or ""}
    found = where.api.items(_at(where), limit=limit, **{name: value for name, value in asked.items() if value})
    items = list(found)
    if not show.body({"items": items}, output=output):
        show.listing(_COLUMNS, items, nothing="No decision is kept; one is made of a release where a policy is in force.")


@click.command("replay")
@click.argument("identity", metavar="ID")
@show.option("table", "json", "yaml")
@session.placed
def replay(where: session.Session, *, identity: str, output: str) -> None:
    """Evaluate a past decision again from what was stored: exit 0 if the digest is identical, else 1."""
    found = where.api.get(f"{_at(where)}/{kinds.checked('decision', identity)}/replay").body
    if not show.body(found, output=output):
        _print(found)
    if not found["identical"]:
        raise click.exceptions.Exit(failures.DIFFERS)


@click.command("findings")
@click.option("--by", type=click.Choice(["policy", "rule", "project", "app"]), default=None, help="Count them instead of listing them.")
@click.option("--app", default="", help="Of apps of this name.")
@click.option("--policy", default="", metavar="SET", help="Of this policy set, as `plane app explain` names it.")
@click.option("--rule", default="", help="Of this rule.")
@click.option("--mode", type=click.Choice(["audit", "warn", "require-approval", "deny"]), default=None, help="With this mode.")
@click.option("--over", is_flag=True, help="Those that were mended in the last 90 days, instead of those that are open.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Show at most this many.")
@show.option("table", "json", "yaml")
@session.placed
def findings(where: session.Session, *, by: str | None, over: bool, limit: int, output: str, **named: str | None) -> None:
    """List the rules that apps break, newest first, or with --by count them and what opened and closed in 7 days.

    With -P those of one project.
    """
    if by and over:
        raise failures.WrongUse("--by counts those that are open, and what was closed of late beside them; leave --over out")
    asked: dict[str, object] = {name: text for name, text in {**named, "project": where.asked[1]}.items() if text}
    path = f"/tenants/{where.tenant()}/findings"
    if by:
        items = where.api.get(f"{path}/sums", by=by, limit=limit, **asked).body["items"]
    else:
        items = list(where.api.items(path, limit=limit, **asked, **({"over": "true"} if over else {})))
    if not show.body({"items": items}, output=output):
        show.listing(_SUMS if by else _FINDINGS, items, nothing="No rule is broken by what Git wants." if not over else "None.")


def _at(where: session.Session) -> str:
    return f"/tenants/{where.tenant()}/decisions"


def _one(where: session.Session, identity: str, *, output: str) -> None:
    found = where.api.get(f"{_at(where)}/{kinds.checked('decision', identity)}").body
    if show.body(found, output=output):
        return
    shown = ("time", "project", "app", "cluster", "release", "commit", "signature", "verdict", "engine", "actor", "trigger", "previous")
    show.facts([(name, str(found[name])) for name in (*shown, "input", "outcome", "terms")])
    rows = [[one["set"], one["rule"], one["outcome"], one["mode"] or "-", str(one["count"])] for one in found["rules"]]
    table.show(["POLICY", "RULE", "OUTCOME", "MODE", "VIOLATIONS"], rows)
    for entry in found["judged"]:
        violation, waived = entry["violation"], f" (waived by {entry['waiver']})" if entry.get("waiver") else ""
        said = f"{violation['policy']}/{violation['rule']}: {violation['object']}: {violation['message']}"
        click.echo(failures.visible(f"  {entry['mode']}{waived}: {said}"))
    left_out = ", ".join(f"{count:,} {mode}" for mode, count in found["leftOut"].items())
    if left_out:
        click.echo(f"Left out, as there are too many: {left_out}")
    for sentence in found["missing"]:
        click.echo(failures.visible(f"Warning: it cannot be replayed: {sentence}"), err=True)


def _print(found: Json) -> None:
    if found["missing"]:
        for sentence in found["missing"]:
            click.echo(failures.visible(f"cannot be replayed: {sentence}"))
        return
    if found["identical"]:
        click.echo(f"identical: {found['outcome']}")
    else:
        click.echo(f"differs: it was {found['verdict']} ({found['outcome']}) and is {found['replayedVerdict']} ({found['replayed']})")
    for one in found["differences"]:
        click.echo(failures.visible(f"  only {one['where']}: {one['mode']}: {one['set']}/{one['rule']}: {one['object']}"))
    for sentence in found["notes"]:
        click.echo(failures.visible(f"Note: {sentence}"))
