"""Crossplane: packages, definitions, and managed resources of any provider.

Sources: docs.crossplane.io (conditions of managed resources, packages and definitions); compared with argo-cd v3.6.1,
resource_customizations.
"""

from plane.domain.health.health_rules import rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_PACKAGE = Rule(
    (
        rules.when("Degraded", "Installed", "False", "UnpackingPackage", "InactivePackageRevision"),
        rules.when("Degraded", "Healthy", "False", "UnhealthyPackageRevision"),
        rules.when("Healthy", "Healthy"),
    )
)
_REVISION = Rule(
    (
        rules.when("Degraded", "Healthy", "False"),
        rules.when("Degraded", "RevisionHealthy", "False"),
        rules.when("Degraded", "RuntimeHealthy", "False"),
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
RULES: Table = {
    ("apiextensions.crossplane.io", "ManagedResourceDefinition"): Rule(
        (rules.when("Healthy", "Established"), rules.when("Healthy", "Established", "False|Unknown", "InactiveManagedResource"))
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
    ("apiextensions.crossplane.io", "CompositionRevision"): _PASSIVE,
    ("apiextensions.crossplane.io", "CompositeResourceDefinition"): _DEFINITION,
}
GLOBS: Globs = (
    *(("*.crossplane.io", kind, _PASSIVE) for kind in ("ProviderConfig*", "ClusterProviderConfig*", "StoreConfig", "ControllerConfig")),
    ("*.upbound.io", "*ProviderConfig*", _PASSIVE),
    ("*.upbound.io", "StoreConfig", _PASSIVE),
    ("apiextensions.crossplane.io", "*", _PASSIVE),
    ("ops.crossplane.io", "*", _PASSIVE),
    ("pkg.crossplane.io", "*", _PASSIVE),
    ("protection.crossplane.io", "*", _PASSIVE),
    ("secrets.crossplane.io", "*", _PASSIVE),
    ("*.crossplane.io", "*", _MANAGED),
    ("*.upbound.io", "*", _MANAGED),
)
