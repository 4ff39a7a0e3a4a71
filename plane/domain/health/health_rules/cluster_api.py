"""Cluster API: clusters, machines, control planes; infrastructure providers by their shared contract.

Sources: cluster-api.sigs.k8s.io (status and contracts, v1beta1 and v1beta2); cluster-api api/core/v1beta2 (machine_phase_types,
machinedeployment_types) and api/runtime/v1beta2; addon-provider-helm api/v1alpha1 and cluster-api-operator api/v1alpha2 (conditions);
compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Clause, Globs, Rule, Table

# v1beta1 grades a false condition by severity: only Error needs a person. v1beta2 has Available instead of Ready.
_COMMON: tuple[Clause, ...] = (
    rules.flag("Suspended", "spec.paused"),
    rules.when("Suspended", "Paused"),
    rules.field("Degraded", "status.phase", "Failed"),
    rules.field("Degraded", "status.failureReason"),
    rules.when("Degraded", "Ready", "False", severity="Error"),
)
# v1beta2 says with conditions of their own that replicas change.
_BOTH = (rules.CONDITIONS, "status.v1beta2.conditions")  # the latter in objects read as v1beta1
_CHANGING: tuple[Clause, ...] = tuple(
    rules.when("Progressing", name, at=place) for name in ("RollingOut", "ScalingUp", "ScalingDown") for place in _BOTH
)
_PHASED = Rule((*_COMMON, *_CHANGING, rules.field("Healthy", "status.phase", "Running")), message="status.failureMessage")
_CONTROL_PLANE = Rule(
    (*_COMMON, *_CHANGING, rules.when("Healthy", "Ready"), rules.when("Healthy", "Available")), message="status.failureMessage"
)
_READY = Rule((*_COMMON, rules.when("Healthy", "Ready")))
_INFRASTRUCTURE = Rule(
    (
        *_COMMON,
        rules.when("Healthy", "Ready"),
        rules.flag("Healthy", "status.ready"),
        rules.flag("Healthy", "status.initialization.provisioned"),
    ),
    message="status.failureMessage",
)
RULES: Table = {
    ("cluster.x-k8s.io", "Cluster"): Rule(
        (
            *_COMMON,
            rules.when("Progressing", "Available", "False|Unknown"),
            *(rules.when("Progressing", "TopologyReconciled", "False", at=place) for place in _BOTH),
            *(rules.when("Progressing", "RollingOut", at=place) for place in _BOTH),
            rules.field("Healthy", "status.phase", "Provisioned"),
        ),
        message="status.failureMessage",
    ),
    ("cluster.x-k8s.io", "ClusterClass"): Rule(
        (rules.when("Degraded", "VariablesReady", "False"), rules.when("Degraded", "VariablesReconciled", "False")),
        otherwise="Healthy",
    ),
    ("cluster.x-k8s.io", "Machine"): _PHASED,
    ("cluster.x-k8s.io", "MachineDeployment"): _PHASED,
    ("cluster.x-k8s.io", "MachineDrainRule"): conditions.PASSIVE,
    ("cluster.x-k8s.io", "MachineHealthCheck"): Rule(
        (rules.equal("Healthy", "status.currentHealthy", "status.expectedMachines"), rules.field("Degraded", "status.expectedMachines"))
    ),
    ("cluster.x-k8s.io", "MachinePool"): Rule(
        (rules.field("Degraded", "status.phase", "Unknown"), *_PHASED.clauses, rules.field("Healthy", "status.phase", "Scaling")),
        message="status.failureMessage",
    ),
    ("cluster.x-k8s.io", "MachineSet"): Rule(
        (
            *_COMMON,
            *_CHANGING,
            rules.when("Progressing", "MachinesReady", "False"),
            rules.when("Healthy", "MachinesReady"),
            rules.when("Healthy", "Ready"),
        ),
        message="status.failureMessage",
    ),
    ("controlplane.cluster.x-k8s.io", "AWSManagedControlPlane"): Rule(
        (
            rules.field("Degraded", "status.failureMessage"),
            rules.when("Progressing", "EKSControlPlaneUpdating"),
            rules.when("Healthy", "Ready"),
            rules.when("Degraded", "*", "False", severity="Error"),
        ),
        message="status.failureMessage",
    ),
    ("addons.cluster.x-k8s.io", "ClusterResourceSet"): Rule(
        (rules.when("Degraded", "ResourcesApplied", "False"), rules.when("Healthy", "ResourcesApplied"))
    ),
    ("addons.cluster.x-k8s.io", "ClusterResourceSetBinding"): conditions.PASSIVE,
    ("addons.cluster.x-k8s.io", "HelmChartProxy"): _READY,
    ("addons.cluster.x-k8s.io", "HelmReleaseProxy"): _READY,
    ("ipam.cluster.x-k8s.io", "GlobalInClusterIPPool"): conditions.PASSIVE,
    ("ipam.cluster.x-k8s.io", "InClusterIPPool"): conditions.PASSIVE,
    ("ipam.cluster.x-k8s.io", "IPAddress"): conditions.PASSIVE,
    ("ipam.cluster.x-k8s.io", "IPAddressClaim"): _READY,
    ("runtime.cluster.x-k8s.io", "ExtensionConfig"): Rule(
        (rules.when("Suspended", "Paused"), rules.when("Degraded", "Discovered", "False"), rules.when("Healthy", "Discovered"))
    ),
}
GLOBS: Globs = (
    ("*.cluster.x-k8s.io", "*Template", conditions.PASSIVE),
    ("infrastructure.cluster.x-k8s.io", "*Identity", conditions.PASSIVE),
    ("controlplane.cluster.x-k8s.io", "*", _CONTROL_PLANE),
    ("bootstrap.cluster.x-k8s.io", "*", _INFRASTRUCTURE),
    ("infrastructure.cluster.x-k8s.io", "*", _INFRASTRUCTURE),
    (
        "operator.cluster.x-k8s.io",
        "*Provider",
        Rule((*_COMMON, rules.when("Degraded", "PreflightCheckPassed", "False", severity="Error"), rules.when("Healthy", "Ready"))),
    ),
)
