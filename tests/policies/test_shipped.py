"""The shipped rules, asked as releases ask them; `opa test policies` has their finer points."""

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from plane import config
from plane.adapters.judging import opa, opa_files
from plane.domain.judging import policy
from tests.support import cases

Json = dict[str, Any]

SHIPPED = opa_files.shipped()
CONTEXT = policy.PolicyContext(tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z")
FOLDER = pathlib.Path(__file__).parents[2] / "policies"

# Where each kind keeps its pod.
KINDS: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Rollout": ("spec", "template"),
    "PodTemplate": ("template",),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[opa.Opa]:
    with contextlib.closing(opa.Opa(config.program("opa"), SHIPPED.base, deadline_s=30)) as found:
        yield found


def violations(engine: opa.Opa, manifest: Json, parameters: dict[str, Json] | None = None) -> tuple[policy.Violation, ...]:
    return engine.violations(SHIPPED.rules, policy.PolicyInput((manifest,), CONTEXT, parameters or {}))


def named(pod: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "labels": labels}, "spec": pod}


def within(kind: str, pod: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"spec": pod}
    for name in reversed(KINDS[kind]):
        body = {name: body}
    return {"apiVersion": "x.example/v1", "kind": kind, "metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "web"}}, **body}


@pytest.mark.parametrize(("name", "case"), cases.named("policy"), ids=[name for name, _ in cases.named("policy")])
def test_a_pod_is_judged(engine: opa.Opa, name: str, case: dict[str, Any]) -> None:
    labels = case.get("labels", {"app.kubernetes.io/name": "web"})
    expected = [policy.Violation(policy="starter", object="Pod shop/web", **wanted) for wanted in case["expected"]]
    assert list(violations(engine, named(case["pod"], labels), case.get("parameters"))) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_no_workload_kind_hides_a_privileged_container(engine: opa.Opa, kind: str) -> None:
    requests = {"limits": {"cpu": 1, "memory": "1Gi"}}
    container = {"name": "main", "image": "a:1", "securityContext": {"privileged": True}, "resources": requests}
    found = violations(engine, within(kind, {"containers": [container], "initContainers": [container]}))
    assert [one.message for one in found] == ['container "main" runs privileged', 'init container "main" runs privileged']


ODD: list[Json] = [
    {"spec": None},
    {"spec": "text"},
    {"spec": {"containers": None}},
    {"spec": {"template": None}},
    {"metadata": {"name": "a", "labels": None}},
]


@pytest.mark.parametrize("body", ODD, ids=str)
def test_an_odd_object_is_judged_without_ado(engine: opa.Opa, body: dict[str, Any]) -> None:
    assert violations(engine, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, **body}) == ()


def test_the_shipped_set_compiles_as_it_runs(engine: opa.Opa) -> None:
    engine.check(SHIPPED.rules)
    assert {pathlib.PurePath(name).parts[0] for name in SHIPPED.base} == {"main.rego", "lib"}


def test_every_rule_says_who_it_is_and_what_helps() -> None:
    for name, text in SHIPPED.texts.items():
        for word in ("# title: ", "# description: ", "#   id: ", "#   severity: ", "#   remedy: ", "#   parameters:"):
            assert word in text, f"{name} lacks {word}"


def test_the_rules_own_tests_pass() -> None:
    done = subprocess.run([config.program("opa"), "test", str(FOLDER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_formatted_and_strict() -> None:
    for words in (["fmt", "--fail", "--list"], ["check", "--strict"]):
        done = subprocess.run([config.program("opa"), *words, str(FOLDER)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
