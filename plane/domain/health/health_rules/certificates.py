"""cert-manager (cert-manager.io and ACME), its approver-policy and trust-manager.

Sources: cert-manager pkg/apis/certmanager/v1 (types_certificaterequest) and pkg/apis/acme/v1 (types_challenge), cert-manager.io/docs
(approval, reference); trust-manager pkg/apis/trust/v1alpha1 and pkg/apis/trustmanager/v1alpha2; compared with argo-cd v3.6.1,
resource_customizations.
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
    ("policy.cert-manager.io", "CertificateRequestPolicy"): conditions.READY,
    ("trust-manager.io", "ClusterBundle"): conditions.one("Synced"),
    ("trust.cert-manager.io", "Bundle"): conditions.one("Synced"),
}
