"""An agent that is killed at any step of a sync, started again, ends that sync once: no hook runs twice, nothing is left out."""

import pathlib
import uuid
from collections.abc import Iterator

import msgspec
import pytest

from plane.run.devcluster import clusters
from tests.agent import conftest as agents
from tests.agent import plane_end
from tests.agent.conftest import Start
from tests.agent.kube import Body, Kube, config_map, deployment, job
from tests.agent.plane_end import PlaneEnd
from tests.support import faultproxy
from tests.support.faultproxy import FaultProxy, Hang, Rule

HOOK, HOOK_DELETE, WAVE = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy", "argocd.argoproj.io/sync-wave"
ONCE = ("DryRun=never", "PrunePropagationPolicy=background")  # each request is made once, so a step has one place
WISHED = {"before", "first", "second"}  # what is there when all is done

# The request that hangs when the agent dies: verb, object, whether the API server has done it.
STEPS = {
    "a hook is asked for": ("PATCH", "before", False),
    "a hook is made": ("PATCH", "before", True),
    "a finished hook is to go": ("DELETE", "migrate", False),
    "a finished hook is gone": ("DELETE", "migrate", True),
    "the first object is asked for": ("PATCH", "first", False),
    "the first object is applied": ("PATCH", "first", True),
    "the next wave is asked for": ("PATCH", "second", False),
    "the next wave is applied": ("PATCH", "second", True),
    "an object is to be pruned": ("DELETE", "old", False),
    "an object is pruned": ("DELETE", "old", True),
    "the last hook is made": ("PATCH", "after", True),
    "the last hook is gone": ("DELETE", "after", True),
}
WAITS = ("a hook runs", "a wave becomes healthy")


def wanted(namespace: str, step: str) -> list[Body]:
    """Hooks of both kinds, two waves; `step` tells its objects from those of other steps."""
    marks = {
        "before": {HOOK: "PreSync"},
        "migrate": {HOOK: "PreSync", HOOK_DELETE: "HookSucceeded"},
        "first": {},
        "second": {WAVE: "1"},
        "after": {HOOK: "PostSync", HOOK_DELETE: "HookSucceeded"},
    }
    return [config_map(namespace, f"{step}-{name}", found, colour="green") for name, found in marks.items()]


def waiting(namespace: str, step: str, label: str) -> list[Body]:
    """What holds a step back until a node has the label."""
    if step == "a-wave-becomes-healthy":
        return [deployment(namespace, f"{step}-early", node=label)]
    if step == "a-hook-runs":
        hook = job(namespace, f"{step}-runs", {HOOK: "PreSync"})
        hook["spec"]["template"]["spec"]["nodeSelector"] = {label: "yes"}
        return [hook]
    return []


class Outcome(msgspec.Struct, frozen=True):
    """What became of a step's sync. `made`: how often each ConfigMap came to be; `left`: those there are."""

    outcome: str
    message: str
    words: int
    made: dict[str, int]
    left: set[str]


ONE_OUTCOME = Outcome("succeeded", "", 1, {"before": 1, "migrate": 1, "second": 1, "after": 1}, WISHED)


@pytest.fixture(scope="module")
def died(cluster: clusters.DevCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """One agent dies in the middle of a sync per step, all of them at once, and another takes its place."""
    folder = tmp_path_factory.mktemp("killed")
    home = Kube(cluster.folder, cluster.server, f"test-{uuid.uuid4().hex[:12]}")
    home.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home.namespace}})
    with faultproxy.start(cluster.kubeconfig, folder) as proxy, plane_end.PlaneEnd() as plane:
        yield dict(zip((*STEPS, *WAITS), killed(plane, proxy, home, folder), strict=True))
    home.delete("/api/v1/namespaces", home.namespace)
    home.close()


