"""Policies for conftest, asked by us, find what OPA finds when conftest's own queries are put to it."""

import json
import pathlib
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from plane import config
from plane.adapters.judging import opa_files, opa_once
from plane.domain.judging import policy, styles
from tests.support import cases

OPA = config.program("opa")
ONCE = opa_once.Once(OPA, opa_files.shipped().base)
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
Json = dict[str, Any]
CASES = cases.named("conftest")


def question(case: Json) -> policy.PolicyInput:
    return policy.PolicyInput(
        tuple({"apiVersion": "v1", "metadata": {"name": f"n{n}"}, **one} for n, one in enumerate(case["objects"])), CONTEXT
    )


def made(case: Json) -> policy.PolicyFiles:
    return policy.policy_files("house", case["files"], styles.Style("conftest", **case.get("style", {})))


def ours(case: Json) -> list[tuple[str, str, str, bool]]:
    """Object, rule, message, whether excepted."""
    found = ONCE.violations(made(case), question(case))
    return sorted((one.object, one.rule, one.message, one.excepted) for one in found)


def theirs(case: Json, folder: pathlib.Path) -> list[tuple[str, str, str, bool]]:
    """The queries of conftest's engine, each by an OPA of its own; `rules` and `packages` are said by the case, not found out."""
    (folder / "rules").mkdir()
    for name, text in case["files"].items():
        path = folder / ("data.json" if not name.endswith(".rego") else f"rules/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = []
    for body in question(case).manifests:
        for package, rules in case["asks"].items():
            found += [row for rule in rules for row in _asked(case, folder, body, (package, rule))]
    return sorted(found)


def _asked(case: Json, folder: pathlib.Path, body: Json, at: tuple[str, str]) -> Iterator[tuple[str, str, str, bool]]:
    package, rule = at
    suffix = re.sub("^(deny|violation|warn)_?", "", rule)
    exceptions = _query(case, folder, body, f"count([1 | data.{package}.exception[_][_] == {json.dumps(suffix)}])")
    for one in _query(case, folder, body, f"data.{package}.{rule}") or []:
        name = rule if package == "main" else f"{package}.{rule}"
        yield f"{body['kind']} {body['metadata']['name']}", name, one if isinstance(one, str) else one["msg"], bool(exceptions)


def _query(case: Json, folder: pathlib.Path, body: Json, query: str) -> Any:  # noqa: ANN401 - any JSON
    old = ["--v0-compatible"] if case.get("style", {}).get("rego_version") == "v0" else []
    command = [
        OPA,
        "eval",
        *old,
        "--data=rules",
        *(["--data=data.json"] if (folder / "data.json").exists() else []),
        "--stdin-input",
        query,
    ]
    done = subprocess.run(command, cwd=folder, input=json.dumps(body).encode(), capture_output=True, check=True)
    result = json.loads(done.stdout).get("result")
    return result[0]["expressions"][0]["value"] if result else None


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES])
def test_we_find_what_conftests_queries_find(case: Any, tmp_path: pathlib.Path) -> None:  # noqa: ANN401
    found = ours(case)
    assert found == theirs(case, tmp_path)
    assert [list(one) for one in found] == case["finds"]


def refused(files: dict[str, str], **style: Any) -> str:  # noqa: ANN401
    with pytest.raises((policy.PolicyInvalid, policy.PolicyFailed)) as found:
        ours({"files": files, "style": style, "objects": [{"kind": "Pod"}]})
    return "; ".join(found.value.problems) if isinstance(found.value, policy.PolicyInvalid) else str(found.value)


