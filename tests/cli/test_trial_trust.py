"""`plane try trust`: a job's token against a rule, claim by claim, without asking anybody."""

import base64
import json
import pathlib

import pytest
from click import testing

from plane import __main__ as program

RULE = """
apiVersion: gitops-plane.io/v1
kind: WorkloadTrust
metadata: {name: deploy}
spec:
  issuer: https://gitlab.example
  audience: https://plane.example
  claims: {project_path: acme/shop, ref_protected: "true"}
  service: ci
"""
CLAIMS = {
    "iss": "https://gitlab.example", "aud": "https://plane.example", "sub": "project_path:acme/shop:ref_type:branch:ref:main",
    "iat": 1795255200, "exp": 1795258800, "project_path": "acme/shop", "ref_protected": "true",
}  # fmt: skip


def tried(folder: pathlib.Path, rule: str = RULE, *flags: str, **claims: object) -> testing.Result:
    (folder / "rule.yaml").write_text(rule)
    parts = ({"alg": "RS256"}, CLAIMS | claims)
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    (folder / "job.jwt").write_text(f"{token}.c2lnbmF0dXJl\n")
    command = ["try", "trust", "--rule", str(folder / "rule.yaml"), "--token-file", str(folder / "job.jwt"), "--at", "2026-11-21T10:05:00Z"]
    return testing.CliRunner().invoke(program.main, [*command, *flags])


def test_a_token_that_fits_is_let_in(tmp_path: pathlib.Path) -> None:
    done = tried(tmp_path, RULE, "-o", "json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["allowed"]) == (0, True)
    assert said["advice"][0].startswith("names of repositories can change hands")


def test_the_claim_that_does_not_fit_is_named_and_the_token_is_not_shown(tmp_path: pathlib.Path) -> None:
    done = tried(tmp_path, ref_protected="false")
    assert done.exit_code == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("no")]
    assert line.split() == ["no", "ref_protected", "true", '"false"']
    assert "c2lnbmF0dXJl" not in done.output


def test_a_token_that_has_ended_says_so(tmp_path: pathlib.Path) -> None:
    said = json.loads(tried(tmp_path, RULE, "-o", "json", exp=1795255201, iat=1795255200).stdout)
    assert [one["said"] for one in said["conditions"] if not one["holds"]] == ["it has expired"]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("project_path: acme/shop", "project_path: '*'", "rule.yaml:2: spec.claims: must say whose machine it is"),
        ("minutes", "minutes", ""),
        ("kind: WorkloadTrust", "kind: App", "rule.yaml:2"),
    ],
)
def test_a_rule_that_cannot_be_is_wrong_use(tmp_path: pathlib.Path, before: str, after: str, sentence: str) -> None:
    done = tried(tmp_path, RULE.replace(before, after))
    assert done.exit_code == (2 if sentence else 0), done.output
    assert sentence in done.output
