"""cert-manager (cert-manager.io and ACME)."""

from plane.domain.health_rules import conditions
from plane.domain.health_rules.rules import Rule, Table, field, when

_ACME = Rule(
    (
        field("Degraded", "status.state", "invalid", "expired", "errored"),
        field("Healthy", "status.state", "valid"),
    ),
    message="status.reason",
)
RULES: Table = {
    ("cert-manager.io", "Certificate"): Rule(
        (
            when("Degraded", "Issuing", "False", "Failed"),  # a renewal that failed while the old certificate still holds counts too
            when("Degraded", "Ready", "False", "Expired"),
            when("Healthy", "Ready"),
        )
    ),
    ("cert-manager.io", "CertificateRequest"): Rule(
        (
            when("Degraded", "Denied"),
            when("Degraded", "InvalidRequest"),
            when("Degraded", "Ready", "False", "Failed", "Denied"),
            when("Healthy", "Ready"),
        )
    ),
    ("cert-manager.io", "ClusterIssuer"): conditions.READY,
    ("cert-manager.io", "Issuer"): conditions.READY,
    ("acme.cert-manager.io", "Challenge"): _ACME,
    ("acme.cert-manager.io", "Order"): _ACME,
    ("trust.cert-manager.io", "Bundle"): Rule((when("Degraded", "Synced", "False"), when("Healthy", "Synced"))),
}
