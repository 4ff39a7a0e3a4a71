"""Against the real programs; what a start costs is printed (`pytest -s`), never asserted."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest
from click import testing

from plane.domain import errors
from plane.run.devcluster import api, clusters, commands, state
from tests.support import waiting

PARTS = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}
CONTAINER = {"name": "main", "image": "registry.example/app:1.0.0"}
FATE = "gitops-plane.io/devcluster-fate"


def deployment(name: str, **labels: str) -> dict[str, object]:
    labels = {"app": name, **labels}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def job(name: str, **labels: str) -> dict[str, object]:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template, "backoffLimit": 0}}


def condition(item: dict[str, object] | None, wanted: str) -> bool:
    status = (item or {}).get("status")
    found = status.get("conditions", []) if isinstance(status, dict) else []
    return any(one["type"] == wanted and one["status"] == "True" for one in found)


def gone(pids: dict[str, int]) -> bool:
    return not any(about(pid).get("State", "Z")[0] not in "ZX" for pid in pids.values())


def about(pid: int) -> dict[str, str]:
    """/proc/PID/status; empty when there is none."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.fixture
def admin(cluster: clusters.DevCluster) -> api.Api:
    return api.admin(cluster.folder, cluster.server)


def test_a_deployment_becomes_available(admin: api.Api, namespace: str) -> None:
    admin.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment("web"))
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    sys.stdout.write(f"\na Deployment took {waiting.until(lambda: condition(admin.get(path), 'Available')):.2f} s to become Available\n")


def test_a_job_completes(admin: api.Api, namespace: str) -> None:
    admin.create(f"/apis/batch/v1/namespaces/{namespace}/jobs", job("once"))
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs/once"
    sys.stdout.write(f"\na Job took {waiting.until(lambda: condition(admin.get(path), 'Complete')):.2f} s to become Complete\n")


def test_a_job_can_be_told_to_fail(admin: api.Api, namespace: str) -> None:
    admin.create(f"/apis/batch/v1/namespaces/{namespace}/jobs", job("bad", **{FATE: "fails"}))
    waiting.until(lambda: condition(admin.get(f"/apis/batch/v1/namespaces/{namespace}/jobs/bad"), "Failed"))


def test_a_pod_can_be_told_never_to_be_ready(admin: api.Api, namespace: str) -> None:
    admin.create(f"/api/v1/namespaces/{namespace}/pods", pod("slow", **{FATE: "never-ready"}))
    waiting.until(lambda: phase(admin, namespace, "slow") == "Running")
    assert not condition(admin.get(f"/api/v1/namespaces/{namespace}/pods/slow"), "Ready")


