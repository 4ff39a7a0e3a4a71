"""Karpenter, and the operators that manage AWS, Azure and Google Cloud: of each many groups, judged by one rule."""

from plane.domain.health_rules import conditions, rules
from plane.domain.health_rules.rules import Globs, Rule, Table

_ACK = Rule(
    (
        rules.when("Degraded", "ACK.Terminal"),
        rules.when("Degraded", "ACK.Recoverable"),
        rules.when("Degraded", "ACK.ReferencesResolved", "False"),
        rules.when("Progressing", "ACK.ResourceSynced", "False|Unknown"),
        rules.when("Healthy", "ACK.ResourceSynced"),
        rules.when("Healthy", "Ready"),
    )
)
_ASO = Rule(
    (
        rules.when("Degraded", "Ready", "False", severity="Error"),
        rules.when("Progressing", "Ready", "False|Unknown"),
        rules.when("Healthy", "Ready"),
    )
)
_KCC = Rule(
    (
        rules.when("Progressing", "Ready", "False", "Updating", "Deleting", "DependencyNotReady", "DependencyNotFound"),
        rules.when("Degraded", "Ready", "False"),
        rules.when("Healthy", "Ready"),
    )
)
RULES: Table = {
    ("karpenter.sh", "NodeClaim"): conditions.READY_IN_TIME,
    ("karpenter.sh", "NodeOverlay"): conditions.READY,
    ("karpenter.sh", "NodePool"): conditions.READY,
    ("karpenter.k8s.aws", "EC2NodeClass"): conditions.READY,
    ("karpenter.azure.com", "AKSNodeClass"): conditions.READY,
    ("core.cnrm.cloud.google.com", "ConfigConnector"): Rule(
        (rules.flag("Degraded", "status.healthy", value=False), rules.flag("Healthy", "status.healthy"))
    ),
    ("core.cnrm.cloud.google.com", "ConfigConnectorContext"): Rule(
        (rules.flag("Degraded", "status.healthy", value=False), rules.flag("Healthy", "status.healthy"))
    ),
    ("services.k8s.aws", "AdoptedResource"): Rule((rules.when("Degraded", "ACK.Adopted", "False"), rules.when("Healthy", "ACK.Adopted"))),
    ("services.k8s.aws", "FieldExport"): Rule((rules.when("Degraded", "ACK.Recoverable"),), otherwise="Healthy", untouched="Healthy"),
    ("autoscaling.k8s.io", "VerticalPodAutoscaler"): Rule(
        (
            rules.field("Healthy", "spec.updatePolicy.updateMode", "Off"),
            rules.when("Degraded", "ConfigUnsupported"),
            rules.when("Degraded", "ConfigDeprecated"),
            rules.when("Healthy", "RecommendationProvided"),
        )
    ),
}
GLOBS: Globs = (
    ("*.services.k8s.aws", "*", _ACK),
    ("*.azure.com", "*", _ASO),
    ("*.cnrm.cloud.google.com", "*", _KCC),
)
