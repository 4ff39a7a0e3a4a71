"""Gateway API and Istio."""

from plane.domain.health_rules import rules
from plane.domain.health_rules.rules import Rule, Table

_PARENTS, _LISTENERS = "status.parents.*.conditions", "status.listeners.*.conditions"
_ROUTE = Rule(
    (
        rules.when("Progressing", "Accepted", "False", "Pending", at=_PARENTS),
        rules.when("Degraded", "Accepted", "False", at=_PARENTS),
        rules.when("Degraded", "ResolvedRefs", "False", at=_PARENTS),
        rules.when("Degraded", "PartiallyInvalid", at=_PARENTS),
        rules.when("Healthy", "Accepted", at=_PARENTS),
    )
)
_POLICY = Rule(
    (
        rules.when("Degraded", "Accepted", "False", at="status.ancestors.*.conditions"),
        rules.when("Healthy", "Accepted", at="status.ancestors.*.conditions"),
    )
)
_ACCEPTED = Rule((rules.when("Degraded", "Accepted", "False"), rules.when("Healthy", "Accepted")))
_PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")
# Istio writes a status only where its analysis is switched on.
_ISTIO = Rule(
    (
        rules.field("Degraded", "status.validationMessages.*.level", "ERROR"),
        rules.when("Progressing", "Reconciled", "False"),
    ),
    otherwise="Healthy",
    untouched="Healthy",
)
_OPERATED = Rule(
    (
        rules.when("Progressing", "Ready", "False", "IstiodNotReady"),
        rules.when("Degraded", "Ready", "False"),
        rules.when("Healthy", "Ready"),
    )
)
_NETWORK = ("DestinationRule", "EnvoyFilter", "Gateway", "ProxyConfig", "ServiceEntry", "Sidecar", "VirtualService", "WorkloadEntry")
_SECURITY = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")
RULES: Table = {
    **{("gateway.networking.k8s.io", kind): _ROUTE for kind in ("GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute")},
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): _POLICY,
    ("gateway.networking.k8s.io", "Gateway"): Rule(
        (
            rules.when("Progressing", "Accepted", "False", "Pending"),
            rules.when("Degraded", "Accepted", "False"),
            rules.when("Progressing", "Programmed", "False", "Pending", "AddressNotAssigned"),
            rules.when("Degraded", "Programmed", "False"),
            rules.when("Degraded", "ResolvedRefs", "False", at=_LISTENERS),
            rules.when("Degraded", "Conflicted", at=_LISTENERS),
            rules.when("Healthy", "Programmed"),
        )
    ),
    ("gateway.networking.k8s.io", "GatewayClass"): _ACCEPTED,
    ("gateway.networking.k8s.io", "ReferenceGrant"): _PASSIVE,
    **{("networking.istio.io", kind): _ISTIO for kind in (*_NETWORK, "WorkloadGroup")},
    **{("security.istio.io", kind): _ISTIO for kind in _SECURITY},
    ("extensions.istio.io", "WasmPlugin"): _ISTIO,
    ("telemetry.istio.io", "Telemetry"): _ISTIO,
    ("sailoperator.io", "Istio"): _OPERATED,
    ("sailoperator.io", "IstioCNI"): _OPERATED,
    ("sailoperator.io", "IstioRevision"): _OPERATED,
}
