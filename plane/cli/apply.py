"""`plane apply` and `plane diff`: documents in files against documents in the plane."""

import difflib
from collections.abc import Iterator

import click

from plane.cli import client, console, failures, kinds, manifests, session, show, store
from plane.domain.reading import yaml_text

Json = client.Json


@click.command()
@manifests.files_option
@show.option("table", "json", "yaml", "name")
@session.placed
def apply(where: session.Session, *, filenames: tuple[str, ...], output: str) -> None:
    """Create or update documents from files.

    Documents that others need go first: Tenant, Cluster, Project, User, RoleBinding, Credential, Repository, PolicySet, PolicyBinding,
    Waiver, HealthCheck, ResourceRule, Sink, IdentityProvider, WorkloadTrust, App. A document that the plane refuses does not stop the
    ones after it; the exit code is then that of the first refusal.
    """
    refused: list[failures.Refused] = []
    for each in manifests.read(_given(filenames)):
        try:
            outcome, body = _apply(store.home_of(where, each), each)
        except failures.Refused as refusal:
            if refusal.code in {failures.AWAY, failures.NOT_ALLOWED}:
                raise located(each, refusal) from refusal
            located(each, refusal).show()
            refused.append(refusal)
        else:
            _say(each, outcome, body, output=output)
    if refused:
        raise click.exceptions.Exit(refused[0].code)


@click.command()
@manifests.files_option
@session.placed
def diff(where: session.Session, *, filenames: tuple[str, ...]) -> None:
    """Show what `plane apply` would change: exit 0 nothing, 1 something, 2 and above on an error."""
    found = False
    for each in manifests.read(_given(filenames)):
        try:
            lines = list(_differences(store.home_of(where, each), each))
        except failures.Failed as refusal:
            raise exceeding(refusal) from refusal
        found = found or bool(lines)
        print_diff(lines)
    if found:
        raise click.exceptions.Exit(failures.DIFFERS)


def located(each: manifests.Manifest, refusal: failures.Refused) -> failures.Failed:
    """The refusal with the file and line of each field it is about."""
    if not refusal.fields:
        return failures.Failed(f"{each.where()}: {each.label()}: {refusal.message}", code=refusal.code, details=refusal.details)
    lines = tuple(f"{each.where(path)}: {path}: {rule}" if path else f"{each.where()}: {rule}" for path, rule in refusal.fields.items())
    if len(lines) == 1:
        return failures.Failed(lines[0], code=refusal.code)
    return failures.Failed(f"{each.label()}: {len(lines)} fields break a rule", code=refusal.code, details=lines)


def exceeding(failure: failures.Failed) -> failures.Failed:
    """The same failure, with an exit code that cannot be taken for "differs"."""
    if failure.code == failures.DIFFERS:
        failure.code = failures.WRONG_USE
    return failure


def print_diff(lines: list[str], *, dimmed: bool = False) -> None:
    """A unified diff in the usual colours, or dimmed."""
    out = console.output()
    for line in lines:
        style = "dim" if dimmed else {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        out.print(failures.visible(line), style=style, soft_wrap=True)


def unified(old: object, new: object, *, names: tuple[str, str]) -> list[str]:
    """Lines of a unified diff of two values as YAML; None stands for absent."""
    before, after = (yaml_text.dump(value).splitlines() if value is not None else [] for value in (old, new))
    return list(difflib.unified_diff(before, after, *names, lineterm=""))


def _given(filenames: tuple[str, ...]) -> tuple[str, ...]:
    if not filenames:
        raise failures.WrongUse("no file given; add `-f FILE`, `-f FOLDER` or `-f -`")
    return filenames


def _apply(where: session.Session, each: manifests.Manifest) -> tuple[str, Json]:
    mine = store.written(each.body)
    theirs = store.live(where, each.kind, each.name)
    if theirs is store.ABSENT:
        return "created", store.write(where, each.kind, mine, etag="").body
    if store.same(each.kind, mine, theirs.body):
        return "unchanged", theirs.body
    reply = store.write(where, each.kind, mine, etag=theirs.etag)
    return ("unchanged" if reply.etag and reply.etag == theirs.etag else "configured"), reply.body


def _say(each: manifests.Manifest, outcome: str, body: Json, *, output: str) -> None:
    if output == "table":
        click.echo(f"{each.label()} {outcome}")
    else:
        show.document(each.kind, body, output=output)


def _differences(where: session.Session, each: manifests.Manifest) -> Iterator[str]:
    kind: kinds.Kind = each.kind
    theirs = store.live(where, kind, each.name).body
    mine = store.normal(kind, each.body, theirs or {})
    yield from unified(
        store.normal(kind, theirs, theirs) if theirs else None,
        {field: value for field, value in mine.items() if field != "data"},
        names=(f"plane/{each.label()}", f"{each.where()}"),
    )
    if each.body.get("data") and theirs:
        click.echo(f"{each.label()}: its secret data is in the file and cannot be compared; `plane apply` writes it again", err=True)
