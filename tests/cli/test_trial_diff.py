"""`plane try diff` with an App's rules, and with what others added."""

import json
import pathlib

import pytest
from click import testing

from plane.cli.trying import trial

DESIRED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 1, template: {spec: {containers: [{name: w, image: 'w:1'}]}}}
"""
LIVE = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {team: blue}
  managedFields:
    - {manager: kubectl-label, operation: Update, time: "2026-08-01T00:00:00Z", fieldsV1: {"f:metadata": {"f:labels": {"f:team": {}}}}}
    - {manager: hpa, operation: Update, subresource: scale, fieldsV1: {"f:spec": {"f:replicas": {}}}}
spec: {replicas: 5, template: {spec: {containers: [{name: w, image: 'w:2'}]}}}
"""
APP = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec: {ignoreDifferences: [%s]}\n"


@pytest.fixture
def files(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "d.yaml").write_text(DESIRED)
    (tmp_path / "l.yaml").write_text(LIVE)
    return tmp_path


def run(files: pathlib.Path, *more: str, rules: str = "") -> testing.Result:
    if rules:
        (files / "app.yaml").write_text(APP % rules)
        more = (*more, "--app", str(files / "app.yaml"))
    return testing.CliRunner().invoke(
        trial.group, ["diff", "--desired", str(files / "d.yaml"), "--live", str(files / "l.yaml"), *more], standalone_mode=True
    )


def pointers(result: testing.Result) -> list[str]:
    return [pointer for change in json.loads(result.stdout) for pointer in change["fields"]]


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("", ["/spec/replicas", "/spec/template/spec/containers/0/image"]),
        ("{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}", ["/spec/template/spec/containers/0/image"]),
        ("{group: apps, kind: Deployment, managedFieldsManagers: [hpa]}", ["/spec/template/spec/containers/0/image"]),
        ("{group: '*', kind: '*', jqPathExpressions: ['.spec.template.spec.containers[].image']}", ["/spec/replicas"]),
        ("{kind: Deployment, jsonPointers: [/spec]}", ["/spec/replicas", "/spec/template/spec/containers/0/image"]),
        ("{group: apps, kind: Deployment, jsonPointers: [/spec/replicas], jqPathExpressions: [.spec.template]}", []),
    ],
)
def test_rules_of_an_app_count(files: pathlib.Path, rules: str, left: list[str]) -> None:
    result = run(files, "-o", "json", rules=rules)
    assert pointers(result) == left
    assert result.exit_code == bool(left)


def test_a_rule_that_is_none_is_wrong_use(files: pathlib.Path) -> None:
    result = run(files, rules="{group: apps, kind: Deployment, jqPathExpressions: ['.a[']}")
    assert result.exit_code == 2
    assert "'.a[' is no jq expression" in result.stderr


def test_what_others_added_is_shown_by_who_owns_it(files: pathlib.Path) -> None:
    shown = json.loads(run(files, "--foreign", "-o", "json").stdout)[1]
    assert (shown["action"], shown["fields"], shown["manager"], shown["time"]) == (
        "extra",
        ["/metadata/labels/team"],
        "kubectl-label",
        "2026-08-01T00:00:00Z",
    )


def test_an_object_that_may_stand_beside_others_is_no_difference(files: pathlib.Path) -> None:
    extra = (
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {argocd.argoproj.io/compare-options: IgnoreExtraneous}}\n"
    )
    (files / "l.yaml").write_text(DESIRED + extra)
    assert run(files).exit_code == 0


def test_what_would_be_taken_over_comes_first_with_what_goes(files: pathlib.Path) -> None:
    helm = '{manager: helm, operation: Update, fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:hostname": {}}}}}}'
    (files / "l.yaml").write_text(
        LIVE.replace("managedFields:", f"managedFields:\n    - {helm}").replace("spec: {containers", "spec: {hostname: h, containers")
    )
    taken = json.loads(run(files, "--foreign", "-o", "json").stdout)[0]
    assert (taken["action"], taken["manager"], taken["fields"]) == ("takeover", "helm", ["/spec/template/spec/hostname"])
    assert "taken over from helm" in run(files).stdout
