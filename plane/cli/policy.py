"""`plane policy`: sets of Rego rules and how they count."""

import pathlib

import click

from plane.cli import failures, get, kinds, nouns, session, show

policy = nouns.group(kinds.POLICY_SET, "Policies: Rego rules asked before anything is dispatched; `-T -` for the platform's own.")


@policy.command("create")
@click.argument("name")
@click.option("-d", "--directory", "folder", required=True, metavar="DIR", help="Folder of .rego files; tests in it are left out.")
@click.option(
    "--mode", type=click.Choice(["deny", "warn", "audit", "off"]), default="deny", show_default=True, help="What a violation does."
)
@click.option("--rule", "rules", multiple=True, metavar="RULE=MODE", help="A mode for one rule; may be given again.")
@show.option("table", "json", "yaml", "name")
@session.placed
def create(where: session.Session, *, name: str, folder: str, mode: str, rules: tuple[str, ...], output: str) -> None:
    """Upload a folder of Rego rules as a policy set."""
    words = [word.partition("=") for word in rules]
    spec = {"mode": mode, "rules": {rule: own for rule, _, own in words}}
    get.create(where, kinds.POLICY_SET, name, {"spec": spec, "files": _files(pathlib.Path(folder))}, output=output)


def _files(folder: pathlib.Path) -> dict[str, str]:
    found = sorted(file for file in folder.glob("*.rego") if not file.name.endswith("_test.rego"))
    if not found:
        raise failures.WrongUse(f"{folder}: no .rego file in this folder")
    return {file.name: file.read_text(encoding="utf-8") for file in found}
