"""What a plan costs, beside a bare sort of its keys: first sync, nothing to do, half pruned, removal.

python benchmarks/plan.py [--objects 5000] [--json]
"""

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from plane.domain import objects, release
from plane.domain.planning import operation, plan
from plane.domain.reading import manifests

APP = "0192f0c1-0000-7000-8000-000000000001"
AIM_S = 1.0  # for 5,000 objects
KINDS = ("v1 ConfigMap", "v1 Secret", "v1 Service", "apps/v1 Deployment", "batch/v1 Job")


def body(index: int) -> dict[str, Any]:
    """Five kinds, fifty namespaces, five waves; every hundredth is a hook, every tenth has an option."""
    version, kind = KINDS[index % len(KINDS)].split()
    marks = {release.OWNER_ANNOTATION: "acme/shop/web", "argocd.argoproj.io/sync-wave": str(index % 5 - 2)}
    if index % 100 == 0:
        marks["argocd.argoproj.io/hook"] = "PreSync,PostSync"
    if index % 10 == 0:
        marks["argocd.argoproj.io/sync-options"] = "PruneLast=true,Replace=true"
    meta = {"name": f"o-{index:06}", "namespace": f"shop-{index % 50}", "labels": {release.OWNER_LABEL: APP}, "annotations": marks}
    return {"apiVersion": version, "kind": kind, "metadata": meta}


def namespace(index: int) -> dict[str, Any]:
    """In a later wave than what it holds, so that it has to move."""
    marks = {"argocd.argoproj.io/sync-wave": "9"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"shop-{index}", "annotations": marks, "labels": {}}}


def measure(work: Callable[[], object]) -> float:
    """CPU seconds, best of five: what else runs on the machine does not count."""
    rounds = []
    for _ in range(5):
        started = time.process_time()
        work()
        rounds.append(time.process_time() - started)
    return min(rounds)


def works(count: int) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    wanted = [manifests.of(one) for one in (*(namespace(index) for index in range(50)), *(body(index) for index in range(count)))]
    live = {(entry := operation.live(one.body)).key: entry for one in wanted[50:]}
    inventory, keys = frozenset(live), [one.key for one in wanted]

    def make(desired: list[objects.Manifest], **terms: Any) -> plan.Plan:  # noqa: ANN401 fields of Options
        return plan.make(desired, live=live, inventory=inventory, options=plan.Options(APP, prune=True, **terms))

    return {
        "bare sort": lambda: sorted(keys),
        "first sync": lambda: plan.make(wanted, live={}, inventory=frozenset(), options=plan.Options(APP)),
        "all out of sync": lambda: make(wanted),
        "nothing out of sync": lambda: make(wanted, out_of_sync=frozenset()),
        "half pruned": lambda: make(wanted[: count // 2]),
        "removal": lambda: make(wanted, removing=True),
        "read live objects": lambda: [operation.live(one.body) for one in wanted],
    }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--objects", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {name: measure(work) for name, work in works(options.objects).items()}
    if options.json:
        print(json.dumps({name: {"seconds": seconds, "of_aim": seconds / AIM_S} for name, seconds in found.items()}))
        return
    for name, seconds in found.items():
        ratios = f"{seconds / found['bare sort']:7.1f} × the sort {seconds / AIM_S:6.1%} of the aim"
        print(f"{name:22}{seconds * 1e3:9.1f} ms  {ratios}")


if __name__ == "__main__":
    main()
