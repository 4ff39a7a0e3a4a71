"""cert-manager (cert-manager.io and ACME).

Sources: cert-manager.io/docs/reference/api-docs (conditions, ACME states); compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Rule, Table

_ACME = Rule(
    (
        rules.field("Degraded", "status.state", "invalid", "expired", "errored"),
        rules.field("Healthy", "status.state", "valid"),
    ),
    message="status.reason",
)
RULES: Table = {
    ("cert-manager.io", "Certificate"): Rule(
        (
            rules.when("Progressing", "Issuing"),
            rules.when("Degraded", "Ready", "False"),
            rules.when("Healthy", "Ready"),
        )
    ),
    ("cert-manager.io", "CertificateRequest"): Rule(
        (
            rules.when("Degraded", "Denied"),
            rules.when("Degraded", "InvalidRequest"),
            rules.when("Degraded", "Ready", "False", "Failed", "Denied"),
            rules.when("Healthy", "Ready"),
        )
    ),
    ("cert-manager.io", "ClusterIssuer"): conditions.READY,
    ("cert-manager.io", "Issuer"): conditions.READY,
    ("acme.cert-manager.io", "Challenge"): _ACME,
    ("acme.cert-manager.io", "Order"): _ACME,
    ("certmanager.k8s.io", "Certificate"): conditions.READY,  # before 0.11
    ("certmanager.k8s.io", "Issuer"): conditions.READY,
    ("trust.cert-manager.io", "Bundle"): Rule((rules.when("Degraded", "Synced", "False"), rules.when("Healthy", "Synced"))),
}
