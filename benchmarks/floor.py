"""The floor under every GitOps engine: the bench workload applied in a bare loop, with no diff, no order and no wait.

    python -m benchmarks.floor KUBECONFIG [--apps 1000] [--concurrency 16]

Server-side applies over plain HTTP from one process, 16 at a time. The namespaces must exist.
"""

import argparse
import asyncio
import json
import pathlib
import resource
import ssl
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import yaml

from benchmarks import workload
from plane.run.devcluster import clusters

CONCURRENCY = 16
QUERY = {"fieldManager": "bench-floor", "force": "true"}
HEADERS = {"Content-Type": "application/apply-patch+yaml"}


def measure(folder: pathlib.Path, *, apps: int, nodes: int) -> dict[str, float]:
    """On a cluster of its own, gone afterwards."""
    with clusters.start("floor", nodes=nodes, prefix=folder / "floor") as cluster:
        return asyncio.run(_measure(str(cluster.kubeconfig), apps=apps))


async def _measure(kubeconfig: str, *, apps: int) -> dict[str, float]:
    async with await session(kubeconfig, connections=2) as api:
        await create_namespaces(api, workload.GROUPS)
    return await run(kubeconfig, apps=apps, groups=workload.GROUPS, concurrency=CONCURRENCY)


async def session(kubeconfig: str, *, connections: int) -> aiohttp.ClientSession:
    """Bare HTTP to a development cluster as its admin; the certificates lie beside the kubeconfig."""
    folder = pathlib.Path(kubeconfig).parent
    tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    server: str = yaml.safe_load(pathlib.Path(kubeconfig).read_text())["clusters"][0]["cluster"]["server"]  # noqa: ASYNC240 before anything is measured
    return aiohttp.ClientSession(server, connector=aiohttp.TCPConnector(limit=connections, ssl=tls))


async def create_namespaces(api: aiohttp.ClientSession, groups: int) -> None:
    """The namespaces the workload lives in."""
    for index in range(groups):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": workload.namespace_name(index, groups)}}
        async with api.post("/api/v1/namespaces", json=body) as answer:
            answer.raise_for_status()


async def run(kubeconfig: str, *, apps: int, groups: int, concurrency: int) -> dict[str, float]:
    """Against a cluster whose namespaces are there: seconds to applied and to all Deployments available, CPU seconds of the loop."""
    bodies = [body for index in range(apps) for body in workload.objects(index, groups).values()]
    async with await session(kubeconfig, connections=concurrency) as api:
        begun, cpu = time.monotonic(), _cpu()
        todo = iter(bodies)
        await asyncio.gather(*(apply_all(api, todo) for _ in range(concurrency)))
        applied, spent = time.monotonic() - begun, _cpu() - cpu
        while await _available(api) < apps:  # noqa: ASYNC110 the floor looks twice a second, as its figures say
            await asyncio.sleep(0.5)
        healthy = time.monotonic() - begun
        return {
            "applied_s": round(applied, 2),
            "healthy_s": round(healthy, 2),
            "cpu_s": round(spent, 2),
            "per_s": round(len(bodies) / applied),
        }


async def apply_all(api: aiohttp.ClientSession, todo: Iterator[dict[str, Any]]) -> None:
    """One of those who share the work."""
    for body in todo:
        async with api.patch(path(body), params=QUERY, data=json.dumps(body), headers=HEADERS) as answer:
            await answer.read()
            answer.raise_for_status()


async def _available(api: aiohttp.ClientSession) -> int:
    query = {"labelSelector": workload.LABEL, "resourceVersion": "0"}
    async with api.get("/apis/apps/v1/deployments", params=query) as answer:
        items = (await answer.json())["items"]
    return sum(item.get("status", {}).get("availableReplicas", 0) >= 1 for item in items)


def path(body: dict[str, Any]) -> str:
    """Where an object of the workload lives."""
    base = "/api/v1" if body["apiVersion"] == "v1" else f"/apis/{body['apiVersion']}"
    meta = body["metadata"]
    return f"{base}/namespaces/{meta['namespace']}/{body['kind'].lower()}s/{meta['name']}"


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kubeconfig")
    parser.add_argument("--apps", type=int, default=workload.APPS)
    parser.add_argument("--groups", type=int, default=workload.GROUPS)
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(run(given.kubeconfig, apps=given.apps, groups=given.groups, concurrency=given.concurrency))))


if __name__ == "__main__":
    main()
