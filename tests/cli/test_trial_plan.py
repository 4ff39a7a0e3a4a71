"""`plane try plan`: the terms of an operation on the command line."""

import json
import pathlib
from typing import Any

import pytest
from click import testing

from plane.cli.trying import trial

DESIRED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: shop, labels: {tier: front}}
data: {x: "1"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, annotations: {argocd.argoproj.io/sync-wave: "1"}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: before, namespace: shop, annotations: {argocd.argoproj.io/hook: PreSync}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: bye, namespace: shop, annotations: {argocd.argoproj.io/hook: PreDelete}}
"""
LIVE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: shop, labels: {gitops-plane.io/app: x, tier: front}}
data: {x: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: old, namespace: shop, labels: {gitops-plane.io/app: x}, annotations: {argocd.argoproj.io/sync-options: Prune=confirm}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: theirs, namespace: shop, labels: {gitops-plane.io/app: another}}
"""
HOOK, APPLY = "PreSync 0 hook Job/before", "Sync 0 apply ConfigMap/a"
KEEP, LATER = "Sync 0 keep ConfigMap/old", "Sync 1 apply Deployment/web"


@pytest.fixture
def plan(tmp_path: pathlib.Path) -> Any:  # noqa: ANN401 a function
    (tmp_path / "desired.yaml").write_text(DESIRED)
    (tmp_path / "live.yaml").write_text(LIVE)
    files = ["--desired", str(tmp_path / "desired.yaml"), "--live", str(tmp_path / "live.yaml")]
    return lambda *words: testing.CliRunner().invoke(trial.group, ["plan", *files, *words])


def steps(result: testing.Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [
        f"{phase['phase']} {wave['wave']} {step['action']} {step['kind']}/{step['name']}"
        for phase in json.loads(result.stdout)["phases"]
        for wave in phase["waves"]
        for step in wave["steps"]
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [HOOK, KEEP, APPLY, LATER]),
        (["--approved"], [HOOK, "Sync 0 prune ConfigMap/old", APPLY, LATER]),
        (["--strategy", "apply"], [KEEP, APPLY, LATER]),
        (["--resource", "apps:Deployment:web"], [KEEP, LATER]),
        (["--resource", "!apps:Deployment:shop/web"], [KEEP, APPLY]),
        (["-l", "tier=front"], [KEEP, APPLY]),
        (["--sync-option", "ApplyOutOfSyncOnly=true"], [HOOK, KEEP, LATER]),
        (["--sync-option", "PruneLast=true", "--approved"], [HOOK, APPLY, LATER, "Sync 2 prune ConfigMap/old"]),
        (["--sync-option", "CreateNamespace=true", "-n", "shop"], ["PreSync 0 apply Namespace/shop", HOOK, KEEP, APPLY, LATER]),
        (["--remove"], ["PreDelete 0 hook Job/bye", "Sync 0 prune ConfigMap/a", "Sync 0 prune ConfigMap/old"]),
        (
            ["--remove", "--sync-option", "Delete=false"],
            ["PreDelete 0 hook Job/bye", "Sync 0 keep ConfigMap/a", "Sync 0 keep ConfigMap/old"],
        ),
    ],
)
def test_the_terms_change_the_plan(plan: Any, words: list[str], expected: list[str]) -> None:  # noqa: ANN401
    assert steps(plan(*words, "-o", "json")) == expected


def test_what_is_kept_says_why(plan: Any) -> None:  # noqa: ANN401
    (kept,) = [step for step in json.loads(plan("-o", "json").stdout)["phases"][1]["waves"][0]["steps"] if step["action"] == "keep"]
    assert kept["reason"] == "its sync option says Prune=confirm, and nobody has approved its deletion"


def test_an_option_without_effect_is_warned_about_beside_the_plan(plan: Any) -> None:  # noqa: ANN401
    result = plan("--sync-option", "PruneLasts=true", "-o", "json")
    assert json.loads(result.stdout)["phases"]
    assert result.stderr == "Warning: spec.syncPolicy.syncOptions: PruneLasts is no option that the plane knows; did you mean PruneLast?\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--sync-option", "Prune=maybe"],
            "spec.syncPolicy.syncOptions[0]: says Prune=maybe; use Prune=true, Prune=false or Prune=confirm",
        ),
        (["--resource", "web"], "'web' names no object; write group:kind:name"),
        (["--resource", "apps:Deployment:"], "'apps:Deployment:' names no object"),
        (["-l", "tier in front"], "'tier in front' is no condition; write key=value"),
        (["--strategy", "maybe"], "'maybe' is not one of 'hook', 'apply'"),
    ],
)
def test_wrong_use_is_one_sentence(plan: Any, words: list[str], sentence: str) -> None:  # noqa: ANN401
    result = plan(*words)
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.stderr
