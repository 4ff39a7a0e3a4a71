"""Trust rules for machines: what can be one, what a token must say, and which part of it does not fit."""

import base64
import datetime as dt
import json
import time
from typing import Any

import msgspec
import pytest

from plane.domain import errors
from plane.domain.granting import login, workloads
from tests.support import cases

NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
PLAIN = {"issuer": "https://login.example", "audience": "https://plane.example", "service": "ci", "claims": {"repository_id": "1"}}
SAID: dict[str, Any] = {
    "iss": "https://login.example",
    "aud": "https://plane.example",
    "sub": "repo:acme/shop:ref:refs/heads/main",
    "iat": NOW.timestamp() - 60,
    "exp": NOW.timestamp() + 240,
    "repository_id": "1",
}


def spec(**change: Any) -> workloads.TrustSpec:  # noqa: ANN401 - as YAML says it
    return msgspec.convert(PLAIN | change, workloads.TrustSpec)


def failing(rule: workloads.TrustSpec, **claims: object) -> list[str]:
    declared = workloads.declare(rule, called="deploy", tenant="", version=1)
    return [one.claim for one in workloads.explain(declared, SAID | claims, now=NOW) if not one.holds]


@pytest.mark.parametrize("case", cases.load("workloads/rules.yaml"), ids=str)
def test_a_rule_says_whose_machines_it_trusts(case: dict[str, Any]) -> None:
    wish = {name: value for name, value in case.items() if name != "broken"}
    assert list(workloads.check(spec(**wish))) == [f"spec.{path}" for path in case.get("broken", [])]


@pytest.mark.parametrize("case", cases.load("workloads/advice.yaml"), ids=str)
def test_a_rule_that_trusts_more_than_it_seems_says_so(case: dict[str, Any]) -> None:
    said = workloads.advice(spec(claims=case["claims"]))
    assert [wanted for wanted, one in zip(case["advice"], said, strict=True) if one.startswith(wanted)] == case["advice"]


@pytest.mark.parametrize("case", cases.load("workloads/claims.yaml"), ids=str)
def test_a_claim_is_compared_as_a_whole(case: dict[str, Any]) -> None:
    assert login.fits(case["wanted"], case["said"]) == case["holds"]


def test_no_pattern_of_a_tenants_takes_long() -> None:
    """As a regular expression it would go back for years."""
    began = time.process_time()
    assert not login.fits("*a" * 400 + "b", "a" * 1000)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("claims", "wrong"),
    [
        ({}, []),
        ({"iss": "https://evil.example"}, ["iss"]),
        ({"aud": "https://other.example"}, ["aud"]),
        ({"aud": ["https://plane.example"]}, []),
        ({"repository_id": "2"}, ["repository_id"]),
        ({"exp": NOW.timestamp() - 100}, ["(token)"]),
        ({"sub": ""}, ["(token)"]),
        ({"iss": "https://evil.example", "repository_id": "2"}, ["iss", "repository_id"]),
    ],
    ids=str,
)
def test_all_that_does_not_fit_is_named(claims: dict[str, object], wrong: list[str]) -> None:
    assert failing(spec(), **claims) == wrong


@pytest.mark.parametrize("field", sorted(set(workloads.TrustSpec.__struct_fields__) - workloads.UNSEEN))
def test_whatever_a_machine_was_let_in_by_ends_its_token_when_it_changes(field: str) -> None:
    assert workloads.same_trust(spec(), spec(description="Another"))
    assert not workloads.same_trust(spec(), msgspec.structs.replace(spec(), **{field: "another"}))


@pytest.mark.parametrize("change", [{"minutes": 61}, {"minutes": 0}, {"claims": {}}, {"audience": ""}, {"tenant": "acme"}], ids=str)
def test_a_document_says_nothing_else(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        spec(**change)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_is_read_without_its_signature() -> None:
    assert workloads.unsigned(f"{part({'alg': 'RS256'})}.{part(SAID)}.c2ln\n") == SAID


@pytest.mark.parametrize("token", ["", "x", "a.b.c", f"a.{part([])}.c", f"a.{part({})}", "a.é.c", f"a.{part({})[:-1]}.c"])
def test_what_is_no_token_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(errors.Invalid, match="is no signed token"):
        workloads.unsigned(token)
