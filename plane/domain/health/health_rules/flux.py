"""Flux: sources, appliers, image automation and notification; the Flux operator and the Terraform controller.

Sources: fluxcd.io/flux/components (conditions of each kind); helm-controller api/v2 (condition_types), kustomize-controller
internal/controller, flux-operator api/v1 (common_types); compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import rules
from plane.domain.health.health_rules.rules import Rule, Table

_RECONCILED = Rule(
    (
        rules.flag("Suspended", "spec.suspend"),
        rules.when("Degraded", "Stalled"),
        rules.when("Progressing", "Ready", "False", "DependencyNotReady", "HealthCheckCanceled"),
        rules.when("Degraded", "Ready", "False"),
        rules.when("Progressing", "Reconciling"),
        rules.when("Healthy", "Ready"),
    )
)
_PASSIVE = Rule((rules.flag("Suspended", "spec.suspend"),), otherwise="Healthy", untouched="Healthy")
# An OCI registry is only an address to Flux, and gets no status.
_HELM_REPOSITORY = Rule((_RECONCILED.clauses[0], rules.field("Healthy", "spec.type", "oci"), *_RECONCILED.clauses[1:]))
_OPERATED = Rule((rules.field("Suspended", "metadata.annotations.fluxcd.controlplane.io/reconcile", "disabled"), *_RECONCILED.clauses[1:]))
_SOURCES = ("Bucket", "ExternalArtifact", "GitRepository", "HelmChart", "OCIRepository")
_IMAGES = ("ImagePolicy", "ImageRepository", "ImageUpdateAutomation")
RULES: Table = {
    **{("source.toolkit.fluxcd.io", kind): _RECONCILED for kind in _SOURCES},
    **{("image.toolkit.fluxcd.io", kind): _RECONCILED for kind in _IMAGES},
    ("source.toolkit.fluxcd.io", "HelmRepository"): _HELM_REPOSITORY,
    ("source.extensions.fluxcd.io", "ArtifactGenerator"): _RECONCILED,
    **{("fluxcd.controlplane.io", kind): _OPERATED for kind in ("FluxInstance", "FluxReport", "ResourceSet", "ResourceSetInputProvider")},
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _RECONCILED,
    ("infra.contrib.fluxcd.io", "Terraform"): _RECONCILED,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): _RECONCILED,
    ("notification.toolkit.fluxcd.io", "Alert"): _PASSIVE,
    ("notification.toolkit.fluxcd.io", "Provider"): _PASSIVE,
    ("notification.toolkit.fluxcd.io", "Receiver"): _RECONCILED,
}
