"""External Secrets Operator and Sealed Secrets."""

from plane.domain.health_rules import conditions, rules
from plane.domain.health_rules.rules import Rule, Table

_SYNCED = Rule((rules.when("Degraded", "Synced", "False"), rules.when("Healthy", "Synced")))
RULES: Table = {
    ("bitnami.com", "SealedSecret"): _SYNCED,
    ("external-secrets.io", "ClusterExternalSecret"): conditions.READY,
    ("external-secrets.io", "ClusterPushSecret"): conditions.READY,
    ("external-secrets.io", "ClusterSecretStore"): conditions.READY,
    ("external-secrets.io", "ExternalSecret"): conditions.READY,
    ("external-secrets.io", "PushSecret"): conditions.READY,
    ("external-secrets.io", "SecretStore"): conditions.READY,
}
