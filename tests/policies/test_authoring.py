"""`plane policy test`, `fmt` and `new`: what authors of rules do, with OPA itself."""

import json
import pathlib
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click import testing

from plane.cli.authoring import policy_explain, policy_new, policy_test
from plane.cli.trying import trial_policy

RULE = 'package main\n\ndeny contains "no" if input.kind == "Pod"\n\nwarn contains "old" if {\n\tinput.kind == "Job"\n}\n'
TESTS = 'package main_test\n\nimport data.main\n\ntest_pods if main.deny == {"no"} with input as {"kind": "Pod"}\n'
FAILS = "package main_test\n\ntest_a if true\n\ntest_b if false\n\ntodo_test_c if false\n"
OLD = 'package main\n\ndeny[msg] { msg := "no" }\n'


def run(command: Any, *words: str) -> testing.Result:  # noqa: ANN401 a click command
    return testing.CliRunner().invoke(command, list(words))


def folder(at: pathlib.Path, **files: str) -> str:
    for name, text in files.items():
        (at / f"{name}.rego").write_text(text)
    return str(at)


@pytest.fixture
def begun(tmp_path: pathlib.Path) -> pathlib.Path:
    assert run(policy_new.command, "owners", "-d", str(tmp_path / "house"), "--id", "X01").exit_code == 0
    return tmp_path / "house"


def test_a_new_rule_has_tests_that_pass_and_reach_all_of_it(begun: pathlib.Path) -> None:
    result = run(policy_test.test, str(begun), "--threshold", "100")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "3 tests, 100 % of the rules' lines reached"), result.output


