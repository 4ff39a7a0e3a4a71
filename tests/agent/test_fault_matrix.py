"""Each fault of an API server against each kind of the agent's requests: told while it lasts, over when it ends."""

import pathlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from plane.run.devcluster import clusters
from tests.agent import conftest as agents
from tests.agent.kube import Body, Kube, config_map
from tests.agent.plane_end import PlaneEnd
from tests.support import cases, faultproxy
from tests.support.faultproxy import CutWatch, Delay, Drop, Fault, FaultProxy, FreezeWatch, GoneWatch, Hang, Rule, Status

ONCE = ("DryRun=never", "PrunePropagationPolicy=background")  # each request is made once
HOOK = {"argocd.argoproj.io/hook": "PreSync"}
OPERATIONS = ("apply", "hooks", "prune", "list", "watch")
WATCHES = r"(.*&)?watch=(true|1)(&.*)?"
LISTS = r"(?!.*watch=).*"

SPECS: dict[str, Body] = {  # what a kind needs beside a name
    "NetworkPolicy": {"spec": {"podSelector": {}}},
    "PodDisruptionBudget": {"spec": {"maxUnavailable": 1}},
    "ControllerRevision": {"revision": 1, "data": {"a": "b"}},
    "PodTemplate": {"template": {"spec": {"containers": [{"name": "main", "image": "registry.example/app:1"}]}}},
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "PersistentVolumeClaim": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
}


class Row(msgspec.Struct, frozen=True):
    """A fault and its cells."""

    name: str
    fault: dict[str, Any]
    cells: dict[str, str]
    said: str = ""
    kind: str = "v1 ConfigMap"
    turn: int = 0

    def app(self, operation: str) -> str:
        """The app whose requests it strikes; a list and the watch that follows are one app's."""
        return f"{'watch' if operation == 'list' else operation}-{self.name.replace(' ', '-')}".replace("'", "")

    def rule(self, operation: str) -> Rule:
        """Where it strikes."""
        given = dict(self.fault)
        times = given.pop("times", None)
        fault, app = _fault(given), self.app(operation)
        match operation:
            case "apply":
                return Rule(fault, method="PATCH", path=f".*/configmaps/{app}-web", times=times)
            case "hooks":
                return Rule(fault, method="PATCH", path=f".*/configmaps/{app}-hook", times=times)
            case "prune":
                return Rule(fault, method="DELETE", path=f".*/configmaps/{app}-old", times=times)
            case _:
                return Rule(fault, method="GET", path=self.collection, query=LISTS if operation == "list" else WATCHES, times=times)

    @property
    def collection(self) -> str:
        """Of its kind, in all namespaces."""
        version, kind = self.kind.split()
        plural = kind.lower().removesuffix("y") + ("ies" if kind.endswith("y") else "" if kind.endswith("s") else "s")
        return f"/{'apis' if '/' in version else 'api'}/{version}/{plural}"

    def body(self, namespace: str) -> Body:
        """An object of its kind."""
        version, kind = self.kind.split()
        meta = {"name": self.app("watch"), "namespace": namespace, "labels": {"colour": "blue"}}
        return {"apiVersion": version, "kind": kind, "metadata": meta, **SPECS.get(kind, {})}


def _fault(given: Mapping[str, Any]) -> Fault:
    made: dict[str, Callable[[], Fault]] = {
        "status": lambda: Status(given["status"], given["message"], retry_after_s=given.get("retry_after_s")),
        "drop": lambda: Drop(applied=given["drop"]),
        "hang": lambda: Hang(applied=given["hang"]),
        "delay": lambda: Delay(given["delay"]),
        "cut": lambda: CutWatch(given["cut"]),
        "freeze": lambda: FreezeWatch(given["freeze"]),
        "gone": GoneWatch,
    }
    return made[next(iter(given))]()


ROWS = [msgspec.convert(row, Row) for row in cases.load("kube_faults/table.yaml")]
CELLS = [(row, operation) for row in ROWS for operation in OPERATIONS if operation in row.cells]
Found = dict[tuple[str, str], str]


