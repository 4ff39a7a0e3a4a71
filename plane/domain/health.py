"""How a live object is. The built-in rules are Argo CD's; kinds without a rule are judged by the conditions kstatus knows."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from plane.domain import health_platform, health_pods, health_values, health_workloads, kinds

Health = health_values.Health
Status = health_values.Status
Check = Callable[[dict[str, Any]], Health]

ORDER: tuple[Status, ...] = get_args(Status)  # best first
MISSING = Health("Missing", "it is not in the cluster")
_RANKS = {status: rank for rank, status in enumerate(ORDER)}

BUILT_IN: Mapping[kinds.Kind, Check] = {
    ("", "Namespace"): health_platform.namespace,
    ("", "PersistentVolumeClaim"): health_platform.claim,
    ("", "Pod"): health_pods.pod,
    ("", "Service"): health_platform.service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): health_platform.definition,
    ("apiregistration.k8s.io", "APIService"): health_platform.api_service,
    ("apps", "DaemonSet"): health_workloads.daemon_set,
    ("apps", "Deployment"): health_workloads.deployment,
    ("apps", "ReplicaSet"): health_workloads.replica_set,
    ("apps", "StatefulSet"): health_workloads.stateful_set,
    ("argoproj.io", "Workflow"): health_platform.workflow,
    ("autoscaling", "HorizontalPodAutoscaler"): health_platform.autoscaler,
    ("batch", "CronJob"): health_pods.cron_job,
    ("batch", "Job"): health_pods.job,
    ("extensions", "Ingress"): health_platform.ingress,
    ("networking.k8s.io", "Ingress"): health_platform.ingress,
    ("policy", "PodDisruptionBudget"): health_platform.disruption_budget,
}


def judge(body: dict[str, Any]) -> Health:
    """The health of one object as the cluster returns it; never raises for JSON data that has apiVersion and kind."""
    try:
        if health_values.annotation(body, "ignore-healthcheck") == "true":
            return Health("Healthy", "not judged: its annotation ignore-healthcheck says so")
        if health_values.text(health_values.part(body, "metadata"), "deletionTimestamp"):
            return Health("Progressing", "Pending deletion")
        group = str(body.get("apiVersion", "")).rpartition("/")[0]
        return BUILT_IN.get((group, str(body.get("kind", ""))), by_conditions)(body)
    except health_values.Malformed as error:
        return Health("Unknown", f"it cannot be judged: {error}")


def by_conditions(body: dict[str, Any]) -> Health:
    """The conventions of kstatus; an object that follows none is as it should be."""
    status = health_values.part(body, "status")
    if "observedGeneration" in status and not health_values.observed(body):
        return health_workloads.UNSEEN
    found = health_values.conditions(status)
    for name, state in (("Reconciling", "Progressing"), ("Stalled", "Degraded")):
        if name in found and found[name].status == "True":
            return Health(state, found[name].why())  # type: ignore[arg-type] # both are statuses
    ready = found.get("Ready")
    if ready is None:
        return health_values.HEALTHY
    return Health("Healthy" if ready.status == "True" else "Progressing", ready.why())


def worst(healths: Iterable[Health]) -> Health:
    """The worst of them, the first when several are; Healthy when there are none."""
    return max(healths, key=lambda health: _RANKS[health.status], default=health_values.HEALTHY)
