"""`plane policy import`: what becomes of a folder of policies, and that what comes out is taken in."""

import json
import pathlib
from typing import Any

import msgspec
import pytest
from click import testing

from plane.cli.authoring import policy_import
from plane.wire import documents
from tests.support import rules

REGO = 'package main\n\ndeny contains "no" if input.kind == "Pod"\n'
OLD = 'package main\n\ndeny[msg] { msg := "no" }\n'
TEMPLATE = """apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: never}
spec:
  crd: {spec: {names: {kind: Never}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package never
        violation[{"msg": "no"}] { input.review.name }
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Never
metadata: {name: ever}
"""
ADMISSION = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: never}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "false"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: ever}
spec: {policyName: never, validationActions: [Warn]}
"""
OWN = 'package plane.rules.hosts\n\nviolations contains {"message": "no"}\n'
ALL = {
    "own/hosts.rego": rules.described(OWN),
    "rules/pods.rego": REGO,
    "rules/pods_test.rego": "package main_test\n",
    "rules/lists.rego": 'package lists\n\nwarn contains "old"\n',
    "rules/data.yaml": "teams: [red]\n",
    "gatekeeper/never.yaml": TEMPLATE,
    "gatekeeper/src.rego": "package never\n\nviolation[x] { x := input.review }\n",
    "admission/never.yaml": ADMISSION,
    "web/web.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
    "web/values.yaml": "replicas: 3\n",
}


def run(folder: pathlib.Path, files: dict[str, str], *words: str) -> testing.Result:
    for name, text in files.items():
        path = folder / "theirs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return testing.CliRunner().invoke(policy_import.command, [str(folder / "theirs"), *words])


def told(result: testing.Result) -> Any:  # noqa: ANN401 any JSON
    return json.loads(result.stdout)


def test_every_style_becomes_a_set_and_its_binding(tmp_path: pathlib.Path) -> None:
    result = run(tmp_path, ALL, "-o", "json", "--tenant", "acme", "--mode", "audit")
    assert result.exit_code == 0, result.output
    said = told(result)
    sets = [(one["metadata"]["name"], one["spec"], sorted(one["files"])) for one in said["documents"] if one["kind"] == "PolicySet"]
    assert sorted(sets, key=str) == [
        ("theirs-admission", {"mode": "off", "style": {"kind": "admission"}}, ["admission/never.yaml"]),
        ("theirs-conftest", {"mode": "off", "style": {"kind": "conftest"}}, ["rules/data.yaml", "rules/lists.rego", "rules/pods.rego"]),
        ("theirs-gatekeeper", {"mode": "off", "style": {"kind": "gatekeeper"}}, ["gatekeeper/never.yaml"]),
        ("theirs-plane", {"mode": "off"}, ["own/hosts.rego"]),
    ]
    bindings = {one["metadata"]["name"]: one["spec"] for one in said["documents"] if one["kind"] == "PolicyBinding"}
    assert bindings["theirs-plane"] == {"policySet": "theirs-plane", "mode": "audit"}
    assert {one["where"]: one["reason"] for one in said["left"]} == {
        "gatekeeper/src.rego": "reads input.review as Gatekeeper's rules do; they are asked where a ConstraintTemplate holds them",
        "rules/pods_test.rego": "is a test; `plane policy test` runs it",
        "web/values.yaml": "is no policy, and no data",
        "web/web.yaml": "holds Service, which is no policy that is understood",
    }
    bare = "its rules say no severity and no remedy; verdicts show the severity medium, no remedy"
    assert sorted(said["notes"]) == [
        f"theirs-admission: {bare}",
        f"theirs-conftest: {bare}",
        "theirs-conftest: package lists is not asked, as conftest asks main alone; name it in spec.style.namespaces",
        f"theirs-gatekeeper: {bare}",
    ]


def test_the_documents_are_documents_of_the_plane(tmp_path: pathlib.Path) -> None:
    for body in told(run(tmp_path, ALL, "-o", "json"))["documents"]:
        kind = {"PolicySet": documents.PolicySet, "PolicyBinding": documents.PolicyBinding}[body["kind"]]
        msgspec.convert(body, kind)


def test_old_modules_stay_old(tmp_path: pathlib.Path) -> None:
    result = run(tmp_path, {"a.rego": OLD}, "-o", "yaml")
    assert result.exit_code == 0, result.output
    assert "regoVersion: v0" in result.stdout
    assert "its modules are Rego v0, and run as such" in result.stderr


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"a.rego": "package main\n\ndeny contains {\n"}, "not understood: conftest: a.rego:"),
        ({"a.rego": "allow := true\n"}, "left out: a.rego: does not begin with `package NAME`"),
        ({"a.rego": OWN}, "not understood: plane: a.rego:1:1: there is no METADATA above the package"),
        ({"a.yaml": "a: ["}, "left out: a.yaml:"),
        ({"a.yaml": TEMPLATE.replace("[{", "[[{")}, "not understood: gatekeeper: v0/never.rego:2:"),
        ({"a.yaml": ADMISSION.replace('"false"', '"authorizer.x"')}, "asks the authorizer, which only the API server can"),
        ({}, "holds no policy that is understood"),
    ],
    ids=["syntax", "package", "METADATA", "YAML", "template", "CEL", "nothing"],
)
def test_what_is_not_understood_is_said_with_the_reason(tmp_path: pathlib.Path, files: dict[str, str], sentence: str) -> None:
    (tmp_path / "theirs").mkdir()
    result = run(tmp_path, files)
    assert (result.exit_code, sentence in result.output) == (1, True), result.output
