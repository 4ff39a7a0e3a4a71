"""The whole plane under the bench workload: first sync, one commit, drift, idle, memory; beside the bare loop on the same machine.

    python -m benchmarks.fleet [--apps 1000] [--idle 300] [--json FILE]

A development cluster, `plane up`, one agent, a Git host. The clock of the first sync starts when the repository becomes known, with all
apps declared, and stops when every Deployment is Available and the plane says so of every app. As in the bare loop, nobody lists the
cluster while work is going on: what is asked meanwhile is one count in the plane's database.
"""

import argparse
import concurrent.futures
import contextlib
import functools
import json
import os
import pathlib
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg

from benchmarks import floor, meters, workload
from plane.adapters.judging import opa_files
from plane.run import children, devgit, up
from plane.run.devcluster import clusters

PLACE = "/api/v1/tenants/bench/projects/bench"
DRIFTS = 40
NODES = 12  # a node takes 110 pods
PATIENCE_S = 900.0
CHANGE = json.dumps({"data": {"greeting": "drifted"}})
SHORT = 10  # below it a figure needs its decimals
DONE = "SELECT count(*) FROM app_states WHERE sync = 'Synced' AND health = 'Healthy'"
GIT = shutil.which("git") or "git"


class Bench:
    """A running plane with one cluster and N declared apps."""

    def __init__(self, made: up.Installation, family: children.Family, cluster: clusters.DevCluster, git: devgit.DevGit) -> None:
        tls = ssl.create_default_context(cafile=str(made.ca_file))
        headers = {"Authorization": f"Bearer {made.token_file.read_text()}"}
        self.http = httpx.Client(base_url=made.url, headers=headers, verify=tls, timeout=60)
        self.made, self.family, self.cluster, self.git = made, family, cluster, git
        self.requests = meters.Requests(cluster.server, cluster.folder)
        admin = ssl.create_default_context(cafile=str(cluster.folder / "ca.crt"))
        admin.load_cert_chain(cluster.folder / "admin.crt", cluster.folder / "admin.key")
        self.kube = httpx.Client(base_url=cluster.server, verify=admin, timeout=60)
        socket = (made.folder / "postgres" / "postmaster.pid").read_text().splitlines()[4]
        self.database = psycopg.connect(host=socket, user="postgres", dbname="postgres", autocommit=True)

    def put(self, path: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        """Create a document."""
        body = {"apiVersion": "gitops-plane.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        answer = self.http.put(f"{path}/{name}", json=body)
        if answer.is_error:
            raise SystemExit(f"{kind} {name}: {answer.text}")

    def pids(self) -> dict[str, int]:
        """Of the processes that were started, by name."""
        postgres = int((self.made.folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        return {**{child.name: child.pid for child in self.family.members}, "postgres": postgres}

    def until(self, holds: Callable[[], bool], *, every_s: float) -> float:
        """Seconds until it holds."""
        begun = time.monotonic()
        while not holds():
            if time.monotonic() - begun > PATIENCE_S:
                raise SystemExit("it did not get there; see the logs in " + str(self.made.folder / "logs"))
            time.sleep(every_s)
        return time.monotonic() - begun

    def shows(self, path: str, field: str, wanted: str) -> bool:
        """Whether a ConfigMap holds a value."""
        found: str = self.kube.get(path).json()["data"][field]
        return found == wanted

    def available(self) -> int:
        """Deployments of the workload with an available replica."""
        found = self.kube.get("/apis/apps/v1/deployments", params={"labelSelector": workload.LABEL, "resourceVersion": "0"}).json()["items"]
        return sum(int(one.get("status", {}).get("availableReplicas", 0)) >= 1 for one in found)

    def done(self) -> int:
        """Apps that are synced and healthy, by one count in the database: watching through the API would cost more than the work."""
        row = self.database.execute(DONE).fetchone()
        return int(row[0]) if row else 0

    def transactions(self) -> int:
        """Those of the database till now, as far as its processes have told of theirs."""
        row = self.database.execute("SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database").fetchone()
        return int(row[0]) if row else 0

    def healthy(self) -> int:
        """Apps that the plane says are synced and healthy."""
        count: int = 0
        cursor = ""
        while True:
            page = self.http.get(f"{PLACE}/apps", params={"limit": 500, "cursor": cursor}).json()
            count += sum(one["status"].get("sync") == "Synced" and one["status"].get("health") == "Healthy" for one in page["items"])
            cursor = str(page.get("next", ""))
            if not cursor:
                return count


@contextlib.contextmanager
def running(folder: pathlib.Path, *, apps: int) -> Iterator[Bench]:
    """Everything started, the agent joined, apps declared, the repository not known yet."""
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(clusters.start("bench", nodes=NODES, prefix=folder / "clusters"))
        subprocess.run(
            [shutil.which("kubectl") or "kubectl", "--kubeconfig", str(cluster.kubeconfig), "apply", "-f", "-"],
            input=workload.namespaces(),
            text=True,
            check=True,
            capture_output=True,
        )
        git = stack.enter_context(devgit.start(_made(folder / "git")))
        _host_workload(git, folder / "work", apps)
        made, family = stack.enter_context(up.running(folder / "plane", environment={"PLANE_GIT_NETWORKS": "127.0.0.0/8"}))
        bench = Bench(made, family, cluster, git)
        _declare(bench, apps)
        _join(bench)
        yield bench


def _host_workload(git: devgit.DevGit, work: pathlib.Path, apps: int) -> None:
    """The workload's repository, its bytes and commit ids unchanged, behind the Git host."""
    work.mkdir()
    first = workload.init(work, apps=apps)
    subprocess.run([GIT, "clone", "--quiet", "--bare", str(work), str(git.root / "repositories" / "bench.git")], check=True)
    subprocess.run([GIT, "-C", str(work), "remote", "add", "host", str(git.root / "repositories" / "bench.git")], check=True)
    print(f"workload: {apps} apps, first commit {first[:12]}", flush=True)


def _declare(bench: Bench, apps: int) -> None:
    bench.put("/api/v1/tenants", "Tenant", "bench", {})
    bench.put("/api/v1/tenants/bench/projects", "Project", "bench", {})
    bench.put("/api/v1/clusters", "Cluster", "bench", {"grants": [{"tenant": "bench", "namespaces": ["bench-*"]}]})
    body = {
        "apiVersion": "gitops-plane.io/v1",
        "kind": "PolicySet",
        "metadata": {"name": "baseline"},
        "spec": {"mode": "warn", "rules": {"I02": "deny", "W01": "deny"}},
        "files": opa_files.shipped().rules.files,
    }
    bench.http.put("/api/v1/policies/baseline", json=body).raise_for_status()

    def declare(index: int) -> None:
        source = {"repoURL": bench.git.url_of("bench"), "path": f"apps/{workload.app_name(index)}", "targetRevision": "main"}
        automated = {"automated": {"prune": True, "selfHeal": True}}
        bench.put(
            f"{PLACE}/apps",
            "App",
            workload.app_name(index),
            {"source": source, "destination": {"cluster": "bench", "namespace": workload.namespace_name(index)}, "syncPolicy": automated},
        )

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        list(threads.map(declare, range(apps)))
    print(f"declared {apps} apps over REST in {time.monotonic() - begun:.1f} s", flush=True)


def _join(bench: Bench) -> None:
    token = bench.made.folder / "bench.join"
    token.write_text(bench.http.post("/api/v1/clusters/bench/join").raise_for_status().json()["token"])
    argv = [
        sys.executable,
        "-m",
        "plane",
        "agent",
        "run",
        "--plane",
        bench.made.url,
        "--plane-ca",
        str(bench.made.ca_file),
        "--join-token-file",
        str(token),
    ]
    argv += ["--kubeconfig", str(bench.cluster.kubeconfig), "--state-dir", str(bench.made.folder / "agent")]
    bench.family.start("agent", argv, env=os.environ)
    bench.until(lambda: '"connected"' in bench.http.get("/api/v1/clusters/bench").text, every_s=0.1)
    bench.until(lambda: not _due(bench), every_s=0.2)


def _due(bench: Bench) -> bool:
    """Whether the worker still has apps to look at for the first time."""
    page = bench.http.get(f"{PLACE}/apps", params={"limit": 500}).json()["items"]
    return any("decision" not in one["status"] for one in page)


def first_sync(bench: Bench, apps: int) -> dict[str, float]:
    """From the repository being known to everything healthy."""
    before = {name: meters.usage(pid) for name, pid in bench.pids().items()}
    calls, transactions = bench.requests.read(), bench.transactions()
    begun = time.monotonic()
    bench.put(f"{PLACE}/repositories", "Repository", "bench", {"url": bench.git.url_of("bench"), "caPem": bench.git.ca_file.read_text()})
    bench.until(lambda: bench.done() >= apps, every_s=0.25)
    bench.until(lambda: bench.available() >= apps and bench.healthy() >= apps, every_s=0.25)
    row = {"healthy_s": time.monotonic() - begun}
    after = {name: meters.usage(pid) for name, pid in bench.pids().items()}
    row |= {f"cpu_{name}_s": after[name].cpu_s - before[name].cpu_s for name in before}
    row["cpu_per_app_ms"] = sum(after[name].cpu_s - before[name].cpu_s for name in before) / apps * 1000
    row["transactions_per_app"] = (bench.transactions() - transactions) / apps
    return {**row, "api_requests": float(_ours(bench, calls))}


def _ours(bench: Bench, before: Any) -> int:  # noqa: ANN401 - a Counter
    """Requests only a GitOps agent makes here: applies, deletions, and writes of its own fences."""
    spent = bench.requests.read() - before
    return sum(count for (verb, _), count in spent.items() if verb in {"APPLY", "DELETE"})


def one_commit(bench: Bench, work: pathlib.Path, *, times: int = 5) -> dict[str, float]:
    """A push to one app of all: seconds from the refresh call to the changed object, and applies it cost."""
    took, calls = [], []
    for number in range(1, times + 1):
        workload.touch(work, ["7"])
        subprocess.run([GIT, "-C", str(work), "push", "--quiet", "host", "main"], check=True)
        before = bench.requests.read()
        begun = time.monotonic()
        bench.http.post(f"{PLACE}/apps/{workload.app_name(7)}/refresh", json={}).raise_for_status()
        path = f"/api/v1/namespaces/{workload.namespace_name(7)}/configmaps/{workload.app_name(7)}"
        bench.until(functools.partial(bench.shows, path, "revision", str(number)), every_s=0.01)
        took.append(time.monotonic() - begun)
        time.sleep(1)
        calls.append(_ours(bench, before))
    return {"median_s": statistics.median(took), "worst_s": max(took), "applies": statistics.median(calls)}


def drift(bench: Bench, apps: int) -> dict[str, float]:
    """One object changed by another manager, put back by the agent: seconds by a reader in a loop."""
    took = []
    for number in range(DRIFTS):
        index = number * 13 % apps
        path = f"/api/v1/namespaces/{workload.namespace_name(index)}/configmaps/{workload.app_name(index)}"
        wanted = bench.kube.get(path).json()["data"]["greeting"]
        headers = {"Content-Type": "application/merge-patch+json"}
        bench.kube.patch(path, params={"fieldManager": "somebody"}, headers=headers, content=CHANGE).raise_for_status()
        took.append(bench.until(functools.partial(bench.shows, path, "greeting", wanted), every_s=0.005))
    took.sort()
    return {"p50_s": statistics.median(took), "p99_s": took[-1]}


def idle(bench: Bench, seconds: int) -> dict[str, float]:
    """Nothing happens: what does it cost?"""
    time.sleep(5)
    pids, before, calls = bench.pids(), {}, bench.requests.read()
    before = {name: meters.usage(pid).cpu_s for name, pid in pids.items()}
    time.sleep(seconds)
    spent = {f"cpu_{name}_s": meters.usage(pid).cpu_s - before[name] for name, pid in pids.items()}
    applied = bench.requests.read() - calls
    return {
        "seconds": seconds,
        "cpu_s": sum(spent.values()),
        **spent,
        "applies": sum(count for (verb, _), count in applied.items() if verb == "APPLY"),
    }


def memory(bench: Bench) -> dict[str, float]:
    """Resident MiB by process, with what it started."""
    return {name: meters.usage(pid).rss_bytes / 2**20 for name, pid in bench.pids().items()}


def main() -> None:
    """Run it and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apps", type=int, default=workload.APPS)
    parser.add_argument("--idle", type=int, default=300)
    parser.add_argument("--no-floor", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    given = parser.parse_args()
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="plane-bench-") as name:
        folder = pathlib.Path(name)
        if not given.no_floor:
            rows["bare loop"] = floor.measure(folder, apps=given.apps, nodes=NODES)
            _print("bare loop", rows["bare loop"])
        with running(folder, apps=given.apps) as bench:
            steps: list[tuple[str, Callable[[], dict[str, float]]]] = [
                ("first sync", lambda: first_sync(bench, given.apps)),
                ("one commit", lambda: one_commit(bench, folder / "work")),
                ("drift", lambda: drift(bench, given.apps)),
                ("memory MiB", lambda: memory(bench)),
                ("idle", lambda: idle(bench, given.idle)),
            ]
            for step, measure in steps:
                rows[step] = measure()
                _print(step, rows[step])
    if "bare loop" in rows:
        _print("ratio", {"first sync / bare loop": rows["first sync"]["healthy_s"] / rows["bare loop"]["healthy_s"]})
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


def _print(step: str, row: dict[str, float]) -> None:
    print(
        f"{step:12}  " + "  ".join(f"{name} {value:.3g}" if value < SHORT else f"{name} {value:.1f}" for name, value in row.items()),
        flush=True,
    )


def _made(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
