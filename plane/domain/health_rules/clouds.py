"""Karpenter, and the operators that manage AWS, Azure and Google Cloud: of each many groups, judged by one rule."""

from plane.domain.health_rules import conditions
from plane.domain.health_rules.rules import Globs, Rule, Table, field, flag, when

_ACK = Rule(
    (
        when("Degraded", "ACK.Terminal"),
        when("Degraded", "ACK.Recoverable"),
        when("Degraded", "ACK.ReferencesResolved", "False"),
        when("Progressing", "ACK.ResourceSynced", "False|Unknown"),
        when("Healthy", "ACK.ResourceSynced"),
        when("Healthy", "Ready"),
    )
)
_ASO = Rule((when("Degraded", "Ready", "False", severity="Error"), when("Progressing", "Ready", "False|Unknown"), when("Healthy", "Ready")))
_KCC = Rule(
    (
        when("Progressing", "Ready", "False", "Updating", "Deleting", "DependencyNotReady", "DependencyNotFound"),
        when("Degraded", "Ready", "False"),
        when("Healthy", "Ready"),
    )
)
RULES: Table = {
    ("karpenter.sh", "NodeClaim"): conditions.READY_IN_TIME,
    ("karpenter.sh", "NodeOverlay"): conditions.READY,
    ("karpenter.sh", "NodePool"): conditions.READY,
    ("karpenter.k8s.aws", "EC2NodeClass"): conditions.READY,
    ("karpenter.azure.com", "AKSNodeClass"): conditions.READY,
    ("core.cnrm.cloud.google.com", "ConfigConnector"): Rule(
        (flag("Degraded", "status.healthy", value=False), flag("Healthy", "status.healthy"))
    ),
    ("core.cnrm.cloud.google.com", "ConfigConnectorContext"): Rule(
        (flag("Degraded", "status.healthy", value=False), flag("Healthy", "status.healthy"))
    ),
    ("services.k8s.aws", "AdoptedResource"): Rule((when("Degraded", "ACK.Adopted", "False"), when("Healthy", "ACK.Adopted"))),
    ("services.k8s.aws", "FieldExport"): Rule((when("Degraded", "ACK.Recoverable"),), otherwise="Healthy", untouched="Healthy"),
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"): Rule(
        (
            field("Healthy", "spec.updatePolicy.updateMode", "Off"),
            when("Degraded", "ConfigUnsupported"),
            when("Degraded", "ConfigDeprecated"),
            when("Healthy", "RecommendationProvided"),
        )
    ),
}
GLOBS: Globs = (
    ("*.services.k8s.aws", "*", _ACK),
    ("*.azure.com", "*", _ASO),
    ("*.cnrm.cloud.google.com", "*", _KCC),
)
