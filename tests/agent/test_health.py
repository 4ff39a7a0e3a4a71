"""An app is as healthy as the worst of its objects, and says which one that is and why."""

from tests.agent.conftest import Agent
from tests.agent.kube import Body, Kube, config_map
from tests.agent.plane_end import PlaneEnd

UNJUDGED = {"argocd.argoproj.io/ignore-healthcheck": "true"}


def balancer(namespace: str, name: str, annotations: dict[str, str] | None = None) -> Body:
    """Waits for an address for ever: nobody gives out any here."""
    meta = {"name": name, "namespace": namespace, "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}


def job(namespace: str) -> Body:
    """Suspended."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "example/c"}]}
    spec = {"suspend": True, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job", "namespace": namespace}, "spec": spec}


def test_the_worst_object_decides_and_is_named(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    worst = [balancer(kube.namespace, name) for name in ("b", "a")]
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), job(kube.namespace), *worst))
    told = shared_plane.state(app, lambda state: state.health == "Progressing" and f"Service {kube.namespace}/a" in state.message)
    assert told.message.removeprefix(f"Service {kube.namespace}/a: ") != told.message


def test_an_object_whose_health_is_ignored_decides_nothing(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    ignored = balancer(kube.namespace, "a", UNJUDGED)
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), job(kube.namespace), ignored))
    told = shared_plane.state(app, lambda state: state.health == "Suspended")
    assert told.message.startswith(f"batch/Job {kube.namespace}/job")


def test_an_object_that_git_dropped_counts_until_it_is_gone(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    web = config_map(kube.namespace, "web")
    shared_plane.final(shared_plane.apply(app, web, balancer(kube.namespace, "a")))
    shared_plane.final(shared_plane.apply(app, web))
    shared_plane.state(app, lambda state: (state.sync, state.health) == ("OutOfSync", "Progressing"))
    shared_plane.final(shared_plane.apply(app, web, prune=True))
    shared_plane.state(app, lambda state: (state.sync, state.health, state.message) == ("Synced", "Healthy", ""))


def stuck(namespace: str, **pod: object) -> Body:
    """A rollout that comes to nothing, given up after two seconds."""
    spec: Body = {"containers": [{"name": "web", "image": "registry.example/web:1.2"}], **pod}
    template = {"metadata": {"labels": {"app": "stuck"}}, "spec": spec}
    rollout = {"replicas": 1, "progressDeadlineSeconds": 2, "selector": {"matchLabels": {"app": "stuck"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "stuck", "namespace": namespace}, "spec": rollout}


def test_a_degraded_workload_quotes_the_pod_that_says_why(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, stuck(kube.namespace, nodeSelector={"no": "such-node"})))
    told = shared_plane.state(app, lambda state: state.health == "Degraded" and "; Pod stuck-" in state.message)
    assert ": Unschedulable: 0/" in told.message


def test_a_workload_that_may_make_no_pods_quotes_its_replica_set(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, stuck(kube.namespace, serviceAccountName="nobody")))
    told = shared_plane.state(app, lambda state: state.health == "Degraded" and "; ReplicaSet stuck-" in state.message)
    assert "FailedCreate" in told.message
