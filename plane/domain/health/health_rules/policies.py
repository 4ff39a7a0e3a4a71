"""Kyverno and Gatekeeper.

Sources: kyverno api/kyverno/v1 (policy_status), api/kyverno/v2alpha1 (global_context_entry_status) and api/policies.kyverno.io;
open-policy-agent.github.io/gatekeeper (status.byPod); compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_READY = Rule((rules.when("Degraded", "Ready", "False|Unknown"), rules.when("Healthy", "Ready"), rules.flag("Healthy", "status.ready")))
_WRITTEN_IN_CEL = Rule(
    (
        rules.when("Degraded", "*", "False", at="status.conditionStatus.conditions"),
        rules.flag("Healthy", "status.conditionStatus.ready"),
        rules.flag("Degraded", "status.conditionStatus.ready", value=False),
    ),
    message="status.conditionStatus.message",
)
_NAMESPACED = (
    "DeletingPolicy",
    "NamespacedDeletingPolicy",
    "NamespacedGeneratingPolicy",
    "NamespacedImageValidatingPolicy",
    "NamespacedMutatingPolicy",
    "NamespacedValidatingPolicy",
)
RULES: Table = {
    ("kyverno.io", "CleanupPolicy"): conditions.PASSIVE,
    ("kyverno.io", "ClusterCleanupPolicy"): conditions.PASSIVE,
    ("kyverno.io", "ClusterPolicy"): _READY,
    ("kyverno.io", "GlobalContextEntry"): conditions.READY,
    ("kyverno.io", "Policy"): _READY,
    ("kyverno.io", "PolicyException"): conditions.PASSIVE,
    ("policies.kyverno.io", "GeneratingPolicy"): _WRITTEN_IN_CEL,
    ("policies.kyverno.io", "ImageValidatingPolicy"): _WRITTEN_IN_CEL,
    ("policies.kyverno.io", "MutatingPolicy"): _WRITTEN_IN_CEL,
    ("policies.kyverno.io", "PolicyException"): conditions.PASSIVE,
    ("policies.kyverno.io", "ValidatingPolicy"): _WRITTEN_IN_CEL,
    **{("policies.kyverno.io", kind): _WRITTEN_IN_CEL for kind in _NAMESPACED},
    ("templates.gatekeeper.sh", "ConstraintTemplate"): Rule(
        (rules.field("Degraded", "status.byPod.*.errors"), rules.flag("Healthy", "status.created"))
    ),
}
GLOBS: Globs = (
    (
        "constraints.gatekeeper.sh",
        "*",
        Rule((rules.field("Degraded", "status.byPod.*.errors"), rules.flag("Healthy", "status.byPod.*.enforced"))),
    ),
)
