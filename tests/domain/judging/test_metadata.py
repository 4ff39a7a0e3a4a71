"""What rules have to say about themselves, and by which row they are told that they do not."""

import pytest

from plane.adapters.judging import opa_files
from plane.domain.judging import metadata, policy, styles
from tests.support import rules

RULE = 'package plane.rules.own\n\nviolations contains {"message": "no"}\n'
WHOLE = rules.described(RULE)


def problems(**files: str) -> list[str]:
    return list(metadata.problems({name.replace("_rego", ".rego"): text for name, text in files.items()}))


def test_a_rule_that_says_all_is_taken() -> None:
    assert problems(own_rego=WHOLE) == []
    assert problems(own_rego="# (c) acme\n\n" + WHOLE.replace("\n", "\r\n")) == []


def test_the_rules_that_come_with_the_plane_say_all() -> None:
    assert list(metadata.problems(opa_files.shipped().texts)) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (RULE, "own.rego:1:1: there is no METADATA above the package; every rule says its title"),
        (f"# title: not METADATA\n{RULE}", "own.rego:2:1: there is no METADATA above the package"),
        (WHOLE.replace("# title: A rule of a test\n", ""), "own.rego:6:1: its METADATA lacks title;"),
        (WHOLE.replace("A rule of a test", '" "'), "own.rego:7:1: its METADATA lacks title;"),
        (WHOLE.replace("Change the test.", "[a]"), "own.rego:7:1: its METADATA lacks custom.remedy;"),
        (WHOLE.replace("medium", "severe"), "own.rego:7:1: its METADATA lacks custom.severity;"),
        (WHOLE.replace("# custom:", "# authors:"), "own.rego:7:1: its METADATA lacks custom.remedy, custom.severity;"),
        (WHOLE.replace("# custom:", "# custom: [1]\n# other:"), "own.rego:8:1: its METADATA lacks custom.remedy, custom.severity;"),
        (f"# METADATA\n# - no mapping\n{RULE}", "own.rego:3:1: there is no METADATA above the package"),
        (WHOLE.replace("about :=", "info :="), "own.rego:7:1: no verdict would show its METADATA; add `import data.plane.lib` and `about"),
    ],
)
def test_what_is_missing_is_named_by_file_and_row(text: str, sentence: str) -> None:
    [problem] = problems(own_rego=text)
    assert problem.startswith(sentence)


def test_a_rule_in_several_files_says_it_in_one() -> None:
    assert problems(a_rego=RULE, b_rego=WHOLE) == []
    assert [one[:10] for one in problems(a_rego=RULE, b_rego=RULE, c_rego=WHOLE.replace(".own", ".other"))] == ["a.rego:1:1"]


def test_what_rules_share_says_nothing() -> None:
    assert problems(lib_rego="package lib.own\n\nx := 1\n", data_json="{}") == []


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("conftest", 'deny contains "no"', "its rules say no severity and no remedy; verdicts show the severity medium, no remedy"),
        ("conftest", 'deny contains {"msg": "no", "severity": "high"}', "its rules say no remedy; verdicts show no remedy"),
        ("gatekeeper", "severity remedy", "its rules say no severity and no remedy; verdicts show the severity medium, no remedy"),
    ],
)
def test_other_tools_rules_are_taken_with_what_is_assumed(kind: styles.Kind, text: str, sentence: str) -> None:
    files = policy.policy_files("x", {"a.rego": text}, styles.Style(kind))
    metadata.require(files)
    assert metadata.assumed(files) == (sentence,)