def test_a_new_rule_is_formatted_and_can_be_asked(begun: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert run(policy_test.fmt, str(begun), "--check").exit_code == 0
    (tmp_path / "web.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n")
    result = run(trial_policy.command, "--policies", str(begun), str(tmp_path / "web.yaml"), "-o", "sarif")
    (rule,) = json.loads(result.stdout)["runs"][0]["tool"]["driver"]["rules"]
    assert (rule["id"], rule["shortDescription"]["text"]) == ("X01", "Owners")


def test_a_rule_that_is_there_is_not_written_over(begun: pathlib.Path) -> None:
    result = run(policy_new.command, "owners", "-d", str(begun))
    assert (result.exit_code, "is there already" in result.stderr) == (2, True)


@pytest.mark.parametrize("words", [["Owners"], ["a-b"], ["../x"], ["x", "--id", "a b"], ["x", "--category", '"']])
def test_a_name_that_would_break_the_file_is_refused(words: list[str], tmp_path: pathlib.Path) -> None:
    assert run(policy_new.command, *words, "-d", str(tmp_path)).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_what_tests_do_not_reach_is_named(tmp_path: pathlib.Path) -> None:
    result = run(policy_test.test, folder(tmp_path, rules=RULE, rules_test=TESTS), "--threshold", "90")
    assert result.exit_code == 1
    assert "not reached: rules.rego, lines 5, 6" in result.stdout
    assert "and 90 % are asked for" in result.stderr
    assert run(policy_test.test, str(tmp_path)).exit_code == 0


def test_a_rule_that_does_not_say_what_it_is_is_told_so_before_the_plane_refuses_it(begun: pathlib.Path) -> None:
    rule = begun / "owners.rego"
    rule.write_text(rule.read_text().replace("#   severity: medium\n", ""))
    result = run(policy_test.test, str(begun))
    assert (result.exit_code, "owners.rego:14:1: its METADATA lacks custom.severity; every rule says" in result.stderr) == (1, True), (
        result.output
    )


def test_tests_that_fail_are_named_in_every_form(tmp_path: pathlib.Path) -> None:
    at = folder(tmp_path, rules=RULE, rules_test=FAILS)
    result = run(policy_test.test, at)
    assert (result.exit_code, result.stdout.splitlines()[:2]) == (
        1,
        ["passed   main_test.test_a (rules_test.rego:3)", "failed   main_test.test_b (rules_test.rego:5)"],
    )
    assert "1 of 3 tests fail" in result.stderr
    said = json.loads(run(policy_test.test, at, "-o", "json").stdout)
    assert [one["outcome"] for one in said["tests"]] == ["passed", "failed", "skipped"]
    suite = ET.fromstring(run(policy_test.test, at, "-o", "junit").stdout)  # noqa: S314 our own text
    assert [[child.tag for child in case] for case in suite.iter("testcase")] == [[], ["failure"], ["skipped"]]


@pytest.mark.parametrize(
    ("files", "code", "sentence"),
    [
        ({"rules": RULE}, 1, "has no test"),
        ({"rules": "package main\n\ndeny contains {\n"}, 2, "does not compile: rules.rego:4: rego_parse_error"),
        ({"one": "x\n", "two": "y\n"}, 2, "one.rego:1: rego_parse_error: package expected; two.rego:1: rego_parse_error"),
        ({"rules": RULE, "rules_test": 'package x\n\ntest_a if http.send({"url": "http://a.example", "method": "get"})\n'}, 2, "http.send"),
    ],
)
def test_what_cannot_be_tested_is_one_sentence(files: dict[str, str], code: int, sentence: str, tmp_path: pathlib.Path) -> None:
    result = run(policy_test.test, folder(tmp_path, **files))
    assert (result.exit_code, sentence in result.stderr) == (code, True), result.output


def test_formatting_changes_files_unless_it_only_checks(tmp_path: pathlib.Path) -> None:
    at = folder(tmp_path, rules='package main\ndeny   contains "x"\n')
    checked = run(policy_test.fmt, at, "--check")
    assert (checked.exit_code, checked.stdout.splitlines()) == (1, [str(tmp_path / "rules.rego")])
    assert run(policy_test.fmt, at).exit_code == 0
    assert (tmp_path / "rules.rego").read_text() == 'package main\n\ndeny contains "x"\n'
    assert (run(policy_test.fmt, at, "--check").exit_code, run(policy_test.fmt, at).stdout) == (0, "")


def test_old_modules_become_new_only_when_asked(tmp_path: pathlib.Path) -> None:
    at = folder(tmp_path, rules=OLD)
    assert run(policy_test.fmt, at).exit_code == 2
    assert run(policy_test.fmt, at, "--rego-v0").exit_code == 0
    assert "deny[msg]" in (tmp_path / "rules.rego").read_text()
    assert run(policy_test.fmt, at, "--v0-to-v1").exit_code == 0
    assert "deny contains msg if" in (tmp_path / "rules.rego").read_text()


def test_a_rule_is_explained_about_local_files_line_by_line(begun: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "web.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n")
    result = run(policy_explain.command, "--policies", str(begun), str(tmp_path / "web.yaml"))
    assert result.exit_code == 0, result.output
    assert 'house/X01 about Service shop/web: the label "owner" is missing' in result.stdout
    assert 'object.get(labels, label, "") == ""   [held 1]' in result.stdout
    (one,) = json.loads(run(policy_explain.command, "--policies", str(begun), str(tmp_path / "web.yaml"), "-o", "json").stdout)["items"]
    assert one["definitions"][0]["lines"][0]["samples"][0]["values"] == {"label": '"owner"'}


def test_an_explanation_shows_no_value_of_a_secret(tmp_path: pathlib.Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: hunter2hunter2}\ndata: {pin: aHVudGVyMg==}\n"
    (tmp_path / "web.yaml").write_text(secret)
    result = run(policy_explain.command, "--profile", "baseline", "--rule", "S01", "--library", str(tmp_path / "web.yaml"))
    assert result.exit_code == 0, result.output
    assert "the value at /data/password stands in Git in the clear" in result.stdout
    assert "hmac-sha256:" in result.stdout
    assert not [word for word in ("hunter2", "aHVudGVy") if word in result.output]


def test_what_to_explain_must_be_said(begun: pathlib.Path) -> None:
    assert "are asked about local files; name them" in run(policy_explain.command, "--policies", str(begun)).stderr
