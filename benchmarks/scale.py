"""One agent with one large app and with many objects: against the bare loop, and what it keeps in memory.

    python -m benchmarks.scale [--large 2000] [--apps 1000] [--each 8] [--json]

One app of 2,000 ConfigMaps beside a bare loop of the same applies, both in one development cluster; then 1,000 apps of eight, which makes
10,000 objects: resident memory, requests of a sync and of a comparison where nothing has changed.
"""

import argparse
import asyncio
import json
import pathlib
import tempfile
import time
from typing import Any

from benchmarks import agent, floor
from plane.run.devcluster import clusters
from tests.agent import plane_end

Body = dict[str, Any]
BARE, OURS = "bench-bare", "bench-ours"
ROUNDS_S = 900
MIB = 2**20


def config_map(namespace: str, name: str) -> Body:
    """Of 200 bytes, as one in Git is."""
    meta = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": name}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"greeting": f"hello from {name}", "colour": "blue" * 8}}


async def measure(given: argparse.Namespace, cluster: clusters.DevCluster, folder: pathlib.Path) -> dict[str, Any]:
    """All figures, in one cluster."""
    names = [f"large-{number:05d}" for number in range(given.large)]
    async with await floor.session(str(cluster.kubeconfig), connections=floor.CONCURRENCY) as api:
        for namespace in (BARE, OURS):
            async with api.post("/api/v1/namespaces", json={"metadata": {"name": namespace}}) as answer:
                answer.raise_for_status()
        begun = time.monotonic()
        todo = iter([config_map(BARE, name) for name in names])
        await asyncio.gather(*(floor.apply_all(api, todo) for _ in range(floor.CONCURRENCY)))
        bare_s = time.monotonic() - begun
    with plane_end.PlaneEnd() as plane:
        one = agent.Agent(plane, cluster.kubeconfig, folder)
        try:
            await asyncio.to_thread(plane.wait, lambda: plane.capabilities is not None, "the agent's first word")
            return await asyncio.to_thread(_agent, given, plane, one, cluster.folder / "audit.log", bare_s)
        finally:
            one.stop()


def _agent(given: argparse.Namespace, plane: plane_end.PlaneEnd, one: agent.Agent, log: pathlib.Path, bare_s: float) -> dict[str, Any]:
    empty, cpu = one.rss_mib(), one.cpu_s()
    large = [config_map(OURS, f"large-{number:05d}") for number in range(given.large)]
    made = plane.release("large", *large)
    begun = time.monotonic()
    final = plane.final(plane.apply("large", release=made, self_heal=True), within=ROUNDS_S)
    large_s, large_cpu_s = time.monotonic() - begun, one.cpu_s() - cpu
    begun = time.monotonic()
    plane.final(plane.apply("large", release=made, self_heal=True), within=ROUNDS_S)
    again_s = time.monotonic() - begun
    bundles = {f"id-{app:04d}": plane.release(f"id-{app:04d}", *_small(app, given.each)) for app in range(given.apps)}
    rows: dict[str, Any] = {
        "large app": {
            "objects": given.large, "outcome": final.outcome, "bare_s": round(bare_s, 2), "agent_s": round(large_s, 2),
            "ratio": round(large_s / bare_s, 2), "agent_cpu_s": round(large_cpu_s, 2), "nothing_changed_s": round(again_s, 2),
        }
    }  # fmt: skip
    _all(plane, [plane.apply(app, release=bundle, self_heal=True) for app, bundle in bundles.items()])
    time.sleep(10)  # what the last events brought is told, and the collector had a turn
    requests, objects = agent.Requests(log), given.large + given.apps * given.each
    rows["memory"] = {"objects": objects, "empty_mib": empty, "rss_mib": one.rss_mib(), "peak_mib": one.rss_mib("VmHWM")}
    rows["memory"]["bytes_per_object"] = round((rows["memory"]["rss_mib"] - empty) * MIB / objects)
    requests.since()
    rows["refresh"] = {"apps": given.apps, **_timed(plane, [plane.observe(app, bundle) for app, bundle in bundles.items()])}
    rows["refresh"]["requests"] = requests.since()
    rows["sync"] = {"apps": given.apps, **_timed(plane, [plane.apply(app, release=bundle) for app, bundle in bundles.items()])}
    rows["sync"]["requests"] = requests.since()
    return rows


def _small(app: int, count: int) -> list[Body]:
    return [config_map(OURS, f"app-{app:04d}-{number}") for number in range(count)]


def _all(plane: plane_end.PlaneEnd, tasks: list[str]) -> None:
    plane.wait(lambda: all(task in plane.finals for task in tasks), "the last words", within=ROUNDS_S)


def _timed(plane: plane_end.PlaneEnd, tasks: list[str]) -> dict[str, float]:
    begun = time.monotonic()
    _all(plane, tasks)
    return {"seconds": round(time.monotonic() - begun, 2)}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", type=int, default=2000)
    parser.add_argument("--apps", type=int, default=1000)
    parser.add_argument("--each", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with clusters.start("bench-scale", prefix=folder, audit_log=True) as cluster:
            rows = asyncio.run(measure(given, cluster, folder))
    if given.json:
        print(json.dumps(rows))
        return
    for what, row in rows.items():
        print(f"{what:10}", "  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
