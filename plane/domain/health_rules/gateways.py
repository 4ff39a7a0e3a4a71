"""Gateway API and Istio."""

from plane.domain.health_rules.rules import Rule, Table, field, when

_PARENTS, _LISTENERS = "status.parents.*.conditions", "status.listeners.*.conditions"
_ROUTE = Rule(
    (
        when("Progressing", "Accepted", "False", "Pending", at=_PARENTS),
        when("Degraded", "Accepted", "False", at=_PARENTS),
        when("Degraded", "ResolvedRefs", "False", at=_PARENTS),
        when("Degraded", "PartiallyInvalid", at=_PARENTS),
        when("Healthy", "Accepted", at=_PARENTS),
    )
)
_POLICY = Rule(
    (
        when("Degraded", "Accepted", "False", at="status.ancestors.*.conditions"),
        when("Healthy", "Accepted", at="status.ancestors.*.conditions"),
    )
)
_ACCEPTED = Rule((when("Degraded", "Accepted", "False"), when("Healthy", "Accepted")))
_PASSIVE = Rule(otherwise="Healthy", untouched="Healthy")
# Istio writes a status only where its analysis is switched on.
_ISTIO = Rule(
    (
        field("Degraded", "status.validationMessages.*.level", "ERROR"),
        when("Progressing", "Reconciled", "False"),
    ),
    otherwise="Healthy",
    untouched="Healthy",
)
_OPERATED = Rule((when("Progressing", "Ready", "False", "IstiodNotReady"), when("Degraded", "Ready", "False"), when("Healthy", "Ready")))
_NETWORK = ("DestinationRule", "EnvoyFilter", "Gateway", "ProxyConfig", "ServiceEntry", "Sidecar", "VirtualService", "WorkloadEntry")
_SECURITY = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")
RULES: Table = {
    **{("gateway.networking.k8s.io", kind): _ROUTE for kind in ("GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute")},
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): _POLICY,
    ("gateway.networking.k8s.io", "Gateway"): Rule(
        (
            when("Progressing", "Accepted", "False", "Pending"),
            when("Degraded", "Accepted", "False"),
            when("Progressing", "Programmed", "False", "Pending", "AddressNotAssigned"),
            when("Degraded", "Programmed", "False"),
            when("Degraded", "ResolvedRefs", "False", at=_LISTENERS),
            when("Degraded", "Conflicted", at=_LISTENERS),
            when("Healthy", "Programmed"),
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
