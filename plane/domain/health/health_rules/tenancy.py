"""Capsule, Open Cluster Management, Gardener, Karmada, kro: operators of tenants, fleets and graphs of objects.

Sources: the API references of projectcapsule.dev, open-cluster-management.io, gardener.cloud, karmada.io and kro.run; judged as in
argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Globs, Rule, Table

_READY = conditions.READY.clauses
_CORDONED = Rule((rules.flag("Suspended", "spec.cordoned"), *_READY))
_COMPLIANT = Rule(
    (rules.field("Healthy", "status.compliant", "Compliant"), rules.field("Degraded", "status.compliant")), message="status.compliant"
)
_BINDING = Rule(
    (
        rules.field("Degraded", "status.aggregatedStatus.*.health", "Unhealthy"),
        rules.flag("Degraded", "status.aggregatedStatus.*.applied", value=False),
        rules.absent("Progressing", "status.aggregatedStatus"),
        rules.field("Healthy", "status.aggregatedStatus.*.health"),
    )
)
_SHOOT = "metadata.labels.shoot.gardener.cloud/status"
_FAILED = ("InstanceManaged", "GraphResolved", "ResourcesReady", "Ready")
_UNDEFINED = ("GraphRevisionsResolved", "GraphAccepted", "KindReady", "ControllerReady", "Ready")
_CAPSULE = ("CapsuleConfiguration", "CustomQuota", "GlobalCustomQuota", "GlobalProxySettings", "ProxySetting", "TenantOwner")
RULES: Table = {
    **{("addons.projectcapsule.dev", kind): conditions.READY for kind in ("GlobalSopsSecret", "SopsProvider", "SopsSecret")},
    **{("capsule.clastix.io", kind): conditions.READY for kind in _CAPSULE},
    ("capsule.clastix.io", "GlobalTenantResource"): _CORDONED,
    ("capsule.clastix.io", "TenantResource"): _CORDONED,
    ("capsule.clastix.io", "ResourcePool"): Rule((rules.field("Degraded", "status.exhaustions"), *_READY)),
    ("capsule.clastix.io", "ResourcePoolClaim"): Rule((rules.when("Suspended", "Bound", "False"), *_READY)),
    ("capsule.clastix.io", "Tenant"): Rule((rules.when("Suspended", "Cordoned"), *_READY)),
    ("core.gardener.cloud", "Shoot"): conditions.words(
        _SHOOT, _SHOOT, healthy="healthy", progressing="progressing", degraded="unhealthy", unknown="unknown"
    ),
    ("policy.open-cluster-management.io", "CertificatePolicy"): _COMPLIANT,
    ("policy.open-cluster-management.io", "ConfigurationPolicy"): Rule(
        (rules.below("Progressing", "status.lastEvaluatedGeneration", "metadata.generation"), *_COMPLIANT.clauses),
        message="status.compliant",
    ),
    ("policy.open-cluster-management.io", "OperatorPolicy"): conditions.one("Compliant"),
    ("policy.open-cluster-management.io", "Policy"): Rule(
        (
            rules.flag("Healthy", "spec.disabled"),
            # a policy at the hub that matches no cluster
            rules.both(
                rules.field("Healthy", "status.placement"),
                rules.absent("Healthy", "status.compliant"),
                rules.absent("Healthy", "status.status"),
            ),
            *_COMPLIANT.clauses,
        ),
        message="status.compliant",
    ),
    ("work.karmada.io", "ClusterResourceBinding"): _BINDING,
    ("work.karmada.io", "ResourceBinding"): _BINDING,
    ("kro.run", "ResourceGraphDefinition"): Rule(
        (rules.when("Healthy", "Ready"), *(rules.when("Degraded", name, "False") for name in _UNDEFINED))
    ),
}
GLOBS: Globs = (
    (
        "kro.run",
        "*",
        Rule(
            (
                rules.when("Healthy", "Ready"),
                *(
                    rules.both(rules.field("Degraded", "status.state", "FAILED", "ERROR"), rules.when("Degraded", name, "False"))
                    for name in _FAILED
                ),
            )
        ),
    ),
)
