"""External Secrets Operator and Sealed Secrets."""

from plane.domain.health_rules import conditions
from plane.domain.health_rules.rules import Rule, Table, when

_SYNCED = Rule((when("Degraded", "Synced", "False"), when("Healthy", "Synced")))
RULES: Table = {
    ("bitnami.com", "SealedSecret"): _SYNCED,
    ("external-secrets.io", "ClusterExternalSecret"): conditions.READY,
    ("external-secrets.io", "ClusterPushSecret"): conditions.READY,
    ("external-secrets.io", "ClusterSecretStore"): conditions.READY,
    ("external-secrets.io", "ExternalSecret"): conditions.READY,
    ("external-secrets.io", "PushSecret"): conditions.READY,
    ("external-secrets.io", "SecretStore"): conditions.READY,
}
