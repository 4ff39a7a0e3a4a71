"""The floor under every GitOps engine: the bench workload applied in a bare loop, with no diff, no order and no wait.

    python -m benchmarks.floor KUBECONFIG [--apps 1000] [--concurrency 16]

Server-side applies over plain HTTP from one process, 16 at a time. The namespaces must exist.
"""

import argparse
import asyncio
import json
import pathlib
import resource
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import yaml

from benchmarks import workload
from plane.run.devcluster import clusters

QUERY = {"fieldManager": "bench-floor", "force": "true"}
HEADERS = {"Content-Type": "application/apply-patch+yaml"}


def measure(folder: pathlib.Path, *, apps: int, nodes: int, concurrency: int = 16) -> dict[str, float]:
    """On a cluster of its own, gone afterwards: seconds to applied and to all Deployments available, CPU seconds of the loop."""
    with clusters.start("floor", nodes=nodes, prefix=folder / "floor") as cluster:
        kubectl = shutil.which("kubectl") or "kubectl"
        subprocess.run([kubectl, "--kubeconfig", str(cluster.kubeconfig), "apply", "-f", "-"], input=workload.namespaces(workload.GROUPS), text=True, check=True, capture_output=True)
        return asyncio.run(run(cluster.kubeconfig, apps=apps, concurrency=concurrency))


async def run(kubeconfig: pathlib.Path, *, apps: int, concurrency: int) -> dict[str, float]:
    """Against a cluster whose namespaces are there."""
    bodies = [body for index in range(apps) for body in workload.objects(index).values()]
    server, tls = _access(kubeconfig)
    async with aiohttp.ClientSession(server, connector=aiohttp.TCPConnector(limit=concurrency, ssl=tls)) as session:
        begun, cpu = time.monotonic(), _cpu()
        todo = iter(bodies)
        await asyncio.gather(*(_worker(session, todo) for _ in range(concurrency)))
        applied, spent = time.monotonic() - begun, _cpu() - cpu
        while await _available(session) < apps:
            await asyncio.sleep(0.5)
        return {"applied_s": applied, "available_s": time.monotonic() - begun, "client_cpu_s": spent, "per_s": len(bodies) / applied}


async def _worker(session: aiohttp.ClientSession, todo: Iterator[dict[str, Any]]) -> None:
    for body in todo:
        async with session.patch(_path(body), params=QUERY, data=json.dumps(body), headers=HEADERS) as answer:
            await answer.read()
            answer.raise_for_status()


async def _available(session: aiohttp.ClientSession) -> int:
    query = {"labelSelector": workload.LABEL, "resourceVersion": "0"}
    async with session.get("/apis/apps/v1/deployments", params=query) as answer:
        items = (await answer.json())["items"]
    return sum(item.get("status", {}).get("availableReplicas", 0) >= 1 for item in items)


def _path(body: dict[str, Any]) -> str:
    base = "/api/v1" if body["apiVersion"] == "v1" else f"/apis/{body['apiVersion']}"
    meta = body["metadata"]
    return f"{base}/namespaces/{meta['namespace']}/{body['kind'].lower()}s/{meta['name']}"


def _access(kubeconfig: pathlib.Path) -> tuple[str, ssl.SSLContext]:
    """Server and TLS of a development cluster's kubeconfig; its certificates lie beside it."""
    folder = kubeconfig.parent
    tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    server: str = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return server, tls


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kubeconfig", type=pathlib.Path)
    parser.add_argument("--apps", type=int, default=workload.APPS)
    parser.add_argument("--concurrency", type=int, default=16)
    given = parser.parse_args()
    print(json.dumps(asyncio.run(run(given.kubeconfig, apps=given.apps, concurrency=given.concurrency))))


if __name__ == "__main__":
    main()
