"""Kyverno and Gatekeeper."""

from plane.domain.health_rules import conditions
from plane.domain.health_rules.rules import Globs, Rule, Table, field, flag, when

_READY = Rule((when("Degraded", "Ready", "False"), when("Healthy", "Ready"), flag("Healthy", "status.ready")))
_WRITTEN_IN_CEL = Rule(
    (
        when("Degraded", "*", "False", at="status.conditionStatus.conditions"),
        flag("Healthy", "status.conditionStatus.ready"),
    ),
    message="status.conditionStatus.message",
)
RULES: Table = {
    ("kyverno.io", "CleanupPolicy"): conditions.PASSIVE,
    ("kyverno.io", "ClusterCleanupPolicy"): conditions.PASSIVE,
    ("kyverno.io", "ClusterPolicy"): _READY,
    ("kyverno.io", "Policy"): _READY,
    ("kyverno.io", "PolicyException"): conditions.PASSIVE,
    ("policies.kyverno.io", "GeneratingPolicy"): _WRITTEN_IN_CEL,
    ("policies.kyverno.io", "ImageValidatingPolicy"): _WRITTEN_IN_CEL,
    ("policies.kyverno.io", "MutatingPolicy"): _WRITTEN_IN_CEL,
    ("policies.kyverno.io", "PolicyException"): conditions.PASSIVE,
    ("policies.kyverno.io", "ValidatingPolicy"): _WRITTEN_IN_CEL,
    ("templates.gatekeeper.sh", "ConstraintTemplate"): Rule(
        (field("Degraded", "status.byPod.*.errors"), flag("Healthy", "status.created"))
    ),
}
GLOBS: Globs = (
    (
        "constraints.gatekeeper.sh",
        "*",
        Rule((field("Degraded", "status.byPod.*.errors"), flag("Healthy", "status.byPod.*.enforced"))),
    ),
)
