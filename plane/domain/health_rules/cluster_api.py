"""Cluster API: clusters, machines, control planes; infrastructure providers by their shared contract."""

from plane.domain.health_rules import conditions
from plane.domain.health_rules.rules import Clause, Globs, Rule, Table, field, flag, when

# v1beta1 grades a false condition by severity: only Error needs a person. v1beta2 has Available instead of Ready.
_COMMON: tuple[Clause, ...] = (
    flag("Suspended", "spec.paused"),
    when("Suspended", "Paused"),
    field("Degraded", "status.phase", "Failed"),
    field("Degraded", "status.failureReason"),
    when("Degraded", "Ready", "False", severity="Error"),
)
_PHASED = Rule((*_COMMON, field("Healthy", "status.phase", "Running", "Provisioned")), message="status.failureMessage")
_CONTROL_PLANE = Rule((*_COMMON, when("Healthy", "Ready"), when("Healthy", "Available")), message="status.failureMessage")
_INFRASTRUCTURE = Rule(
    (
        *_COMMON,
        when("Healthy", "Ready"),
        flag("Healthy", "status.ready"),
        flag("Healthy", "status.initialization.provisioned"),
    ),
    message="status.failureMessage",
)
RULES: Table = {
    ("cluster.x-k8s.io", "Cluster"): _PHASED,
    ("cluster.x-k8s.io", "ClusterClass"): Rule(
        (when("Degraded", "VariablesReady", "False"), when("Degraded", "VariablesReconciled", "False")),
        otherwise="Healthy",
    ),
    ("cluster.x-k8s.io", "Machine"): _PHASED,
    ("cluster.x-k8s.io", "MachineDeployment"): _PHASED,
    ("cluster.x-k8s.io", "MachineHealthCheck"): Rule(
        (when("Degraded", "RemediationAllowed", "False"), when("Healthy", "RemediationAllowed"))
    ),
    ("cluster.x-k8s.io", "MachinePool"): _PHASED,
    ("cluster.x-k8s.io", "MachineSet"): Rule(
        (*_COMMON, when("Progressing", "MachinesReady", "False"), when("Healthy", "MachinesReady"), when("Healthy", "Ready")),
        message="status.failureMessage",
    ),
    ("addons.cluster.x-k8s.io", "ClusterResourceSet"): Rule(
        (when("Degraded", "ResourcesApplied", "False"), when("Healthy", "ResourcesApplied"))
    ),
}
GLOBS: Globs = (
    ("*.cluster.x-k8s.io", "*Template", conditions.PASSIVE),
    ("infrastructure.cluster.x-k8s.io", "*Identity", conditions.PASSIVE),
    ("controlplane.cluster.x-k8s.io", "*", _CONTROL_PLANE),
    ("bootstrap.cluster.x-k8s.io", "*", _INFRASTRUCTURE),
    ("infrastructure.cluster.x-k8s.io", "*", _INFRASTRUCTURE),
)
