"""Health of what workloads stand on: network, storage, scaling, APIs."""

from typing import Any

import msgspec

from plane.domain.health import health_values
from plane.domain.health.health_values import HEALTHY, Health

_HPA_FAILURES = frozenset(
    {
        ("AbleToScale", "FailedGetScale"),
        ("AbleToScale", "FailedUpdateScale"),
        ("ScalingActive", "FailedGetResourceMetric"),
        ("ScalingActive", "FailedGetContainerResourceMetric"),
        ("ScalingActive", "FailedGetExternalMetric"),
        ("ScalingActive", "FailedGetObjectMetric"),
        ("ScalingActive", "FailedGetPodsMetric"),
        ("ScalingActive", "InvalidSelector"),
    }
)
_HPA_V1_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
_WORKFLOW: dict[str, health_values.Status] = {
    "": "Progressing",
    "Pending": "Progressing",
    "Running": "Progressing",
    "Succeeded": "Healthy",
    "Failed": "Degraded",
    "Error": "Degraded",
}


def service(body: dict[str, Any]) -> Health:
    return _addressed(body) if health_values.part(body, "spec").get("type") == "LoadBalancer" else HEALTHY


def ingress(body: dict[str, Any]) -> Health:
    return _addressed(body)


def claim(body: dict[str, Any]) -> Health:
    phase = health_values.text(health_values.part(body, "status"), "phase")
    if phase == "Lost":
        return Health("Degraded", "its volume is lost")
    if phase == "Pending":
        return Health("Progressing", "waiting for a volume")
    return HEALTHY if phase == "Bound" else Health("Unknown", f"the phase {phase or '(none)'} has no meaning here")


def autoscaler(body: dict[str, Any]) -> Health:
    """v1 keeps its conditions in an annotation, later versions in the status."""
    found = health_values.conditions(
        _v1_conditions(body) if body.get("apiVersion") == "autoscaling/v1" else health_values.part(body, "status")
    )
    for condition in found.values():
        if (condition.type, condition.reason) in _HPA_FAILURES:
            return Health("Degraded", condition.why())
    for name in ("AbleToScale", "ScalingLimited"):
        if name in found and found[name].status == "True":
            return Health("Healthy", found[name].message)
    return Health("Progressing", "waiting to autoscale")


def api_service(body: dict[str, Any]) -> Health:
    available = health_values.conditions(health_values.part(body, "status")).get("Available")
    if available and available.status == "True":
        return Health("Healthy", available.why())
    return Health("Progressing", available.why() if available else "waiting to be processed")


def definition(body: dict[str, Any]) -> Health:
    """A CustomResourceDefinition."""
    found = health_values.conditions(health_values.part(body, "status"))
    if not found:
        return Health("Progressing", "waiting to be established")
    if "Terminating" in found and found["Terminating"].status == "True":
        return Health("Progressing", found["Terminating"].why())
    names, established = found.get("NamesAccepted"), found.get("Established")
    if names and names.status == "False":
        return Health("Degraded", f"its names are not accepted: {names.why()}")
    schema = found.get("NonStructuralSchema")
    if schema and schema.status == "True":
        return Health("Degraded", f"its schema is refused: {schema.why()}")
    if established and established.status == "True":
        return HEALTHY
    broken = established is not None and established.reason == "InvalidCABundle"
    why = established.why() if established else "no condition says so yet"
    return Health("Degraded" if broken else "Progressing", f"it is not established: {why}")


def namespace(body: dict[str, Any]) -> Health:
    if health_values.part(body, "status").get("phase") == "Terminating":
        return Health("Progressing", "Pending deletion")
    return HEALTHY


def disruption_budget(body: dict[str, Any]) -> Health:
    """Too few pods is what a budget is for, so that alone is no fault of the budget."""
    found = health_values.conditions(health_values.part(body, "status"))
    if not found:
        return Health("Progressing", "waiting for its controller")
    for condition in found.values():
        if condition.status == "False" and condition.reason != "InsufficientPods":
            return Health("Degraded", condition.why())
    return HEALTHY


def workflow(body: dict[str, Any]) -> Health:
    """Argo Workflows."""
    status = health_values.part(body, "status")
    return Health(_WORKFLOW.get(health_values.text(status, "phase"), "Unknown"), health_values.text(status, "message"))


def _addressed(body: dict[str, Any]) -> Health:
    if any(health_values.entries(health_values.part(body, "status", "loadBalancer"), "ingress")):
        return HEALTHY
    return Health("Progressing", "waiting for an address from the load balancer")


def _v1_conditions(body: dict[str, Any]) -> dict[str, Any]:
    written = health_values.text(health_values.part(body, "metadata", "annotations"), _HPA_V1_CONDITIONS)
    try:
        return {"conditions": msgspec.json.decode(written) if written else []}
    except msgspec.DecodeError as error:
        raise health_values.Malformed(_HPA_V1_CONDITIONS, "JSON") from error
