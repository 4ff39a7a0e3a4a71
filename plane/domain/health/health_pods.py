"""Health of pods and of the kinds whose pods end."""

from collections.abc import Iterator
from typing import Any

from plane.domain.health import health_values
from plane.domain.health.health_values import HEALTHY, Health
from plane.domain.planning import waves


def pod(body: dict[str, Any]) -> Health:
    """A pod that is meant to stay is healthy when ready; one that is meant to end (also a hook) only when it has."""
    status = health_values.part(body, "status")
    message = health_values.text(status, "message")
    phase = health_values.text(status, "phase")
    stays = _stays(body)
    stuck = ", ".join(_stuck(status)) if stays else ""
    if stuck:
        return Health("Degraded", stuck)
    if phase == "Failed":
        return Health("Degraded", message or next(_failures(status), "the pod failed"))
    if phase == "Running":
        return _running(status, message) if stays else Health("Progressing", message or "running; it is meant to end")
    if phase == "Pending":
        return Health("Progressing", message or _waiting(status))
    return Health("Healthy", message) if phase == "Succeeded" else Health("Unknown", message or "the pod reports no phase")


def job(body: dict[str, Any]) -> Health:
    status = health_values.part(body, "status")
    found = {name: condition for name, condition in health_values.conditions(status).items() if condition.status != "False"}
    if "Failed" in found:
        return Health("Degraded", found["Failed"].why() or "the job failed")
    if "Complete" in found:
        return Health("Healthy", found["Complete"].message)
    if "Suspended" in found:
        return Health("Suspended", found["Suspended"].message or "the job is suspended")
    return Health("Progressing", f"{health_values.number(status, 'active')} pods active, {health_values.number(status, 'failed')} failed")


def cron_job(body: dict[str, Any]) -> Health:
    """Degraded only when it is certain that the last run failed: nothing active, the last success before the last start."""
    status = health_values.part(body, "status")
    if health_values.part(body, "spec").get("suspend") is True:
        return Health("Healthy", "the schedule is suspended")
    scheduled, succeeded = health_values.text(status, "lastScheduleTime"), health_values.text(status, "lastSuccessfulTime")
    if scheduled and succeeded and succeeded < scheduled and not status.get("active"):  # RFC 3339 UTC sorts as text
        return Health("Degraded", f"the run of {scheduled} did not succeed")
    return HEALTHY


def _stays(body: dict[str, Any]) -> bool:
    policy = health_values.text(health_values.part(body, "spec"), "restartPolicy") or "Always"
    if policy == "Always":
        return True
    ignored = health_values.annotation(body, "ignore-restart-policy") == "true"
    return ignored and not waves.is_hook(health_values.part(body, "metadata", "annotations"))


def _stuck(status: dict[str, Any]) -> Iterator[str]:
    for container in health_values.entries(status, "containerStatuses"):
        waiting = health_values.part(container, "state", "waiting")
        reason = health_values.text(waiting, "reason")
        if reason.startswith("Err") or reason.endswith(("Error", "BackOff")):
            yield f"container {container.get('name', '')}: {reason}: {health_values.text(waiting, 'message')}".removesuffix(": ")


def _failures(status: dict[str, Any]) -> Iterator[str]:
    for name in ("initContainerStatuses", "containerStatuses"):
        for container in health_values.entries(status, name):
            ended = health_values.part(container, "state", "terminated")
            code = health_values.number(ended, "exitCode")
            why = health_values.text(ended, "message") or health_values.text(ended, "reason")
            if why == "OOMKilled" or code or health_values.text(ended, "message"):
                yield f"container {container.get('name', '')} ended with exit code {code}: {why}".removesuffix(": ")


def _running(status: dict[str, Any], message: str) -> Health:
    ready = health_values.conditions(status).get("Ready")
    if ready and ready.status == "True":
        return Health("Healthy", message)
    restarted = [
        str(container.get("name", ""))
        for container in health_values.entries(status, "containerStatuses")
        if health_values.part(container, "lastState", "terminated")
    ]
    if restarted:
        return Health("Degraded", message or f"not ready after a restart of container {', '.join(restarted)}")
    return Health("Progressing", message or (ready.message if ready else "") or "running, not ready yet")


def _waiting(status: dict[str, Any]) -> str:
    scheduled = health_values.conditions(status).get("PodScheduled")
    return scheduled.why() if scheduled and scheduled.status == "False" else "waiting for its containers"
