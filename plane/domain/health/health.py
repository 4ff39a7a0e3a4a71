"""How a live object is: Argo CD's rules for Kubernetes' own kinds, tables for those of other projects, kstatus for the rest."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

import msgspec

from plane.domain import kinds, objects
from plane.domain.comparing import fields
from plane.domain.health import health_counted, health_platform, health_pods, health_values, health_workloads
from plane.domain.health.health_rules import catalogue, rules

Health = health_values.Health
Status = health_values.Status
Check = Callable[[dict[str, Any]], Health]
Custom = Callable[[dict[str, Any]], Health | None]  # None: no script is for this kind

ORDER: tuple[Status, ...] = get_args(Status)  # best first
MISSING = Health("Missing", "it is not in the cluster")
UNRULED = Health("Healthy", "not judged: no rule is known for its kind and it has no condition Ready")
BY_CONDITION = "no rule is known for its kind; this is its condition"
_SIGNS: tuple[tuple[str, Status], ...] = (("Reconciling", "Progressing"), ("Stalled", "Degraded"))
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
    ("argoproj.io", "Rollout"): health_counted.rollout,
    ("argoproj.io", "Workflow"): health_platform.workflow,
    ("autoscaling", "HorizontalPodAutoscaler"): health_platform.autoscaler,
    ("batch", "CronJob"): health_pods.cron_job,
    ("batch", "Job"): health_pods.job,
    ("elasticsearch.k8s.elastic.co", "Elasticsearch"): health_counted.elasticsearch,
    ("extensions", "Ingress"): health_platform.ingress,
    ("networking.k8s.io", "Ingress"): health_platform.ingress,
    ("policy", "PodDisruptionBudget"): health_platform.disruption_budget,
}


def judge(body: dict[str, Any], custom: Custom | None = None) -> Health:
    """The health of one object as the cluster returns it; never raises for JSON data that has apiVersion and kind.

    Args:
        body: the object.
        custom: what users' own scripts say of it, asked before any rule of ours.
    """
    try:
        said = unasked(body) or (custom(body) if custom else None)
        return _judged(body) if said is None else said
    except health_values.Malformed as error:
        return Health("Unknown", f"it cannot be judged: {error}")


def unasked(body: dict[str, Any]) -> Health | None:
    """What no rule and no script is asked about: a person's sign that it does not count, and an object that is being deleted."""
    if health_values.annotation(body, "ignore-healthcheck") == "true":
        return Health("Healthy", "not judged: its annotation ignore-healthcheck says so")
    if health_values.text(health_values.part(body, "metadata"), "deletionTimestamp"):
        return Health("Progressing", _leaving(health_values.part(body, "metadata")))
    return None


def _leaving(metadata: dict[str, Any]) -> str:
    """Whom a deletion waits for."""
    held = metadata.get("finalizers")
    names = [name for name in held if isinstance(name, str)] if isinstance(held, list) else []
    return (
        f"Pending deletion, held by {'finalizers' if len(names) > 1 else 'finalizer'} {', '.join(names)}" if names else "Pending deletion"
    )


def _judged(body: dict[str, Any]) -> Health:
    kind = (str(body.get("apiVersion", "")).rpartition("/")[0], str(body.get("kind", "")))
    if kind in BUILT_IN:
        return BUILT_IN[kind](body)
    rule = catalogue.find(*kind)
    return rules.judge(rule, body) if rule else by_conditions(body)


def by_conditions(body: dict[str, Any]) -> Health:
    """The conventions of kstatus, and that nothing better is known of a custom kind; an object that follows none counts as it should be."""
    status = health_values.part(body, "status")
    if "observedGeneration" in status and not health_values.observed(body):
        return health_workloads.UNSEEN
    found = health_values.conditions(status)
    custom = not fields.is_built_in(str(body.get("apiVersion", "")).rpartition("/")[0])
    for name, state in _SIGNS:
        if name in found and found[name].status == "True":
            return Health(state, _by(found[name], custom=custom))
    ready = found.get("Ready")
    if ready is None:
        return UNRULED if custom else health_values.HEALTHY
    return Health("Healthy" if ready.status == "True" else "Progressing", _by(ready, custom=custom))


def _by(condition: health_values.Condition, *, custom: bool) -> str:
    return f"{condition.why()} ({BY_CONDITION} {condition.type})".lstrip() if custom else condition.why()


def worst(healths: Iterable[Health]) -> Health:
    """The worst of them, the first when several are; Healthy when there are none."""
    return max(healths, key=lambda health: _RANKS[health.status], default=health_values.HEALTHY)


class Deciding(msgspec.Struct, frozen=True):
    """An app's health, and the object that decides it; `key` is None when there is nothing to judge."""

    health: Health
    key: objects.ObjectKey | None = None

    def __str__(self) -> str:
        if self.key is None or self.health.status == "Healthy":
            return self.health.status
        return f"{self.health.status}: {self.key}: {self.health.message}".removesuffix(": ")


def of_app(judged: Iterable[tuple[objects.ObjectKey, Health]]) -> Deciding:
    """The worst of an app's objects; of equals the first by key, so that the same state gives the same answer."""
    found = sorted(judged, key=lambda pair: (-_RANKS[pair[1].status], pair[0]))
    return Deciding(found[0][1], found[0][0]) if found else Deciding(health_values.HEALTHY)
