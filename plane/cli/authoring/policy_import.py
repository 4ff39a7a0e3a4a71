"""`plane policy import`: policies written for other tools, as PolicySets and PolicyBindings."""

import pathlib
import re
from typing import Any

import click
import msgspec

from plane import config
from plane.adapters.judging import opa_files, opa_sets
from plane.adapters.styles import conftest, folders
from plane.cli import failures, table
from plane.cli.trying import trial_files
from plane.domain.judging import metadata, policy, styles
from plane.domain.reading import yaml_text
from plane.wire import documents


class Imported(msgspec.Struct, frozen=True):
    """A set that compiles; `notes`: what its user should know."""

    files: policy.PolicyFiles
    notes: tuple[str, ...] = ()


@click.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=pathlib.Path))
@click.option("--tenant", default="", help="The tenant that the sets are for; the platform when not given.")
@click.option("--name", default="", help="Of the sets; the folder's when not given.")
@click.option(
    "--mode",
    type=click.Choice(policy.MODES[1:]),
    default="deny",
    show_default=True,
    help="Of the bindings; authors' own warnings stay warnings.",
)
@trial_files.output_option("table", "json", "yaml")
def command(folder: pathlib.Path, *, tenant: str, name: str, mode: str, output: str) -> None:
    """Convert a folder to PolicySets and PolicyBindings, and list what is not understood and why.

    It knows the plane's own rules, policies for conftest, Gatekeeper's templates and constraints, and ValidatingAdmissionPolicies with
    their bindings. Nothing is written: `-o yaml` prints documents for `plane apply -f -`, and the rest to standard error. Exit code 0: all
    policies are understood, 1: some are not, 2: wrong use.
    """
    with trial_files.refusals():
        made, left, broken = imported(folder, name or folder.resolve().name)
    bodies = [body for one in made for body in _documents(one, tenant, mode)]
    if output == "json":
        trial_files.as_json({"documents": bodies, "left": left, "notes": _notes(made), "broken": broken})
    else:
        _print(made, left, broken, bodies if output == "yaml" else [])
    if broken or not made:
        raise failures.Failed("not all of it is understood" if made else f"{folder} holds no policy that is understood")


def imported(folder: pathlib.Path, name: str) -> tuple[list[Imported], tuple[folders.Left, ...], list[str]]:
    """Sets that compile, what is in none, and why others do not compile."""
    found = folders.read(folder)
    compiler = opa_sets.Compiler(config.program("opa"), opa_files.shipped().base)
    made: list[Imported] = []
    broken: list[str] = []
    for kind, texts in found.files.items():
        own = _name(name if len(found.files) == 1 else f"{name}-{kind}")
        try:
            made.append(_compiled(compiler, own, kind, texts))
        except policy.PolicyInvalid as error:
            broken += [f"{kind}: {problem}" for problem in error.problems]
    return made, found.left, broken


def _compiled(compiler: opa_sets.Compiler, name: str, kind: styles.Kind, texts: dict[str, str]) -> Imported:
    """The set; conftest's modules as v0 where they are no v1.

    Raises:
        PolicyInvalid: as v1; or of the plane's own style, and does not say what its rules are.
    """
    if kind != "conftest":
        files = policy.policy_files(name, texts, styles.Style(kind))
        compiler.check(files)
        metadata.require(files)
        return Imported(files, metadata.assumed(files))
    packages = conftest.packages(texts)
    asked = () if conftest.DEFAULT in packages else packages
    others = [
        f"package {one} is not asked, as conftest asks main alone; name it in spec.style.namespaces" for one in packages if one != "main"
    ]
    notes = tuple(others) if conftest.DEFAULT in packages else ()
    combine = any(map(conftest.is_combined, texts.values()))
    if combine:
        notes = (*notes, "its modules read all objects at once, as `conftest --combine` gives them, and are asked so")
    newer = policy.policy_files(name, texts, styles.Style("conftest", asked, combine=combine))
    try:
        compiler.check(newer)
    except policy.PolicyInvalid as invalid:
        older = policy.policy_files(name, texts, styles.Style("conftest", asked, "v0", combine))
        try:
            compiler.check(older)
        except policy.PolicyInvalid:
            raise invalid from None
        return Imported(older, (*notes, "its modules are Rego v0, and run as such", *metadata.assumed(older)))
    return Imported(newer, (*notes, *metadata.assumed(newer)))


def _documents(one: Imported, tenant: str, mode: str) -> list[dict[str, Any]]:
    """A set that holds nowhere by itself, and a binding that puts it in force."""
    meta = {"name": one.files.name, **({"tenant": tenant} if tenant else {})}
    style = msgspec.to_builtins(one.files.style)
    spec = {"mode": "off", **({"style": style} if style else {})}
    head = {"apiVersion": documents.API_VERSION, "metadata": meta}
    return [
        {**head, "kind": "PolicySet", "spec": spec, "files": one.files.files},
        {**head, "kind": "PolicyBinding", "spec": {"policySet": one.files.name, "mode": mode}},
    ]


def _print(made: list[Imported], left: tuple[folders.Left, ...], broken: list[str], bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        click.echo(f"---\n{yaml_text.dump(body)}", nl=False)
    if made and not bodies:
        table.show(["SET", "STYLE", "FILES"], [[one.files.name, one.files.style.kind, str(len(one.files.files))] for one in made])
    apart = [f"left out: {one.where}: {one.reason.strip()}" for one in left]
    for line in (*_notes(made), *apart, *(f"not understood: {line}" for line in broken)):
        click.echo(failures.visible(line), err=bool(bodies))


def _notes(made: list[Imported]) -> list[str]:
    return [f"{one.files.name}: {note}" for one in made for note in one.notes]


def _name(text: str) -> str:
    """As a DNS label."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].rstrip("-") or "imported"
