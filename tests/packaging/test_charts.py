"""What the charts render is what a real API server takes, under the strictest pod security, and what the programs understand."""

import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from click import testing

from plane import __main__ as program
from plane import config
from tests.packaging import charts
from tests.support import cases

ACCEPTED = cases.load("packaging/accepted.yaml")
REFUSED = cases.load("packaging/refused.yaml")
Case = dict[str, Any]


def kubectl(kubeconfig: pathlib.Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [config.program("kubectl"), "--kubeconfig", str(kubeconfig), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("chart", ["plane", "plane-agent"])
def test_helm_finds_nothing_to_complain_about(chart: str) -> None:
    command = [config.program("helm"), "lint", "--strict", str(charts.ROOT / "charts" / chart)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["name"])
def test_a_cluster_takes_what_a_chart_renders(case: Case, kubeconfig: pathlib.Path, namespace: str) -> None:
    level = "pod-security.kubernetes.io/warn=restricted"
    assert kubectl(kubeconfig, "label", "namespace", namespace, level).returncode == 0
    text = charts.rendered(case["chart"], case["values"], namespace=namespace)
    done = kubectl(kubeconfig, "apply", "--dry-run=server", "--validate=strict", "-f", "-", given=text)
    assert done.returncode == 0, done.stderr
    assert "violate PodSecurity" not in done.stderr


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_a_chart_refuses_values_that_cannot_work(case: Case) -> None:
    done = charts.template(case["chart"], case["values"])
    assert done.returncode != 0
    assert case["message"] in done.stderr


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["name"])
def test_every_container_names_settings_that_exist(case: Case) -> None:
    known = {f"PLANE_{name.upper()}" for name in config.Settings.__struct_fields__} | {"PLANE_JOIN_TOKEN"}
    pods = charts.pods(charts.objects(charts.rendered(case["chart"], case["values"])))
    named = {variable["name"] for pod in pods for container in pod["containers"] for variable in container.get("env", ())}
    assert {name for name in named if name.startswith("PLANE_")} <= known


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["name"])
def test_every_container_runs_a_command_that_exists(case: Case) -> None:
    pods = charts.pods(charts.objects(charts.rendered(case["chart"], case["values"])))
    for words in [container["args"] for pod in pods for container in pod["containers"] if "args" in container]:
        path = [word for word in words if not word.startswith("--")]
        asked = testing.CliRunner().invoke(program.main, [*path, "--help"])
        assert asked.exit_code == 0, asked.output
        assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in asked.output] == []


def test_no_service_can_lend_its_address_to_a_setting() -> None:
    """Kubernetes would set PLANE_PORT=tcp://… for a Service named plane."""
    pods = [pod for case in ACCEPTED for pod in charts.pods(charts.objects(charts.rendered(case["chart"], case["values"])))]
    assert pods
    assert all(pod["enableServiceLinks"] is False for pod in pods)


def test_only_the_migration_sees_the_owner_of_the_tables() -> None:
    found = charts.objects(charts.rendered("plane", {}))
    holders = [one["metadata"]["name"] for one in found if "PLANE_MIGRATION_URL" in str(one)]
    assert holders == ["demo-plane-migration"]


@pytest.fixture
def bound(kubeconfig: pathlib.Path, namespace: str) -> Iterator[str]:
    """The agent's account, bound to its own namespace; yields that namespace."""
    rules = {"rbac": {"mode": "namespaces", "namespaces": [namespace]}}
    text = charts.rendered("plane-agent", rules, namespace=namespace)
    kinds = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    wanted = "---\n".join(part for part in text.split("---\n") if any(f"\nkind: {kind}\n" in part for kind in kinds))
    done = kubectl(kubeconfig, "apply", "-f", "-", given=wanted)
    assert done.returncode == 0, done.stderr
    yield namespace
    kubectl(kubeconfig, "delete", "clusterrole,clusterrolebinding", f"{namespace}:demo-plane-agent", "--wait=false")


def test_the_agent_of_some_namespaces_may_do_its_work_and_no_more(bound: str, kubeconfig: pathlib.Path) -> None:
    table = cases.load("packaging/rights.yaml")
    account = f"system:serviceaccount:{bound}:demo-plane-agent"
    wrong = []
    for may, questions in table.items():
        for question in questions:
            words = question.replace("OWN", bound).split()
            answer = kubectl(kubeconfig, "auth", "can-i", "--as", account, "--as-group", "system:authenticated", *words).stdout.strip()
            wrong += [question] if (answer == "yes") is not (may == "may") else []
    assert wrong == []


def settings(chart: str, values: dict[str, Any], kind: str) -> tuple[dict[str, str], dict[str, str]]:
    """Where a workload's program looks for files, by setting or flag, and the volume behind each folder."""
    [pod] = [
        one["spec"]["template"]["spec"]
        for one in charts.objects(charts.rendered(chart, values))
        if one["kind"] == "Deployment" and one["metadata"]["name"].endswith(kind)
    ]
    [container] = pod["containers"]
    flags = dict(word.split("=", 1) for word in container["args"] if "=" in word)
    named = {one["name"]: one["value"] for one in container.get("env", ()) if "value" in one}
    return flags | named, {one["mountPath"]: one["name"] for one in container["volumeMounts"]}


@pytest.mark.parametrize(
    ("chart", "kind", "values", "setting"),
    [
        (
            "plane",
            "server",
            {"server": {"tls": {"existingSecret": "t", "clientCAConfigMap": {"name": "b", "key": "k"}}}},
            "PLANE_TLS_CLIENT_CA",
        ),
        ("plane", "server", {"login": {"existingSecret": {"name": "l", "key": "k"}}}, "PLANE_LOGIN_FILE"),
        ("plane-agent", "agent", {"certificate": {"existingSecret": "c"}}, "--certificate-file"),
        ("plane-agent", "agent", {"certificate": {"csi": {"driver": "d.example"}}}, "--certificate-key-file"),
    ],
)
def test_a_file_that_a_program_is_told_of_is_mounted(chart: str, kind: str, values: dict[str, Any], setting: str) -> None:
    told, mounted = settings(chart, values, kind)
    assert str(pathlib.PurePath(told[setting]).parent) in mounted
    assert setting not in settings(chart, {}, kind)[0]


def test_another_join_token_makes_the_agent_begin_anew() -> None:
    """A revoked agent goes on running, and would never look at the token that it may come back with."""
    rendered = [charts.objects(charts.rendered("plane-agent", {"join": {"token": token}})) for token in ("one", "one", "two", "")]
    [first, again, other, none] = [[one["spec"]["template"] for one in found if one["kind"] == "Deployment"] for found in rendered]
    assert (first == again, first == other) == (True, False)
    assert "one" not in str(first)
    assert "annotations" not in none[0]["metadata"]