class World(msgspec.Struct, frozen=True):
    """One agent, through a proxy."""

    plane: PlaneEnd
    proxy: FaultProxy
    kube: Kube
    found: Found

    def run(self) -> None:
        """Turn by turn."""
        for row in ROWS:
            self.first(row)
        for turn in sorted({row.turn for row in ROWS}):
            rows = [row for row in ROWS if row.turn == turn]
            self.requests(rows)
            self.watches(rows)

    def first(self, row: Row) -> None:
        """What is there before: something to prune."""
        if "prune" in row.cells:
            app = row.app("prune")
            self.succeeds(app, *(config_map(self.kube.namespace, f"{app}-{name}") for name in ("old", "web")))
        if "watch" in row.cells and "list" not in row.cells:
            self.succeeds(row.app("watch"), row.body(self.kube.namespace))

    def sync(self, row: Row, operation: str) -> str:
        """The task that meets the fault."""
        app, namespace = row.app(operation), self.kube.namespace
        if operation == "list":
            return self.plane.apply(app, row.body(namespace), self_heal=True, sync_options=ONCE)
        hooks = [config_map(namespace, f"{app}-hook", HOOK)] if operation == "hooks" else []
        return self.plane.apply(app, config_map(namespace, f"{app}-web"), *hooks, prune=True, sync_options=ONCE)

    def succeeds(self, app: str, *bodies: Body) -> None:
        final = self.plane.final(self.plane.apply(app, *bodies, self_heal=True, sync_options=ONCE))
        assert final.outcome == "succeeded", final.message

    def told(self, row: Row, operation: str) -> None:
        self.plane.state(row.app(operation), lambda state: row.said in state.message)

    def note(self, row: Row, operation: str, look: Callable[[], None]) -> None:
        """A cell that is not as it should be says so and holds no other up."""
        try:
            look()
        except AssertionError as e:
            self.found[row.name, operation] = str(e)

    def requests(self, rows: list[Row]) -> None:
        """All syncs at once: while the faults last, and after."""
        cells = [(row, operation) for row in rows for operation in row.cells if operation != "watch"]
        rules = [self.proxy.add(row.rule(operation)) for row, operation in cells]
        tasks = {(row.name, operation): self.sync(row, operation) for row, operation in cells}

        def during(row: Row, operation: str) -> None:
            how, task = row.cells[operation], tasks[row.name, operation]
            if how in {"waits", "tells"}:
                self.told(row, operation)
            if how == "waits":
                assert task not in self.plane.finals, self.plane.finals[task].message
                return
            final = self.plane.final(task)
            assert (final.outcome, row.said in final.message or how != "fails") == ("failed" if how == "fails" else "succeeded", True), (
                final
            )

        def after(row: Row, operation: str) -> None:
            task = self.sync(row, operation) if row.cells[operation] == "fails" else tasks[row.name, operation]
            final = self.plane.final(task)
            assert final.outcome == "succeeded", final.message
            self.plane.state(row.app(operation), lambda state: not row.said or row.said not in state.message)

        for row, operation in cells:
            self.note(row, operation, lambda: during(row, operation))  # noqa: B023 - called at once
        for rule in rules:
            self.proxy.remove(rule)
        for row, operation in cells:
            self.note(row, operation, lambda: after(row, operation))  # noqa: B023

    def watches(self, rows: list[Row]) -> None:
        """All watches are cut, and come back to the faults."""
        watched = [row for row in rows if "watch" in row.cells]
        rules = [self.proxy.add(row.rule("watch")) for row in watched]
        self.proxy.break_watches()

        def during(row: Row) -> None:
            if row.cells["watch"] != "passes":
                self.told(row, "watch")
            self.kube.patch(self.place(row), row.app("watch"), {"metadata": {"labels": {"colour": "red"}}})

        def after(row: Row) -> None:
            healed = self.kube.until(
                self.place(row),
                row.app("watch"),
                lambda one: one is not None and one["metadata"]["labels"]["colour"] == "blue",
            )
            assert healed
            self.plane.state(row.app("watch"), lambda state: not row.said or row.said not in state.message)

        for row in watched:
            self.note(row, "watch", lambda: during(row))  # noqa: B023 - called at once
        for rule in rules:
            self.proxy.remove(rule)
        for row in watched:
            self.note(row, "watch", lambda: after(row))  # noqa: B023

    def place(self, row: Row) -> str:
        """The collection of its kind in the namespace."""
        base, _, plural = row.collection.rpartition("/")
        return f"{base}/namespaces/{self.kube.namespace}/{plural}"


@pytest.fixture(scope="module")
def found(cluster: clusters.DevCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """What is not as the table says, by fault and operation."""
    folder: pathlib.Path = tmp_path_factory.mktemp("faults")
    kube = Kube(cluster.folder, cluster.server, f"test-{uuid.uuid4().hex[:12]}")
    kube.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kube.namespace}})
    with faultproxy.start(cluster.kubeconfig, folder) as proxy, PlaneEnd() as plane:
        agent = agents.launch(plane, proxy.kubeconfig, folder / "state", "--request-timeout", "5", namespace=kube.namespace)
        world = World(plane, proxy, kube, {})
        try:
            world.run()
        finally:
            agents.end(agent)
    yield world.found
    kube.delete("/api/v1/namespaces", kube.namespace)
    kube.close()


@pytest.mark.parametrize(("row", "operation"), CELLS, ids=[f"{row.name}: {operation}" for row, operation in CELLS])
def test_a_fault_is_told_while_it_lasts_and_is_over_when_it_ends(found: Found, row: Row, operation: str) -> None:
    assert found.get((row.name, operation), "") == ""
