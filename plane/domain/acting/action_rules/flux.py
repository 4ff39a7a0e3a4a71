"""Flux: what its controllers read from `spec.suspend` and from an annotation."""

from plane.domain.acting.action_rules import rules
from plane.domain.acting.action_rules.rules import Rule, Table

_SUSPEND = rules.switch(("suspend", "resume"), "suspended", "spec", "suspend")
_RECONCILE = Rule(
    "reconcile",
    rules.annotate("reconcile.fluxcd.io/requestedAt", rules.NOW),
    (rules.when("it is suspended", "spec", "suspend"),),
)
_BOTH = (_RECONCILE, *_SUSPEND)
RULES: Table = {
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _BOTH,
    ("image.toolkit.fluxcd.io", "ImageRepository"): _BOTH,
    ("image.toolkit.fluxcd.io", "ImageUpdateAutomation"): _BOTH,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): _BOTH,
    ("notification.toolkit.fluxcd.io", "Alert"): _SUSPEND,
    ("notification.toolkit.fluxcd.io", "Provider"): _SUSPEND,
    ("notification.toolkit.fluxcd.io", "Receiver"): _BOTH,
    ("source.toolkit.fluxcd.io", "Bucket"): _BOTH,
    ("source.toolkit.fluxcd.io", "GitRepository"): _BOTH,
    ("source.toolkit.fluxcd.io", "HelmChart"): _BOTH,
    ("source.toolkit.fluxcd.io", "HelmRepository"): _BOTH,
    ("source.toolkit.fluxcd.io", "OCIRepository"): _BOTH,
}
