"""Health of kinds whose rule compares counts or revisions: Argo Rollouts, Elasticsearch.

Sources: argoproj.github.io/argo-rollouts (Rollout status), elastic.co (ECK API); judged as in argo-cd v3.6.1, resource_customizations.
"""

from typing import Any

from plane.domain.health import health_values
from plane.domain.health.health_values import HEALTHY, Health, Status

UNSEEN = Health("Progressing", "its controller has not seen the newest spec yet")
WORKLOAD = "rollout.argoproj.io/workload-generation"
_PHASES: dict[str, Status] = {"Healthy": "Healthy", "Degraded": "Degraded", "Paused": "Suspended", "Progressing": "Progressing"}
_LOUD = frozenset({"RolloutAborted", "ProgressDeadlineExceeded"})


def rollout(body: dict[str, Any]) -> Health:
    """By its phase, which controllers before 1.0 did not write: then by conditions and replicas."""
    spec, status = health_values.part(body, "spec"), health_values.part(body, "status")
    if not status or not _is_seen(body, status):
        return UNSEEN
    phase = health_values.text(status, "phase")
    if phase:
        return Health(_PHASES.get(phase, "Unknown"), health_values.text(status, "message"))
    for condition in health_values.conditions(status).values():
        if condition.type == "InvalidSpec" or (condition.type == "Progressing" and condition.reason in _LOUD):
            return Health("Degraded", condition.why())
    if status.get("pauseConditions") or spec.get("paused") is True:
        return Health("Suspended", "the rollout is paused")
    return _by_replicas(spec, status)


def _is_seen(body: dict[str, Any], status: dict[str, Any]) -> bool:
    """Old controllers wrote the hash of a spec as observedGeneration, which tells nothing."""
    metadata = health_values.part(body, "metadata")
    seen, generation = str(status.get("observedGeneration", "")), health_values.number(metadata, "generation")
    if seen.isdecimal() and int(seen) < generation:
        return False
    wanted = health_values.text(health_values.part(metadata, "annotations"), WORKLOAD)
    return not (wanted and health_values.part(body, "spec").get("workloadRef")) or wanted == str(
        status.get("workloadObservedGeneration", "")
    )


def _by_replicas(spec: dict[str, Any], status: dict[str, Any]) -> Health:
    current = health_values.text(status, "currentPodHash")
    wanted = health_values.number(spec, "replicas") if "replicas" in spec else 1
    updated, available = health_values.number(status, "updatedReplicas"), health_values.number(status, "availableReplicas")
    if not current or updated < wanted:
        return Health("Progressing", f"{updated} of {wanted} replicas are updated")
    if available < updated:
        return Health("Progressing", f"{available} of {updated} updated replicas are available")
    return _by_revision(spec, status, current)


def _by_revision(spec: dict[str, Any], status: dict[str, Any], current: str) -> Health:
    stable = health_values.text(status, "stableRS") or health_values.text(health_values.part(status, "canary"), "stableRS")
    strategy, green = health_values.part(spec, "strategy"), health_values.part(status, "blueGreen")
    if strategy.get("blueGreen") is not None and (green.get("activeSelector") != current or stable not in {"", current}):
        return Health("Progressing", "the active service does not serve the newest revision yet")
    if strategy.get("canary") is not None:
        if health_values.number(status, "replicas") > health_values.number(status, "updatedReplicas"):
            return Health("Progressing", "old replicas are still to go")
        if stable != current:
            return Health("Progressing", "the newest revision is not the stable one yet")
    return HEALTHY


def elasticsearch(body: dict[str, Any]) -> Health:
    """By phase and colour, once all nodes of its sets are there."""
    status = health_values.part(body, "status")
    phase, colour = health_values.text(status, "phase"), health_values.text(status, "health")
    if "availableNodes" not in status or not phase or not colour:
        return Health("Unknown", "it has not said how it is")
    wanted = sum(health_values.number(nodes, "count") for nodes in health_values.entries(health_values.part(body, "spec"), "nodeSets"))
    there = health_values.number(status, "availableNodes")
    if there < wanted:
        return Health("Progressing", f"{there} of {wanted} nodes are there")
    if phase == "Ready":
        return Health(_COLOURS.get(colour, "Unknown"), f"its health is {colour}")
    return Health("Degraded" if phase == "Invalid" else "Progressing", phase)


_COLOURS: dict[str, Status] = {"green": "Healthy", "yellow": "Progressing", "red": "Degraded"}
