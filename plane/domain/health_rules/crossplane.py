"""Crossplane: packages, definitions, and managed resources of any provider."""

from plane.domain.health_rules.rules import Globs, Rule, Table, when

_PACKAGE = Rule(
    (
        when("Degraded", "Installed", "False", "UnpackingPackage", "InactivePackageRevision"),
        when("Degraded", "Healthy", "False", "UnhealthyPackageRevision"),
        when("Healthy", "Healthy"),
    )
)
_REVISION = Rule(
    (
        when("Degraded", "Healthy", "False"),
        when("Degraded", "RevisionHealthy", "False"),
        when("Degraded", "RuntimeHealthy", "False"),
        when("Healthy", "Healthy"),
        when("Healthy", "RevisionHealthy"),
    )
)
_DEFINITION = Rule((when("Degraded", "Established", "False"), when("Progressing", "Offered", "False"), when("Healthy", "Established")))
_MANAGED = Rule(
    (
        when("Suspended", "Synced", "False", "ReconcilePaused"),
        when("Degraded", "Synced", "False", "ReconcileError"),
        when("Degraded", "Ready", "False", "Unavailable"),
        when("Healthy", "Ready"),
    )
)
_PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")
RULES: Table = {
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
    ("*.crossplane.io", "ProviderConfig*", _PASSIVE),
    ("*.upbound.io", "*ProviderConfig*", _PASSIVE),
    ("apiextensions.crossplane.io", "*", _PASSIVE),
    ("ops.crossplane.io", "*", _PASSIVE),
    ("pkg.crossplane.io", "*", _PASSIVE),
    ("protection.crossplane.io", "*", _PASSIVE),
    ("secrets.crossplane.io", "*", _PASSIVE),
    ("*.crossplane.io", "*", _MANAGED),
    ("*.upbound.io", "*", _MANAGED),
)
