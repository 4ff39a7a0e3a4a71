"""`plane policy preview|previews`: what a policy would do to what apps are now, before it is in force."""

import pathlib
import sys
from typing import Any

import click

from plane.cli import client, failures, kinds, manifests, session, show, table
from plane.cli.keeping import policy_texts

Json = client.Json
_PREVIEWS = (
    kinds.Column("NUMBER", "number"),
    kinds.Column("AGE", "madeAt", "age"),
    kinds.Column("POLICY", "set"),
    kinds.Column("MODE", "mode"),
    kinds.Column("BY", "madeBy"),
    kinds.Column("APPS", "total"),
    kinds.Column("DONE", "done"),
    kinds.Column("REFUSED", "counts.denied"),
    kinds.Column("WARNED", "counts.warned"),
)
_MODES = click.Choice(["audit", "warn", "require-approval", "deny"])


@click.command("preview")
@click.option(
    "--bind", default="", metavar="NAME|FILE", help="A PolicyBinding that is kept, or a file of a PolicyBinding, a PolicySet, or both."
)
@click.option("--set", "set_", default="", metavar="NAME|DIR", help="A policy set that is kept, or a folder of .rego files.")
@click.option("--profile", default="", help="Rules that come with the plane, under their modes.")
@click.option("--mode", type=_MODES, default=None, help="Of every rule, whatever set and binding say.")
@click.option("--resume", type=click.IntRange(1), default=None, metavar="NUMBER", help="Go on with a preview that was left.")
@click.option("--compare", type=click.IntRange(1), default=None, metavar="NUMBER", help="Say what is other than in an earlier preview.")
@show.option("table", "json", "yaml")
@session.placed
def preview(where: session.Session, *, resume: int | None, compare: int | None, output: str, **wish: Any) -> None:  # noqa: ANN401 - of `_wish`
    """Show what a policy would refuse among all apps' newest releases: exit 0 nothing, 1 something.

    Says which apps would be refused or warned of, what of it is new and what they break already, and whose they are. Interrupted,
    it goes on with --resume. With `-T -` about every tenant's apps.
    """
    if resume and any(wish.values()):
        raise failures.WrongUse("--resume goes on with what the preview was told; leave the other options out")
    place = _at(where)
    number = resume or where.api.call("POST", place, body=_wish(wish)).body["number"]
    found = _through(where, place, number)
    apps = list(where.api.items(f"{place}/{number}/apps"))
    other = where.api.get(f"{place}/{number}/comparison", to=compare).body if compare else None
    if not show.body({**found, "apps": apps, **({"comparison": other} if other else {})}, output=output):
        _print(found, apps)
        if other:
            _print_comparison(other)
    if found["counts"].get("denied") or found["counts"].get("error"):
        raise click.exceptions.Exit(failures.DIFFERS)


@click.command("previews")
@show.option("table", "json", "yaml")
@session.placed
def previews(where: session.Session, *, output: str) -> None:
    """List the newest 20 previews; `plane policy preview --resume NUMBER` shows one."""
    found = where.api.get(_at(where)).body
    if not show.body(found, output=output):
        show.listing(_PREVIEWS, found["items"], nothing="No preview is kept; `plane policy preview` makes one.")


def _at(where: session.Session) -> str:
    return f"/tenants/{where.context.tenant}/previews" if where.context.tenant else "/previews"


def _wish(given: Json) -> Json:
    """The body of a request for a preview."""
    if sum(bool(given[name]) for name in ("set_", "profile")) > 1:
        raise failures.WrongUse("name --set or --profile, one of them")
    wish: Json = {"mode": given["mode"]} if given["mode"] else {}
    wish |= _bind(given["bind"]) if given["bind"] else {}
    if given["profile"]:
        spec, files = policy_texts.profile(given["profile"])
        wish["set"] = {"name": given["profile"], "spec": spec, "files": files}
    elif given["set_"]:
        wish |= _set(given["set_"], wish)
    if not wish.keys() & {"set", "binding", "bindingName"}:
        raise failures.WrongUse("say what to preview: --bind, --set or --profile")
    return wish


def _bind(word: str) -> Json:
    if not pathlib.Path(word).exists():
        return {"bindingName": word}
    made: Json = {}
    for each in manifests.read([word]):
        if each.kind is kinds.POLICY_BINDING:
            made["binding"] = each.body.get("spec", {})
        elif each.kind is kinds.POLICY_SET:
            made["set"] = {"name": each.name, "spec": each.body.get("spec", {}), "files": each.body.get("files", {})}
        else:
            raise failures.WrongUse(f"{each.where()}: a preview is of a PolicyBinding, a PolicySet, or both; this is a {each.kind.name}")
    return made


def _set(word: str, wish: Json) -> Json:
    folder = pathlib.Path(word)
    if folder.is_dir():
        return {"set": {"name": folder.resolve().name, "files": policy_texts.folder(folder)}}
    return {"binding": {**wish.get("binding", {}), "policySet": word}}


def _through(where: session.Session, place: str, number: int) -> Json:
    """Step by step to the end, with a bar on a terminal."""
    found: Json = where.api.get(f"{place}/{number}").body
    with click.progressbar(length=max(found["total"], 1), label=f"preview {number}", file=sys.stderr) as bar:
        bar.update(found["done"])
        while not found["endedAt"]:
            before = found["done"]
            found = where.api.call("POST", f"{place}/{number}/step").body
            bar.update(found["done"] - before)
    return found


def _print(found: Json, apps: list[Json]) -> None:
    rows = [
        [one["tenant"], one["project"], one["app"], one["cluster"], one["owner"], one["verdict"], _new(one["found"]), _first(one["found"])]
        for one in apps
    ]
    if rows:
        table.show(["TENANT", "PROJECT", "APP", "CLUSTER", "OWNER", "VERDICT", "NEW", "FIRST"], rows)
    for title, sums in (("RULE", found["byRule"]), ("CLUSTER", found["byCluster"]), ("TENANT", found["byTenant"])):
        if sums:
            table.show(
                [title, "VERDICT", "COUNT", "NEW"], [[one["name"] or "-", one["word"], one["count"], one.get("new", 0)] for one in sums]
            )
    counts = ", ".join(f"{count:,} {word}" for word, count in sorted(found["counts"].items())) or "none"
    outside = f"; {found['outside']:,} are outside its scope or have no cluster" if found["outside"] else ""
    click.echo(f"preview {found['number']} of {found['set']} on {found['done']:,} apps: {counts}{outside}")
    for sentence in found["notes"]:
        click.echo(failures.visible(f"Note: {sentence}"), err=True)


def _new(found: list[Json]) -> str:
    return f"{sum(not one.get('known') for one in found)} of {len(found)}"


def _first(found: list[Json]) -> str:
    return f"{found[0]['rule']}: {found[0]['object']}: {found[0]['message']}" if found else "-"


def _print_comparison(other: Json) -> None:
    rows = [[one["tenant"], one["project"], one["app"], one["was"] or "-", one["now"] or "-"] for one in other["differences"]]
    if rows:
        table.show(["TENANT", "PROJECT", "APP", "WAS", "NOW"], rows)
    else:
        click.echo(f"the same as preview {other['was']['number']}")
