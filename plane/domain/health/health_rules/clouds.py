"""Karpenter, and the operators that manage AWS, Azure and Google Cloud: of each many groups, judged by one rule.

Sources: karpenter pkg/apis/v1 (nodeclaim_status, nodepool_status) and v1alpha1 (nodeoverlay_status); ACK runtime apis/core/v1alpha1
(conditions); azure-service-operator v2/pkg/genruntime/conditions; k8s-config-connector pkg/k8s (constants); compared with argo-cd v3.6.1,
resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_ACK = Rule(
    (
        rules.when("Degraded", "ACK.Terminal"),
        rules.when("Degraded", "ACK.ReferencesResolved", "False"),  # Unknown while it looks for them
        rules.when("Progressing", "Ready", "False"),
        rules.when("Healthy", "Ready"),
        rules.when("Progressing", "ACK.Recoverable"),
        rules.when("Progressing", "ACK.ReferencesResolved", "Unknown"),
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
    ("karpenter.sh", "NodeClaim"): Rule(
        (rules.when("Suspended", "Disrupting"), rules.when("Progressing", "Terminating"), *conditions.READY.clauses)
    ),
    ("karpenter.sh", "NodeOverlay"): conditions.READY,
    # Ready leaves out whether its nodes ever join.
    ("karpenter.sh", "NodePool"): Rule((rules.when("Degraded", "NodeRegistrationHealthy", "False"), *conditions.READY.clauses)),
    ("karpenter.k8s.aws", "EC2NodeClass"): conditions.READY,
    ("karpenter.azure.com", "AKSNodeClass"): conditions.READY,
    ("karpenter.k8s.gcp", "GCENodeClass"): conditions.READY,
    ("eks.amazonaws.com", "NodeClass"): conditions.READY,
    ("crd.k8s.amazonaws.com", "ENIConfig"): conditions.PASSIVE,
    ("elbv2.k8s.aws", "IngressClassParams"): conditions.PASSIVE,
    ("elbv2.k8s.aws", "TargetGroupBinding"): Rule(otherwise="Healthy"),
    ("vpcresources.k8s.aws", "SecurityGroupPolicy"): conditions.PASSIVE,
    ("services.k8s.aws", "IAMRoleSelector"): conditions.READY,
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
