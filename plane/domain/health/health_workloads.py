"""Health of the kinds that keep pods running. The rules are Argo CD's, which are those of `kubectl rollout status`."""

from typing import Any

from plane.domain.health import health_values
from plane.domain.health.health_values import HEALTHY, Health

UNSEEN = Health("Progressing", "its controller has not seen the newest spec yet")


def deployment(body: dict[str, Any]) -> Health:
    spec, status = health_values.part(body, "spec"), health_values.part(body, "status")
    if spec.get("paused") is True:
        return Health("Suspended", "the rollout is paused")
    if not health_values.observed(body):
        return UNSEEN
    progress = health_values.conditions(status).get("Progressing")
    if progress and progress.reason == "ProgressDeadlineExceeded":
        return Health("Degraded", f"the rollout made no progress within its deadline: {progress.message}".removesuffix(": "))
    return _rollout(spec, status)


def _rollout(spec: dict[str, Any], status: dict[str, Any]) -> Health:
    wanted, total = health_values.number(spec, "replicas"), health_values.number(status, "replicas")
    updated, available = health_values.number(status, "updatedReplicas"), health_values.number(status, "availableReplicas")
    if updated < wanted:
        return Health("Progressing", f"{updated} of {wanted} replicas are updated")
    if total > updated:
        return Health("Progressing", f"{total - updated} old replicas are still to go")
    if available < updated:
        return Health("Progressing", f"{available} of {updated} updated replicas are available")
    return HEALTHY


def replica_set(body: dict[str, Any]) -> Health:
    spec, status = health_values.part(body, "spec"), health_values.part(body, "status")
    if not health_values.observed(body):
        return UNSEEN
    failure = health_values.conditions(status).get("ReplicaFailure")
    if failure and failure.status == "True":
        return Health("Degraded", failure.why() or "its pods cannot be created")
    wanted, available = health_values.number(spec, "replicas"), health_values.number(status, "availableReplicas")
    if available < wanted:
        return Health("Progressing", f"{available} of {wanted} replicas are available")
    return HEALTHY


def stateful_set(body: dict[str, Any]) -> Health:
    spec, status = health_values.part(body, "spec"), health_values.part(body, "status")
    if not health_values.number(status, "observedGeneration") or not health_values.observed(body):
        return UNSEEN
    wanted, ready = health_values.number(spec, "replicas"), health_values.number(status, "readyReplicas")
    if ready < wanted:
        return Health("Progressing", f"{ready} of {wanted} pods are ready")
    return _stateful_rollout(spec, status)


def _stateful_rollout(spec: dict[str, Any], status: dict[str, Any]) -> Health:
    strategy = health_values.part(spec, "updateStrategy")
    updated = health_values.number(status, "updatedReplicas")
    if strategy.get("type") == "RollingUpdate" and strategy.get("rollingUpdate") is not None:
        partition = health_values.number(health_values.part(strategy, "rollingUpdate"), "partition")
        due = health_values.number(spec, "replicas") - partition
        return HEALTHY if updated >= due else Health("Progressing", f"{updated} of {due} pods above the partition are updated")
    if strategy.get("type") == "OnDelete":
        return HEALTHY
    if health_values.text(status, "updateRevision") != health_values.text(status, "currentRevision"):
        return Health("Progressing", f"{updated} pods are at revision {health_values.text(status, 'updateRevision')}, the others not yet")
    return HEALTHY


def daemon_set(body: dict[str, Any]) -> Health:
    status = health_values.part(body, "status")
    if not health_values.observed(body):
        return UNSEEN
    if health_values.part(body, "spec", "updateStrategy").get("type") == "OnDelete":
        return HEALTHY
    wanted = health_values.number(status, "desiredNumberScheduled")
    updated, available = health_values.number(status, "updatedNumberScheduled"), health_values.number(status, "numberAvailable")
    if updated < wanted:
        return Health("Progressing", f"{updated} of {wanted} pods are updated")
    if available < wanted:
        return Health("Progressing", f"{available} of {wanted} pods are available")
    return HEALTHY