def killed(plane: PlaneEnd, proxy: FaultProxy, kube: Kube, folder: pathlib.Path) -> list[Outcome]:
    steps = {name.replace(" ", "-"): name for name in (*STEPS, *WAITS)}
    label = f"example/{kube.namespace}"
    apps = {step: f"{step}-{kube.namespace[-6:]}" for step in steps}  # another process may run these steps in the same cluster

    def begin() -> agents.Agent:
        return agents.launch(plane, proxy.kubeconfig, folder / "state", namespace=kube.namespace)

    agent = begin()
    before = [
        plane.apply(apps[step], config_map(kube.namespace, f"{step}-old"), config_map(kube.namespace, f"{step}-first"), sync_options=ONCE)
        for step in steps
    ]
    assert {plane.final(task).outcome for task in before} == {"succeeded"}
    rules = {name: (method, rf".*/configmaps/{name.replace(' ', '-')}-{of}", applied) for name, (method, of, applied) in STEPS.items()}
    for method, path, applied in rules.values():
        proxy.add(Rule(Hang(applied=applied), method=method, path=path))
    with kube.config_maps_made() as made:
        tasks = {
            step: plane.apply(
                apps[step], *wanted(kube.namespace, step), *waiting(kube.namespace, step, label), prune=True, sync_options=ONCE
            )
            for step in steps
        }
        for method, path, _ in rules.values():
            proxy.until(method=method, path=path, status=0)
        kube.until("batch/v1/jobs", "a-hook-runs-runs", lambda one: one is not None and bool(one.get("status", {}).get("active")))
        kube.until("apps/v1/deployments", "a-wave-becomes-healthy-early", lambda one: one is not None)
        running = kube.there("batch/v1/jobs", "a-hook-runs-runs")["metadata"]["uid"]
        agents.end(agent)
        proxy.clear()
        kube.label_a_node(label)
        agent = begin()
        finals = {step: plane.final(task) for step, task in tasks.items()}
    assert kube.there("batch/v1/jobs", "a-hook-runs-runs")["metadata"]["uid"] == running
    agents.end(agent)
    found: list[Outcome] = []
    for step, final in finals.items():
        names = [name.removeprefix(f"{step}-") for name in made if name.startswith(f"{step}-")]
        left = {name for name in ("old", "migrate", "after", *WISHED) if kube.get("configmaps", f"{step}-{name}")}
        words = plane.taken.count(tasks[step])
        message = final.message if final.outcome != "succeeded" else ""
        found.append(Outcome(final.outcome, message, words, {name: names.count(name) for name in names}, left))
    return found


@pytest.mark.parametrize("step", [*STEPS, *WAITS])
def test_an_agent_killed_while(died: dict[str, Outcome], step: str) -> None:
    assert died[step] == ONE_OUTCOME


@pytest.mark.parametrize("written", [False, True], ids=["asked-for", "written"])
def test_an_agent_killed_at_the_fence(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy, *, written: bool
) -> None:
    fence = r".*/configmaps(/gitops-plane-fence-.*)?"
    rules = [fault_proxy.add(Rule(Hang(applied=written), method=method, path=fence, times=1)) for method in ("POST", "PATCH")]
    first = start(through=fault_proxy.kubeconfig)
    with kube.config_maps_made() as made:
        task = plane.apply(app, *wanted(kube.namespace, "web"), sync_options=ONCE)
        fault_proxy.until(path=fence, status=0)
        first.kill()
        for rule in rules:
            fault_proxy.remove(rule)
        start(through=fault_proxy.kubeconfig)
        assert plane.final(task).outcome == "succeeded"
    assert sorted(name for name in made if name.startswith("web-")) == sorted(one["metadata"]["name"] for one in wanted("", "web"))
    assert plane.taken == [task]


@pytest.mark.parametrize("point", ["unread", "taken"])
def test_an_agent_killed_while_its_last_word_is(start: Start, plane: PlaneEnd, kube: Kube, app: str, point: str) -> None:
    plane.mute = point
    first = start()
    with kube.config_maps_made() as made:
        task = plane.apply(app, *wanted(kube.namespace, "web"), self_heal=True, sync_options=ONCE)
        plane.wait(lambda: plane.muted == 1, first.log)
        first.kill()
        asked = plane.calls["claim"]
        start()
        assert plane.final(task).outcome == "succeeded"
        plane.state(app, lambda state: state.sync == "Synced")
        plane.wait(lambda: plane.calls["claim"] > asked + 1 or plane.unfinished() == set(), "the second agent's first claims")
    assert sorted(name for name in made if name.startswith("web-")) == sorted(one["metadata"]["name"] for one in wanted("", "web"))
    assert plane.taken == [task]
