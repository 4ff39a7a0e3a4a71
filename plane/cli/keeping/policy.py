"""`plane policy`: sets of Rego rules and how they count."""

import base64
import pathlib
from typing import Any

import click

from plane.cli import completion, failures, get, kinds, nouns, session, show, store, table
from plane.cli.authoring import policy_explain, policy_import, policy_new, policy_test
from plane.cli.keeping import decisions, policy_texts, previews

policy = nouns.group(kinds.POLICY_SET, "Policy sets: rules judged before anything is dispatched; `-T -` for the platform's own.")

policy.add_command(decisions.decisions)
policy.add_command(decisions.replay)
policy.add_command(decisions.findings)
policy.add_command(previews.preview)
policy.add_command(previews.previews)
policy.add_command(policy_explain.command)
policy.add_command(policy_import.command)
policy.add_command(policy_new.command)
policy.add_command(policy_test.fmt)
policy.add_command(policy_test.test)


@policy.command("create")
@click.argument("name")
@click.option("-d", "--directory", "folder", default="", metavar="DIR", help="Folder of .rego files; tests in it have to pass.")
@click.option("--profile", default="", help="Rules that come with the plane, under their modes; instead of a folder.")
@click.option(
    "--pss-version", default="", metavar="VERSION", help="Of the Pod Security Standards, for a profile: latest, or v1.25 to v1.36."
)
@click.option(
    "--mode",
    type=click.Choice(["deny", "require-approval", "warn", "audit", "off"]),
    default="deny",
    show_default=True,
    help="What a violation does.",
)
@click.option("--rule", "rules", multiple=True, metavar="RULE=MODE", help="A mode for one rule; repeatable.")
@show.option("table", "json", "yaml", "name")
@session.placed
def create(where: session.Session, *, name: str, output: str, **words: Any) -> None:  # noqa: ANN401 - what click hands over
    """Upload a folder of Rego rules, or a profile, as a policy set."""
    if bool(words["folder"]) == bool(words["profile"]):
        raise failures.WrongUse("name --directory DIR or --profile NAME, one of them")
    if words["profile"]:
        spec, files = policy_texts.profile(words["profile"], words["pss_version"])
    else:
        spec, files = {}, policy_texts.folder(pathlib.Path(words["folder"]))
    own = {rule: mode for rule, _, mode in (word.partition("=") for word in words["rules"])}
    wish = {**spec, "mode": words["mode"], "rules": {**spec.get("rules", {}), **own}}
    get.create(where, kinds.POLICY_SET, name, {"spec": wish, "files": files}, output=output)


@policy.command("upload")
@click.argument("name")
@click.argument("bundle", metavar="BUNDLE.tar.gz", type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path))
@show.option("table", "json", "yaml", "name")
@session.placed
def upload(where: session.Session, *, name: str, bundle: pathlib.Path, output: str) -> None:
    """Create a policy set from an OPA bundle, or replace the rules of an existing one, whose mode and other settings stay.

    `opa build -b DIR` makes bundles, and signs them with --signing-key; `plane get policy NAME` says whose signature it is.
    """
    packed = base64.b64encode(bundle.read_bytes()).decode()
    found = store.live(where, kinds.POLICY_SET, name)
    if found is store.ABSENT:
        get.create(where, kinds.POLICY_SET, name, {"bundle": packed}, output=output)
        return
    wish = {field: value for field, value in store.written(found.body).items() if field != "files"} | {"bundle": packed}
    made = store.write(where, kinds.POLICY_SET, wish, etag=found.etag).body
    if output == "table":
        click.echo(f"{kinds.POLICY_SET.noun}/{name} {'unchanged' if made == found.body else 'updated'}")
    else:
        show.document(kinds.POLICY_SET, made, output=output)


@policy.command("refresh")
@click.argument("name", shell_complete=completion.names(kinds.POLICY_SET))
@session.placed
def refresh(where: session.Session, *, name: str) -> None:
    """Look at the repository of a policy set now, also at a commit that was refused."""
    where.api.call("POST", f"{kinds.path(kinds.POLICY_SET, where, name)}/refresh")
    click.echo(f"policy/{name} refreshing; see what comes of it with `plane get policy {name} -o yaml`")


@policy.command("effective")
@click.argument("app", shell_complete=completion.names(kinds.APP))
@show.option("table", "json", "yaml")
@session.placed
def effective(where: session.Session, *, app: str, output: str) -> None:
    """Show which policies apply to an app, how strictly, and through which binding."""
    found = where.api.get(f"{kinds.path(kinds.APP, where, app)}/policies").body
    if show.body(found, output=output):
        return
    rows = [
        (one["set"], one["rule"], one["mode"], one["by"], ", ".join(one.get("namespaces") or ["all"])) for one in found.get("rules", ())
    ]
    if rows:
        table.show(["POLICY", "RULE", "MODE", "BY", "NAMESPACES"], rows)
    else:
        click.echo(f"No policy holds for app/{app}.")
    for sentence in found.get("problems") or ():
        click.echo(f"Warning: {sentence}; until then every release is denied", err=True)
    for sentence in found.get("warnings") or ():
        click.echo(f"Warning: {sentence}", err=True)
    show.facts([("waivers", ", ".join(found.get("waivers") or ())), ("changes by itself", found.get("until", ""))])
