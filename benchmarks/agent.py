"""The agent alone against the floor: the bench workload handed to it by the test end of the plane, each in a fresh development cluster.

    python -m benchmarks.agent [--apps 1000] [--drifts 100] [--idle 60] [--json]

Seconds to applied and to all healthy beside the bare loop's, the agent's CPU and memory, API requests by verb and resource (audit log),
drift healed p50 and p99, and what an idle minute costs.
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import aiohttp

from benchmarks import floor, workload
from plane.run.devcluster import clusters
from tests.agent import plane_end

TICKS = os.sysconf("SC_CLK_TCK")
USER_AGENT = "gitops-plane-agent"


class Agent:
    """A running agent process."""

    def __init__(self, plane: plane_end.PlaneEnd, kubeconfig: pathlib.Path, folder: pathlib.Path) -> None:
        self.log = folder / "agent.log"
        command = [sys.executable, "-m", "plane", "agent", "run", "--plane", plane.url, "--kubeconfig", str(kubeconfig)]
        with self.log.open("w") as log:
            environment = {**os.environ, "PLANE_JOIN_TOKEN": plane_end.JOIN_TOKEN}
            self._process = subprocess.Popen([*command, "--state-dir", str(folder / "state")], env=environment, stderr=log)

    def cpu_s(self) -> float:
        """User and system time so far."""
        fields = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self, field: str = "VmRSS") -> int:
        """Resident memory now, or its peak (VmHWM)."""
        lines = pathlib.Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(field))

    def stop(self) -> int:
        """Ask it to end."""
        self._process.terminate()
        return self._process.wait(30)


class Requests:
    """The agent's requests in a cluster's audit log since the last look."""

    def __init__(self, log: pathlib.Path) -> None:
        self._log = log
        self._at = 0

    def since(self) -> dict[str, int]:
        """Verb and resource → number."""
        with self._log.open() as log:
            log.seek(self._at)
            lines = [json.loads(line) for line in log if USER_AGENT in line]
            self._at = log.tell()
        ended = [line for line in lines if line["stage"] == "ResponseComplete"]
        named = (f"{line['verb']} {line.get('objectRef', {}).get('resource', line['requestURI'])}" for line in ended)
        return dict(collections.Counter(named).most_common())


async def measure(given: argparse.Namespace, cluster: clusters.DevCluster, folder: pathlib.Path) -> dict[str, Any]:
    """All figures of the agent in one cluster."""
    async with await floor.session(str(cluster.kubeconfig), connections=8) as api:
        await floor.create_namespaces(api, given.groups)
        with plane_end.PlaneEnd() as plane:
            agent = Agent(plane, cluster.kubeconfig, folder)
            try:
                await asyncio.to_thread(plane.wait, lambda: plane.capabilities is not None, "the agent's first word", within=30)
                requests = Requests(cluster.folder / "audit.log")
                requests.since()
                rows = {"first_sync": await _first_sync(given, plane, agent) | {"requests": requests.since()}}
                rows["one_commit"] = await _one_commit(plane) | {"requests": requests.since()}
                rows["drift"] = await _drift(given, api, agent)
                await asyncio.sleep(5)
                requests.since()
                rows["idle"] = await _idle(given, agent) | {"requests": requests.since()}
            finally:
                agent.stop()
    return rows


async def _first_sync(given: argparse.Namespace, plane: plane_end.PlaneEnd, agent: Agent) -> dict[str, Any]:
    bundles = {
        f"id-{index:04d}": plane.release(f"id-{index:04d}", *workload.objects(index, given.groups).values()) for index in range(given.apps)
    }
    start, cpu = time.monotonic(), agent.cpu_s()
    tasks = [plane.apply(app, release=made, self_heal=True, prune=True) for app, made in bundles.items()]
    await asyncio.to_thread(plane.wait, lambda: len(plane.finals) >= len(tasks), "all applied", within=600)
    applied_s = time.monotonic() - start
    healthy = lambda: sum(one.health == "Healthy" and one.sync == "Synced" for one in list(plane.states.values())) >= len(tasks)  # noqa: E731
    await asyncio.to_thread(plane.wait, healthy, "all healthy", within=600)
    healthy_s = time.monotonic() - start
    failed = [one.message for one in plane.finals.values() if one.outcome != "succeeded"]
    rss = {"rss_mib": agent.rss_mib(), "peak_mib": agent.rss_mib("VmHWM")}
    return {
        "applied_s": round(applied_s, 2),
        "healthy_s": round(healthy_s, 2),
        "cpu_s": round(agent.cpu_s() - cpu, 2),
        "failed": failed[:3],
        **rss,
    }


async def _one_commit(plane: plane_end.PlaneEnd) -> dict[str, Any]:
    bodies = workload.objects(7)
    bodies["configmap"]["data"]["revision"] = "1"
    made = plane.release("id-0007", *bodies.values())
    start = time.monotonic()
    task = plane.apply("id-0007", release=made, self_heal=True, prune=True)
    final = await asyncio.to_thread(plane.final, task)
    await asyncio.sleep(1)
    return {"seconds": round(plane.final_at[task] - start, 3), "message": final.message}


async def _drift(given: argparse.Namespace, api: aiohttp.ClientSession, agent: Agent) -> dict[str, Any]:
    cpu, took = agent.cpu_s(), []
    for index in range(10, 10 + given.drifts):
        path = floor.path(workload.objects(index, given.groups)["configmap"])
        took.append(await _healed(api, path))
    took.sort()
    last = took[min(len(took) - 1, int(len(took) * 0.99))]
    return {"p50_s": round(statistics.median(took), 3), "p99_s": round(last, 3), "cpu_s": round(agent.cpu_s() - cpu, 2)}


async def _healed(api: aiohttp.ClientSession, path: str) -> float:
    """Change a field; seconds until a watch shows the old value again."""
    collection, _, name = path.rpartition("/")
    headers = {"Content-Type": "application/merge-patch+json"}
    start = time.monotonic()
    async with api.patch(path, data=json.dumps({"data": {"greeting": "changed"}}), headers=headers) as answer:
        version = (await answer.json())["metadata"]["resourceVersion"]
    query = {"watch": "true", "fieldSelector": f"metadata.name={name}", "resourceVersion": version}
    async with api.get(collection, params=query) as events:
        async for line in events.content:
            if json.loads(line)["object"]["data"]["greeting"] != "changed":
                return time.monotonic() - start
    message = f"{path} was not healed"
    raise TimeoutError(message)


async def _idle(given: argparse.Namespace, agent: Agent) -> dict[str, Any]:
    cpu = agent.cpu_s()
    await asyncio.sleep(given.idle)
    return {"seconds": given.idle, "cpu_s": round(agent.cpu_s() - cpu, 2), "rss_mib": agent.rss_mib()}


def _floor(given: argparse.Namespace, prefix: pathlib.Path) -> dict[str, Any]:
    with clusters.start("bench-floor", prefix=prefix, audit_log=True) as cluster:
        asyncio.run(_namespaces(cluster, given.groups))
        command = [
            sys.executable,
            "-m",
            "benchmarks.floor",
            str(cluster.kubeconfig),
            "--apps",
            str(given.apps),
            "--groups",
            str(given.groups),
        ]
        row: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return row


async def _namespaces(cluster: clusters.DevCluster, groups: int) -> None:
    async with await floor.session(str(cluster.kubeconfig), connections=2) as api:
        await floor.create_namespaces(api, groups)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apps", type=int, default=workload.APPS)
    parser.add_argument("--groups", type=int, default=workload.GROUPS)
    parser.add_argument("--drifts", type=int, default=100)
    parser.add_argument("--idle", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder)
        rows = {"floor": _floor(given, prefix)}
        with clusters.start("bench-agent", prefix=prefix, audit_log=True) as cluster:
            rows |= asyncio.run(measure(given, cluster, prefix))
    rows["ratio"] = {name: round(rows["first_sync"][name] / rows["floor"][name], 3) for name in ("applied_s", "healthy_s")}
    if given.json:
        print(json.dumps(rows))
        return
    for name, row in rows.items():
        print(f"{name:12}", "  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