@pytest.mark.parametrize(
    ("files", "style", "sentence"),
    [
        ({"a.rego": "package main\n\ndeny contains 5\n"}, {}, "gave a result without a message"),
        ({"a.rego": 'package main\n\ndeny contains {"message": "x"}\n'}, {}, "gave a result without a message"),
        ({"a.rego": 'package main\n\ndeny if input.kind == "Pod"\n'}, {}, "gave a result without a message"),
        ({"a.rego": 'package main\n\ndeny := "text"\n'}, {}, "gave a result without a message"),
        ({"a.rego": "package main\n\nallow := true\n"}, {}, "no rule deny, violation or warn in package main"),
        ({"a.rego": 'package other\n\ndeny contains "x"\n'}, {}, "in package main; its packages are other"),
        ({"a.rego": 'package main\n\ndeny contains "x"\n'}, {"namespaces": ("pods",)}, "in package pods; its packages are main"),
        ({"a.rego": 'package plane.main\n\ndeny contains "x"\n'}, {}, "the packages plane and system belong to"),
        ({"a.rego": 'package system.authz\n\ndeny contains "x"\n'}, {}, "the packages plane and system belong to"),
        ({"a.rego": 'package plane["main"]\n\ndeny contains "x"\n'}, {}, "must begin with `package NAME`"),
        ({"a.rego": "package main\n\ndeny contains data.conftest.file.name\n"}, {}, "a.rego:3: data.conftest.file is not known here"),
        ({"a.rego": 'package main\n\ndeny[msg] { msg := "x" }\n'}, {}, "a.rego:3:1: `if` keyword is required"),
        ({"a.rego": 'package main\n\ndeny contains "x" if http.send({}).status\n'}, {}, "undefined function http.send"),
        ({"a.rego": 'package main\n\ndeny contains "x"\n', "d.json": "[1]"}, {}, "d.json: a data file is a mapping"),
        ({"a.rego": 'package main\n\ndeny contains "x"\n', "d.yaml": "plane: {}"}, {}, "without the keys plane and system"),
        ({"a.rego": 'package main\n\ndeny contains "x"\n', "d.yaml": "a: 1", "e.yaml": "a: 2"}, {}, "e.yaml: a is in another data file"),
        ({"a.rego": 'package main\n\ndeny contains "x"\n', "../e.yaml": "a: 2"}, {}, "a file name consists of letters"),
    ],
)
def test_what_conftest_would_pass_over_in_silence_is_refused_or_denied(files: dict[str, str], style: Json, sentence: str) -> None:
    assert sentence in refused(files, **style)


def test_data_files_are_laid_over_each_other() -> None:
    files = {
        "a.rego": 'package main\n\ndeny contains data.words[name] if some name in ["a", "b"]\n',
        "one.yaml": "words: {a: from one}\n",
        "data/two.json": '{"words": {"b": "from two"}, "more": 1}',
    }
    assert [row[2] for row in ours({"files": files, "objects": [{"kind": "Pod"}]})] == ["from one", "from two"]


COMBINED = """package main

deny contains sprintf("%s wants %s", [one.path, wanted]) if {
	some one in input
	one.contents.kind == "Deployment"
	wanted := one.contents.account
	not wanted in {other.contents.metadata.name | some other in input; other.contents.kind == "ServiceAccount"}
}

exception contains ["all"]

warn_all contains "hm" if count(input) == 2
"""


def test_combined_packages_are_asked_once_about_all_objects() -> None:
    objects = [{"kind": "Deployment", "account": "n1"}, {"kind": "ServiceAccount"}]
    case = {"files": {"a.rego": COMBINED}, "style": {"combine": True}, "objects": objects}
    assert ours(case) == [("the release", "warn_all", "hm", True)]
    assert ours({**case, "objects": objects[:1]}) == [("the release", "deny", "Deployment n0 wants n1", False)]


@pytest.mark.parametrize(
    "text", [COMBINED, 'package main\n\ndeny contains "x" if input[i].contents.a\n', "package main\n\ndeny[m] { m := input[_].contents }\n"]
)
def test_what_was_written_for_combine_is_refused_where_it_would_say_nothing(text: str) -> None:
    with pytest.raises(policy.PolicyInvalid, match=r"a.rego:\d+: reads all files at once.*set combine"):
        ONCE.violations(policy.policy_files("house", {"a.rego": text}, styles.Style("conftest")), question({"objects": [{"kind": "Pod"}]}))


def test_what_merely_has_contents_is_asked_about_each_object() -> None:
    text = 'package main\n\ndeny contains "x" if input.contents.a == 1\n'
    assert ours({"files": {"a.rego": text}, "objects": [{"kind": "Pod", "contents": {"a": 1}}]}) == [("Pod n0", "deny", "x", False)]
