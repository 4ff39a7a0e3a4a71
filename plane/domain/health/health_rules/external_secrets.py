"""External Secrets Operator and Sealed Secrets.

Sources: external-secrets apis/externalsecrets/v1 and v1alpha1 (clusterexternalsecret, externalsecret, pushsecret, secretstore types);
github.com/bitnami-labs/sealed-secrets (status conditions); compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_SYNCED = Rule((rules.when("Degraded", "Synced", "False"), rules.when("Healthy", "Synced")))
RULES: Table = {
    ("bitnami.com", "SealedSecret"): Rule((rules.absent("Progressing", "status.observedGeneration"), *_SYNCED.clauses)),
    ("external-secrets.io", "ClusterExternalSecret"): Rule(
        (  # in v1beta1 conditions gather, and the last one is the newest; v1 has Ready alone
            rules.when("Healthy", "Ready", at="status.conditions.-1"),
            rules.when("Degraded", "Ready", "False", at="status.conditions.-1"),
            rules.when("Degraded", "PartiallyReady", at="status.conditions.-1"),
            rules.when("Degraded", "NotReady", at="status.conditions.-1"),
        )
    ),
    ("external-secrets.io", "ClusterPushSecret"): conditions.READY,
    ("external-secrets.io", "ClusterSecretStore"): conditions.READY,
    ("external-secrets.io", "ExternalSecret"): conditions.READY,
    ("external-secrets.io", "PushSecret"): conditions.READY,
    ("external-secrets.io", "SecretStore"): conditions.READY,
}
GLOBS: Globs = (("generators.external-secrets.io", "*", conditions.PASSIVE),)
