"""What the plane adds to OPA: the same queries through the adapter and as raw HTTP to an OPA of the same set.

    python benchmarks/policy.py [--queries 1000] [--json]

One query of 1,000 manifests, and 1,000 queries of 4 manifests (one app each), as first syncs and single pushes ask them: about the
starter's five rules, and about forty; the context is filled in as a delivery has it.
"""

import argparse
import contextlib
import functools
import http.client
import itertools
import json
import pathlib
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from plane import config
from plane.adapters.judging import opa, opa_files, opa_pool
from plane.domain import objects
from plane.domain.judging import decisions, library, policy, surroundings

# What a cluster serves, in part: as many kinds as one has that nobody has added to.
SERVED = {
    f"{group}/{kind}": surroundings.Served(versions=("v1",))
    for group, kinds in {
        "": ("ConfigMap", "Endpoints", "PersistentVolumeClaim", "Pod", "PodTemplate", "Secret", "Service", "ServiceAccount"),
        "apps": ("ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
        "batch": ("CronJob", "Job"),
        "networking.k8s.io": ("Ingress", "NetworkPolicy"),
        "rbac.authorization.k8s.io": ("Role", "RoleBinding"),
    }.items()
    for kind in kinds
}
RULES = 40  # of the second profile
TARGET = "/v1/data/plane/main/violations?strict-builtin-errors=true"


class Socket(http.client.HTTPConnection):
    """HTTP over a Unix socket and nothing else: the floor."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def app(index: int) -> tuple[dict[str, Any], ...]:
    """The four objects of one app; they keep every rule."""
    meta = {"name": f"app-{index:04d}", "namespace": f"bench-{index // 20:04d}", "labels": {"app.kubernetes.io/name": f"app-{index:04d}"}}
    container = {
        "name": "main",
        "image": "registry.example/app:1.0.0",
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
    }
    pod = {"metadata": {"labels": meta["labels"]}, "spec": {"containers": [container]}}
    return (
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"greeting": "hello", "revision": "0"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": False},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": meta["labels"], "ports": [{"port": 80}]}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"replicas": 1, "template": pod}},
    )


def question(apps: range) -> policy.PolicyInput:
    """One query about these apps, with all that the plane tells rules of a real one."""
    context = policy.PolicyContext(
        tenant="acme", project="shop", app="web", cluster="one", now="2026-01-01T00:00:00Z", namespace="bench-00",
        cluster_labels={"environment": "production", "region": "eu-1"}, kube_version="v1.36.0", repo="https://git.example/acme/apps",
        commit="73fe2ca43b15" + "0" * 28, trigger="automated", revision="main", signature="unverified", environment="production",
    )  # fmt: skip
    bodies = tuple(body for index in apps for body in app(index))
    origin = surroundings.SourceOrigin(repo_url=context.repo, revision="main", floating=True)
    return policy.PolicyInput(
        bodies,
        context,
        {"I01": {"registries": ["registry.example"]}},
        project=surroundings.ProjectFacts(namespaces=("bench-*",), cluster_kinds=(), repositories=("https://git.example/acme/*",)),
        cluster=surroundings.ClusterFacts(kinds=SERVED),
        inventory=surroundings.Inventory(
            namespaces=tuple(surroundings.Shared(name=f"bench-{n:04d}", owners=("shop/api",)) for n in range(20))
        ),
        changes=tuple(map(_change, bodies)),
        source=surroundings.SourceFacts(origins=(origin,)),
    )


def _change(body: dict[str, Any]) -> surroundings.Change:
    key = objects.key_of(body)
    return surroundings.Change(
        action="update", object=surroundings.ObjectName(group=key.group, kind=key.kind, namespace=key.namespace, name=key.name)
    )


def first(bound: policy.Binding, count: int) -> policy.Binding:
    """So many of its rules, by their ids."""
    rules = dict(itertools.islice(sorted(bound.rules.items()), count))
    packages = decisions.packages(bound.policy.files)
    wanted = {packages[rule] for rule in rules}
    files = {name: text for name, text in bound.policy.files.items() if wanted & set(decisions.packages({name: text}).values())}
    return msgspec.structs.replace(bound, policy=policy.policy_files(bound.policy.name, files), rules=rules)


@contextlib.contextmanager
def raw(program: str, modules: Mapping[str, str]) -> Iterator[Callable[[bytes], bytes]]:
    """An OPA of the same modules, asked with bytes made beforehand."""
    with contextlib.ExitStack() as stack:
        yield raw_to(stack, program, modules)()


def raw_to(stack: contextlib.ExitStack, program: str, modules: Mapping[str, str]) -> Callable[[], Callable[[bytes], bytes]]:
    """The same for several who ask at once: each call is a connection of its own, until the stack ends."""
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
    path, token = stack.enter_context(opa_raw(program, modules, folder))

    def connected() -> Callable[[bytes], bytes]:
        connection = stack.enter_context(contextlib.closing(Socket(path)))

        def ask(body: bytes) -> bytes:
            connection.request("POST", TARGET, body, {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
            return connection.getresponse().read()

        return ask

    return connected


@contextlib.contextmanager
def opa_raw(program: str, texts: Mapping[str, str], folder: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Start it with the plane's own pool, so that both are the same OPA with the same settings."""
    pool = opa_pool.Pool(program)

    def place(modules: pathlib.Path) -> None:
        for name, text in texts.items():
            (modules / name).parent.mkdir(parents=True, exist_ok=True)
            (modules / name).write_text(text)
        folder.joinpath("home").write_text(str(modules.parent))

    with contextlib.closing(pool), pool.engine("raw", place=place):
        home = pathlib.Path(folder.joinpath("home").read_text())
        token = (home / "modules/authz.rego").read_text().split('identity == "')[1].split('"')[0]
        yield str(home / "opa.sock"), token


def measure(works: tuple[Callable[[], object], ...], times: int) -> list[tuple[float, float]]:
    """Wall and CPU seconds of this process per call of each, best of five rounds in which they take turns."""
    rounds = [[_round(work, times) for work in works] for _ in range(5)]
    return [min(several) for several in zip(*rounds, strict=True)]


def _round(work: Callable[[], object], times: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        work()
    return (time.perf_counter() - wall) / times, (time.process_time() - cpu) / times


def compare(program: str, shipped: opa_files.Shipped, bound: policy.Binding, queries: int) -> Iterator[dict[str, object]]:
    """Rows of the table for some rules."""
    rules = len(bound.rules)
    modules = {**shipped.base, **{f"rules/{name}": text for name, text in bound.policy.files.items()}}
    with contextlib.closing(opa.Opa(program, shipped.base, deadline_s=60)) as engine, raw(program, modules) as ask:
        for label, apps, times in (("1,000 manifests", 250, 1), ("4 manifests", 1, queries // 5)):
            asked = msgspec.structs.replace(question(range(apps)), parameters=bound.parameters)
            through = functools.partial(engine.violations, bound.policy, asked)
            (ours, cpu), (floor, _) = measure((through, functools.partial(ask, msgspec.json.encode({"input": asked}))), times)
            ratio = {"raw_ms": floor * 1e3, "ratio": ours / floor}
            yield {"query": f"{label} × {rules} rules", "ms": ours * 1e3, "cpu_ms": cpu * 1e3, **ratio}


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    program, shipped = config.program("opa"), opa_files.shipped()
    starter, most = (library.binding(profile, shipped.profiles, shipped.texts) for profile in ("starter", "recommended"))
    results = [row for bound in (starter, first(most, RULES)) for row in compare(program, shipped, bound, options.queries)]
    if options.json:
        print(json.dumps(results))
        return
    print(f"{'query':28}{'plane ms':>10}{'our CPU ms':>12}{'OPA alone ms':>14}{'ratio':>8}")
    for row in results:
        print(f"{row['query']:28}{row['ms']:10.2f}{row['cpu_ms']:12.2f}{row['raw_ms']:14.2f}{row['ratio']:8.2f}")


if __name__ == "__main__":
    main()