def pod(name: str, **labels: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": {"containers": [CONTAINER]}}


def phase(admin: api.Api, namespace: str, name: str) -> object:
    status = (admin.get(f"/api/v1/namespaces/{namespace}/pods/{name}") or {}).get("status")
    return status.get("phase") if isinstance(status, dict) else None


def test_a_deleted_pod_goes_at_once(admin: api.Api, namespace: str) -> None:
    admin.create(f"/api/v1/namespaces/{namespace}/pods", pod("x"))
    waiting.until(lambda: phase(admin, namespace, "x") == "Running")
    admin.delete(f"/api/v1/namespaces/{namespace}/pods/x")
    waiting.until(lambda: admin.get(f"/api/v1/namespaces/{namespace}/pods/x") is None)


def test_a_service_account_may_do_nothing_until_a_role_says_so(
    cluster: clusters.DevCluster, namespace: str, tmp_path: pathlib.Path
) -> None:
    kubectl = ("kubectl", "--kubeconfig", str(cluster.kubeconfig), "--namespace", namespace)
    token = run(*kubectl, "create", "token", "default").stdout.strip()
    server = ("kubectl", "--server", cluster.server, "--certificate-authority", str(cluster.folder / "ca.crt"), "--token", token)
    assert "forbidden" in run(*server, "--namespace", namespace, "get", "configmaps", HOME=str(tmp_path)).stderr
    run(*kubectl, "create", "rolebinding", "look", "--clusterrole=view", f"--serviceaccount={namespace}:default")
    waiting.until(lambda: run(*server, "--namespace", namespace, "get", "configmaps", HOME=str(tmp_path)).returncode == 0)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(["/usr/bin/env", *command], env={"PATH": path, **environment}, capture_output=True, text=True, check=False)


def test_two_clusters_run_side_by_side(cluster: clusters.DevCluster, other_cluster: clusters.DevCluster) -> None:
    assert cluster.server != other_cluster.server
    assert api.nodes_ready(api.admin(cluster.folder, cluster.server)) == 2
    assert api.nodes_ready(api.admin(other_cluster.folder, other_cluster.server)) == 1


def test_memory_of_the_parts_is_printed(cluster: clusters.DevCluster) -> None:
    sizes = {name: int(about(pid)["VmRSS"].split()[0]) >> 10 for name, pid in cluster.pids.items()}
    sys.stdout.write(f"\nresident memory in MiB: {sizes}\n")
    assert sizes.keys() == PARTS | {"supervisor"}


def test_a_second_start_of_the_same_name_is_refused(cluster: clusters.DevCluster) -> None:
    with pytest.raises(errors.Conflict, match="runs already"):
        clusters.start(cluster.name, prefix=cluster.folder.parent)


def test_no_part_survives_its_supervisor(tmp_path: pathlib.Path) -> None:
    cluster = clusters.start("orphan", prefix=tmp_path)
    pids = cluster.pids
    os.kill(pids["supervisor"], signal.SIGKILL)
    waiting.until(lambda: gone(pids) and state.read_state(cluster.folder).status is state.Status.DEAD)
    cluster.stop()


def test_a_shared_cluster_ends_with_its_last_holder_though_that_is_killed(tmp_path: pathlib.Path) -> None:
    first = clusters.share("shared", prefix=tmp_path)
    pids = first.pids
    program = "import sys, pathlib, time\nfrom plane.run.devcluster import clusters\n"
    program += "clusters.share('shared', prefix=pathlib.Path(sys.argv[1]))\nprint('ready', flush=True)\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as last:
        assert last.stdout is not None
        assert last.stdout.readline() == b"ready\n"
        first.stop()
        assert api.admin(first.folder, first.server).ready()
        last.kill()
    waiting.until(lambda: gone(pids) and not first.folder.exists())


def test_a_crashed_part_is_named_with_the_end_of_its_log(tmp_path: pathlib.Path) -> None:
    cluster = clusters.start("crash", prefix=tmp_path)
    pids = cluster.pids
    os.kill(pids["kube-scheduler"], signal.SIGKILL)
    waiting.until(lambda: gone(pids))
    failed = state.read_state(cluster.folder)
    assert failed.status is state.Status.FAILED
    assert failed.detail.startswith("kube-scheduler: it was killed by SIGKILL; last lines of its log:\n")
    cluster.stop()


def test_a_part_that_does_not_start_is_named(tmp_path: pathlib.Path) -> None:
    folder = clusters.prepare("broken", nodes=1, prefix=tmp_path, audit_log=False, leashed=False)
    (folder / "apiserver.key").write_text("not a key")
    assert "kube-apiserver: it ended with exit code 1" in supervised(folder)


def supervised(folder: pathlib.Path) -> str:
    return run("python", "-m", "plane.run.devcluster.supervisor", str(folder)).stdout


def test_the_command_line_starts_in_place_of_a_dead_one_lists_and_stops_leaving_nothing(tmp_path: pathlib.Path) -> None:
    def plane(*words: str) -> testing.Result:
        return testing.CliRunner().invoke(commands.command, [*words, "--prefix", str(tmp_path)])

    folder = clusters.prepare("cli", nodes=1, prefix=tmp_path, audit_log=False, leashed=False)
    assert "cli is ready after" in plane("up", "cli", "--audit-log").output
    pids = clusters.find("cli", prefix=tmp_path).pids
    assert plane("list").output.startswith("cli\tready\thttps://127.0.0.1:")
    assert "client-certificate-data" in plane("kubeconfig", "cli").output
    assert plane("up", "cli").exit_code == 5
    says_who_did_what_without_bodies(folder / "audit.log")
    assert plane("down", "cli").output == "cli is gone\n"
    assert plane("list").output == ""
    assert gone(pids)
    assert not folder.exists()


def says_who_did_what_without_bodies(audit_log: pathlib.Path) -> None:
    """The audit log of a running cluster."""
    cluster = clusters.find(audit_log.parent.name, prefix=audit_log.parent.parent)
    secret = {"metadata": {"name": "s"}, "stringData": {"k": "hunter2"}}
    api.admin(cluster.folder, cluster.server).create("/api/v1/namespaces/default/secrets", secret)
    text = audit_log.read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert any(one["user"]["username"] == "admin" and one.get("objectRef", {}).get("name") == "s" for one in events)
    assert "hunter2" not in text


def test_a_foreground_cluster_ends_with_ctrl_c(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-m", "plane", "devcluster", "up", "fore", "--foreground", "--prefix", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as foreground:
        assert foreground.stdout is not None
        assert b"fore is ready after" in foreground.stdout.readline()
        pids = clusters.find("fore", prefix=tmp_path).pids
        foreground.send_signal(signal.SIGINT)
        assert foreground.wait(waiting.PATIENCE_S) == 0
    assert gone(pids)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("up", "Web"), "NAME: 'Web' is not a name: use up to 40 lower-case letters, digits and dashes, with no dash at an end"),
        (("up", "x", "--kube-version", "1.20"), "--kube-version: Kubernetes 1.20 is not available, "),
        (("down", "x"), "development cluster 'x' was not found"),
        (("kubeconfig", "x"), "development cluster 'x' was not found"),
    ],
    ids=str,
)
def test_a_refusal_is_one_sentence(tmp_path: pathlib.Path, words: tuple[str, ...], sentence: str) -> None:
    said = testing.CliRunner().invoke(commands.command, [*words, "--prefix", str(tmp_path)])
    assert said.exit_code in {2, 4}
    assert said.output.startswith(f"Error: {sentence}")
    assert said.output.count("\n") == 1
