"""`plane try policy -o`: forms for other programs, each with the same findings and the same exit code."""

import json
import pathlib
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from click import testing

from plane.cli.reporting import github, junit, reports, sarif, tap
from plane.cli.trying import trial_policy
from plane.domain.judging import policy

SCHEMA = json.loads((pathlib.Path(__file__).parents[1] / "cases/policy_reports/sarif-2.1.0.schema.json").read_text())
WEB = "apps/Deployment shop/web"
FORMS = (github.text, junit.text, sarif.text, tap.text)


def judged(mode: policy.Mode, message: str = "has no name", waiver: str = "") -> policy.Judged:
    found = policy.Violation("house", "L01", WEB, message, remedy="Name it", file="a,b/web.yaml:7")
    return policy.Judged(found, mode, waiver=waiver)


def report(*several: policy.Judged, error: str = "") -> reports.Report:
    places = {WEB: "a,b/web.yaml:7", "Service shop/web": "a,b/web.yaml:12"}
    return reports.Report(policy.Verdict(("sha256:1",), several, error), places)


DENIED, WARNED, WAIVED = judged("deny"), judged("warn", "has no label"), judged("deny", "has no owner", waiver="shop/old")
FOUND = report(DENIED, WARNED, WAIVED)


def test_junit_has_a_case_for_each_violation_and_each_object_without_one() -> None:
    root = ET.fromstring(junit.text(FOUND))  # noqa: S314 - our own text
    assert {name: root.attrib[name] for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "2",
    }
    cases = [(case.get("name"), case.get("file"), case.get("line"), [child.tag for child in case]) for case in root.iter("testcase")]
    assert cases == [
        (f"{WEB} keeps L01", "a,b/web.yaml", "7", ["failure"]),
        (f"{WEB} keeps L01", "a,b/web.yaml", "7", ["skipped"]),
        (f"{WEB} keeps L01", "a,b/web.yaml", "7", ["skipped"]),
        ("Service shop/web", "a,b/web.yaml", "12", []),
    ]


def test_tap_fails_for_what_stops_a_release_alone() -> None:
    assert tap.text(FOUND).splitlines() == [
        "TAP version 13",
        "1..4",
        f"not ok 1 - {WEB} keeps house/L01 at a,b/web.yaml:7: has no name",
        f"not ok 2 - {WEB} keeps house/L01 at a,b/web.yaml:7: has no label # TODO warn",
        f"not ok 3 - {WEB} keeps house/L01 at a,b/web.yaml:7: has no owner # TODO waived by shop/old",
        "ok 4 - Service shop/web",
    ]


def test_github_marks_file_and_line() -> None:
    assert github.text(FOUND).splitlines() == [
        f"::error file=a%2Cb/web.yaml,line=7,title=house/L01::{WEB}: has no name. To fix: Name it",
        f"::warning file=a%2Cb/web.yaml,line=7,title=house/L01::{WEB}: has no label. To fix: Name it",
        f"::notice file=a%2Cb/web.yaml,line=7,title=house/L01::{WEB}: has no owner. To fix: Name it (waived by shop/old)",
    ]


def test_sarif_names_rule_place_and_waiver() -> None:
    (run,) = json.loads(sarif.text(FOUND))["runs"]
    assert [(one["ruleId"], one["level"], "suppressions" in one) for one in run["results"]] == [
        ("L01", "error", False),
        ("L01", "warning", False),
        ("L01", "note", True),
    ]
    assert run["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%2Cb/web.yaml"},
        "region": {"startLine": 7},
    }
    assert len({one["partialFingerprints"]["violation/v1"] for one in run["results"]}) == 3


@pytest.mark.parametrize("found", [FOUND, report(), report(error="OPA ended")], ids=["violations", "nothing", "no answer"])
def test_sarif_is_what_its_schema_says(found: reports.Report) -> None:
    jsonschema.Draft4Validator(SCHEMA).validate(json.loads(sarif.text(found)))


@pytest.mark.parametrize("form", FORMS, ids=["github", "junit", "sarif", "tap"])
def test_no_answer_is_no_pass_in_any_form(form: object) -> None:
    said = form(report(error="OPA ended"))  # type: ignore[operator]
    assert "OPA ended" in said
    assert not said.startswith("TAP version 13\n1..")


@pytest.mark.parametrize("form", FORMS, ids=["github", "junit", "sarif", "tap"])
def test_what_a_manifest_says_breaks_no_form(form: object) -> None:
    said = form(report(judged("deny", "a\x1b[31m\r\n::error::x # TODO <b>&\x00")))  # type: ignore[operator]
    assert not {"\x1b", "\x00", "\r"} & set(said)
    if form is junit.text:
        ET.fromstring(said)  # noqa: S314 - our own text
    if form is tap.text:
        assert [line for line in said.splitlines() if "TODO" in line and " # TODO" in line.replace("\\#", "")] == []
    if form is github.text:
        assert len(said.splitlines()) == 1


@pytest.mark.parametrize("form", sorted(trial_policy.FORMS))
def test_every_form_ends_alike(form: str, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: main, image: app}]}\n")
    result = testing.CliRunner().invoke(trial_policy.command, [str(file), "-o", form])
    assert (result.exit_code, "I02" in result.stdout) == (1, True), result.output
    if form == "sarif":
        said = json.loads(result.stdout)
        jsonschema.Draft4Validator(SCHEMA).validate(said)
        assert "No mutable image tag" in {rule["shortDescription"]["text"] for rule in said["runs"][0]["tool"]["driver"]["rules"]}
