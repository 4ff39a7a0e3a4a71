"""`plane try policy`: what the policies say about local manifests."""

import datetime as dt
import pathlib
import sys
from typing import Any

import click
import msgspec

from plane import config
from plane.adapters import opa_files, opa_once
from plane.cli import failures
from plane.cli.trying import trial_files
from plane.domain import errors, objects
from plane.domain.judging import policy
from plane.domain.reading import documents

HERE = policy.PolicyContext(tenant="local", project="local", app="local", cluster="local", now="")


@click.command("policy")
@click.argument("files", nargs=-1, required=True, type=trial_files.FILE, metavar="FILE|DIR|-…")
@click.option(
    "--policies",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=pathlib.Path),
    help="Folder of .rego modules; the shipped policies when not given.",
)
@click.option(
    "--parameters",
    type=click.Path(exists=True, dir_okay=False, path_type=pathlib.Path),
    help="YAML file: rule id → its parameters.",
)
@trial_files.output_option("table", "json")
def command(files: tuple[str, ...], folder: pathlib.Path | None, parameters: pathlib.Path | None, output: str) -> None:
    """Judge the manifests in FILEs with a real OPA that contacts nothing, every rule in mode deny.

    Exit code 0: allowed, 1: refused, 2: wrong use.
    """
    with trial_files.refusals():
        verdict = judge(trial_files.objects_in(files), folder, _parameters(parameters))
    _print(verdict, output)
    sys.exit(0 if verdict.allowed() else failures.DIFFERS)


def judge(found: tuple[objects.Manifest, ...], folder: pathlib.Path | None, parameters: dict[str, dict[str, Any]]) -> policy.Verdict:
    """The verdict with every rule in mode deny."""
    shipped = opa_files.shipped()
    files = opa_files.read(folder, base=shipped.base) if folder else shipped.rules
    context = msgspec.structs.replace(HERE, now=dt.datetime.now(dt.UTC).isoformat())
    question = policy.PolicyInput(tuple(manifest.body for manifest in found), context, parameters)
    try:
        violations = policy.located(opa_once.Once(config.program("opa"), shipped.base).violations(files, question), found)
    except policy.PolicyInvalid as error:
        raise failures.WrongUse(str(error), details=error.problems[1:]) from error
    except policy.PolicyFailed as error:
        return policy.Verdict((files.digest,), error=str(error))
    return policy.Verdict((files.digest,), policy.fold([(policy.Binding(files), violations)]))


def _parameters(file: pathlib.Path | None) -> dict[str, dict[str, Any]]:
    if file is None:
        return {}
    values = [document.value for document in documents.read(file.read_bytes(), file=str(file))]
    try:
        return msgspec.convert(values[0] if values else {}, dict[str, dict[str, Any]])
    except msgspec.ValidationError as error:
        raise errors.Invalid({str(file): f"is no mapping of rule ids to parameters: {error}"}) from None


def _print(verdict: policy.Verdict, output: str) -> None:
    found = [judged.violation for judged in verdict.judged]
    if output == "json":
        answer = {"allowed": verdict.allowed(), "policies": verdict.policies, "error": verdict.error, "sentence": policy.sentence(verdict)}
        trial_files.as_json({"violations": found, "verdict": answer})
        return
    for violation in found:
        fix = f"\n    To fix: {violation.remedy}" if violation.remedy else ""
        line = f"{violation.file}: {violation.object}: {violation.message} [{violation.rule}, {violation.severity}]{fix}"
        click.echo(failures.visible(line))
    click.echo(failures.visible(verdict.error or f"{'allowed' if verdict.allowed() else 'refused'}: {_count(len(found))}"))


def _count(number: int) -> str:
    return "1 violation" if number == 1 else f"{number} violations"
