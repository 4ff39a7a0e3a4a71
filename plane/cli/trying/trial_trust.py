"""`plane try trust`: whether a trust rule lets a machine's token in, claim by claim."""

import datetime as dt
import sys

import click

from plane.cli import failures, private, table
from plane.cli.trying import trial_documents, trial_files
from plane.domain import errors
from plane.domain.granting import workloads
from plane.wire import documents


@click.command("trust")
@click.option("--rule", "file", required=True, type=trial_files.FILE, help="A WorkloadTrust.")
@click.option("--token-file", metavar="FILE|-", help="The token that the job's own provider made; standard input otherwise.")
@click.option("--at", help="The moment, RFC 3339; without a zone it counts as UTC. Now, when not given.")
@trial_files.output_option("table", "json")
def command(file: str, token_file: str | None, at: str | None, output: str) -> None:
    """Whether the rule lets the token in: exit 0 yes, 1 no, and which claim does not fit.

    Nobody is asked for the issuer's keys, so the signature is not looked at. Claims are shown, the token is not.
    """
    with trial_files.refusals():
        spec = _rule(file)
        now = trial_files.moment(at) if at else dt.datetime.now(dt.UTC)
        claims = workloads.unsigned(private.read(token_file, prompt="The provider's token"))
        found = workloads.explain(workloads.declare(spec, called="", tenant="", version=0), claims, now=now)
    allowed = spec.enabled and all(one.holds for one in found)
    if output == "json":
        trial_files.as_json({"allowed": allowed, "enabled": spec.enabled, "conditions": found, "advice": workloads.advice(spec)})
    else:
        table.show(
            ["HOLDS", "CLAIM", "WANTED", "SAID"], [["yes" if one.holds else "no", one.claim, one.wanted, one.said or "-"] for one in found]
        )
        for one in (*(() if spec.enabled else ("the rule is turned off",)), *workloads.advice(spec)):
            click.echo(f"Note: {one}", err=True)
    if not allowed:
        sys.exit(failures.DIFFERS)


def _rule(file: str) -> workloads.TrustSpec:
    found = list(trial_documents.read(file))
    if len(found) != 1:
        raise errors.Invalid({"--rule": f"holds {len(found)} documents; one WorkloadTrust is needed"})
    ((where, body),) = found
    spec = trial_documents.convert(where, body, documents.WorkloadTrust).spec
    if problems := workloads.check(spec):
        raise errors.Invalid({f"{where}: {path}": rule for path, rule in problems.items()})
    return spec
