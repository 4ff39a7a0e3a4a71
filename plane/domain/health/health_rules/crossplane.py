"""Crossplane: packages, definitions, and managed resources of any provider.

Sources: crossplane apis/pkg/v1, apis/apiextensions/v1 and v1alpha1, apis/ops/v1alpha1 (conditions.go of each), apis/protection/v1beta1;
docs.crossplane.io (managed resources); compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import rules
from plane.domain.health.health_rules.rules import Clause, Globs, Rule, Table

# Unknown without a message: the revision has just been made.
_LOST = rules.both(
    rules.when("Degraded", "Healthy", "Unknown", "UnknownPackageRevisionHealth"), rules.field("Degraded", "status.conditions.*.message")
)
_PACKAGE = Rule(
    (
        _LOST,
        rules.when("Degraded", "Installed", "False", "UnpackingPackage", "InactivePackageRevision"),
        rules.when("Degraded", "Healthy", "False", "UnhealthyPackageRevision"),
        rules.when("Healthy", "Healthy"),
    )
)
_REVISION = Rule(
    (
        _LOST,
        rules.when("Degraded", "Verified", "False"),
        rules.when("Progressing", "RevisionHealthy", "False", "AwaitingSignatureVerification"),
        rules.when("Degraded", "Healthy", "False"),
        rules.when("Degraded", "RevisionHealthy", "False"),
        rules.when("Degraded", "RuntimeHealthy", "False"),
        rules.when("Progressing", "RuntimeHealthy", "Unknown"),
        rules.when("Healthy", "Healthy"),
        rules.when("Healthy", "RevisionHealthy"),
    )
)
_DEFINITION = Rule(
    (rules.when("Degraded", "Established", "False"), rules.when("Progressing", "Offered", "False"), rules.when("Healthy", "Established"))
)
_MANAGED = Rule(
    (
        rules.when("Suspended", "Synced", "False", "ReconcilePaused"),
        rules.when("Degraded", "Synced", "False"),
        rules.when("Degraded", "LastAsyncOperation", "False"),
        rules.when("Healthy", "Ready"),
    )
)
_PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")
_STOPPED: tuple[Clause, ...] = (
    rules.when("Suspended", "Synced", "False", "ReconcilePaused"),
    rules.when("Degraded", "Synced", "False"),
    rules.when("Degraded", "ValidPipeline", "False"),
)
# Older Crossplanes write no status.
_USAGE = Rule(
    (
        rules.when("Progressing", "Ready", "False|Unknown", "Creating"),
        rules.when("Degraded", "Ready", "False"),
        rules.when("Healthy", "Ready"),
    ),
    untouched="Healthy",
)


def _repeated(condition: str, paused: str) -> Rule:
    """An operation that is begun again and again: its condition is true while that goes on."""
    return Rule(
        (
            *_STOPPED,
            rules.when("Suspended", condition, "False", paused),
            rules.when("Degraded", condition, "False"),
            rules.when("Healthy", condition),
        )
    )


RULES: Table = {
    ("apiextensions.crossplane.io", "ManagedResourceDefinition"): Rule(
        (
            rules.when("Healthy", "Established"),
            rules.when("Healthy", "Established", "False|Unknown", "InactiveManagedResource"),
            rules.when("Degraded", "Established", "False", "BlockedManagedResourceActivationPolicy"),
        )
    ),
    ("stacks.crossplane.io", "ClusterStackInstall"): Rule((rules.when("Healthy", "Ready", at="status.conditionedStatus.conditions"),)),
    ("pkg.crossplane.io", "Configuration"): _PACKAGE,
    ("pkg.crossplane.io", "Function"): _PACKAGE,
    ("pkg.crossplane.io", "Provider"): _PACKAGE,
    ("pkg.crossplane.io", "ConfigurationRevision"): _REVISION,
    ("pkg.crossplane.io", "FunctionRevision"): _REVISION,
    ("pkg.crossplane.io", "ProviderRevision"): _REVISION,
    ("pkg.crossplane.io", "DeploymentRuntimeConfig"): _PASSIVE,
    ("apiextensions.crossplane.io", "Composition"): _PASSIVE,
    ("apiextensions.crossplane.io", "CompositionRevision"): Rule(
        (rules.when("Degraded", "ValidPipeline", "False"),), otherwise="Healthy", untouched="Healthy"
    ),
    ("apiextensions.crossplane.io", "ManagedResourceActivationPolicy"): Rule(
        (rules.when("Degraded", "Healthy", "False"), rules.when("Healthy", "Healthy"))
    ),
    ("apiextensions.crossplane.io", "Usage"): _USAGE,
    ("ops.crossplane.io", "CronOperation"): _repeated("Scheduling", "SchedulePaused"),
    ("ops.crossplane.io", "Operation"): Rule((*_STOPPED, rules.when("Degraded", "Succeeded", "False"), rules.when("Healthy", "Succeeded"))),
    ("ops.crossplane.io", "WatchOperation"): _repeated("Watching", "WatchPaused"),
    ("protection.crossplane.io", "ClusterUsage"): _USAGE,
    ("protection.crossplane.io", "Usage"): _USAGE,
    ("apiextensions.crossplane.io", "CompositeResourceDefinition"): _DEFINITION,
}
GLOBS: Globs = (
    *(("*.crossplane.io", kind, _PASSIVE) for kind in ("ProviderConfig*", "ClusterProviderConfig*", "StoreConfig", "ControllerConfig")),
    ("*.upbound.io", "*ProviderConfig*", _PASSIVE),
    ("*.upbound.io", "StoreConfig", _PASSIVE),
    ("apiextensions.crossplane.io", "*", _PASSIVE),
    ("pkg.crossplane.io", "*", _PASSIVE),
    ("protection.crossplane.io", "*", _PASSIVE),
    ("secrets.crossplane.io", "*", _PASSIVE),
    ("*.crossplane.io", "*", _MANAGED),
    ("*.upbound.io", "*", _MANAGED),
)
