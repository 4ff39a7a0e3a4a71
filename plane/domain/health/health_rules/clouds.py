"""Karpenter, and the operators that manage AWS, Azure and Google Cloud: of each many groups, judged by one rule.

Sources: karpenter.sh/docs (NodePools, NodeClaims), aws-controllers-k8s.github.io (conditions), azure.github.io/azure-service-operator
(conditions), cloud.google.com/config-connector/docs (events and conditions); compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_ACK = Rule(
    (
        rules.when("Degraded", "ACK.Terminal"),
        rules.when("Progressing", "Ready", "False"),
        rules.when("Healthy", "Ready"),
        rules.when("Progressing", "ACK.Recoverable"),
        rules.when("Progressing", "ACK.ReferencesResolved", "False"),
        rules.when("Healthy", "ACK.ResourceSynced"),  # controllers that write no Ready yet
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
        rules.when("Suspended", "*", "False", "DependencyNotReady"),
        rules.when("Progressing", "Ready", "False", "Updating", "Deleting"),
        rules.when("Degraded", "Ready", "False"),
        rules.when("Healthy", "Ready"),
    )
)
_CONTROLLER = Rule((rules.flag("Degraded", "status.healthy", value=False), rules.flag("Healthy", "status.healthy")))
RULES: Table = {
    ("karpenter.sh", "NodeClaim"): Rule((rules.when("Suspended", "Disrupting"), *conditions.READY.clauses)),
    ("karpenter.sh", "NodeOverlay"): conditions.READY,
    ("karpenter.sh", "NodePool"): conditions.READY,
    ("karpenter.k8s.aws", "EC2NodeClass"): conditions.READY,
    ("karpenter.azure.com", "AKSNodeClass"): conditions.READY,
    ("core.cnrm.cloud.google.com", "ConfigConnector"): _CONTROLLER,
    ("core.cnrm.cloud.google.com", "ConfigConnectorContext"): _CONTROLLER,
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
    ("customize.core.cnrm.cloud.google.com", "*", _CONTROLLER),
    ("*.cnrm.cloud.google.com", "*", _KCC),
)
