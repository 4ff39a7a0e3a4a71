"""Gateway API, Istio, Envoy Gateway, Contour, Gloo.

Sources: gateway-api apis/v1 (gateway_types, shared_types) and apisx/v1alpha1, istio.io/latest/docs/reference/config, sail-operator api/v1
(istio, istiocni, istiorevision and istiorevisiontags types), gateway-api-inference-extension api/v1, gateway.envoyproxy.io/docs/api,
projectcontour.io/docs (API reference), docs.solo.io/gloo-edge; compared with argo-cd v3.6.1, resource_customizations.
"""

from plane.domain.health.health_rules import conditions, rules
from plane.domain.health.health_rules.rules import Rule, Table
from plane.domain.health.health_values import Status

_PARENTS, _LISTENERS = "status.parents.*.conditions", "status.listeners.*.conditions"
_ROUTE = Rule(
    (
        rules.when("Degraded", "ResolvedRefs", "False", at=_PARENTS),
        rules.when("Degraded", "Accepted", "False", at=_PARENTS),
        rules.when("Progressing", "Programmed", "False|Unknown", at=_PARENTS),
        rules.when("Degraded", "PartiallyInvalid", at=_PARENTS),
        rules.when("Healthy", "Accepted", at=_PARENTS),
    )
)
_POLICY = Rule(
    (
        rules.when("Degraded", "Accepted", "False", at="status.ancestors.*.conditions"),
        rules.when("Degraded", "ResolvedRefs", "False|Unknown", at="status.ancestors.*.conditions"),
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
        rules.when("Degraded", "Reconciled", "False"),
        rules.when("Degraded", "DependenciesHealthy", "False"),
        rules.when("Progressing", "Ready", "False", "IstiodNotReady", "RemoteIstiodNotReady", "DaemonSetNotReady"),
        rules.when("Degraded", "Ready", "False"),
        rules.when("Healthy", "Ready"),
    )
)
_GLOO_STATES: dict[Status, tuple[object, ...]] = {
    "Degraded": ("Warning", 3, "Rejected", 2),
    "Suspended": ("Pending", 0),
    "Healthy": ("Accepted", 1),
}
_NETWORK = ("DestinationRule", "EnvoyFilter", "Gateway", "ProxyConfig", "ServiceEntry", "Sidecar", "VirtualService", "WorkloadEntry")
_SECURITY = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")
_ENVOY = Rule(
    (
        rules.when("Degraded", "Accepted", "False", at="status.ancestors.*.conditions"),
        rules.when("Healthy", "*", "True|False|Unknown", at="status.ancestors.*.conditions"),
    )
)
_ENVOY_POLICIES = ("BackendTrafficPolicy", "ClientTrafficPolicy", "EnvoyExtensionPolicy", "EnvoyPatchPolicy", "SecurityPolicy")
_GLOO = Rule(
    tuple(rules.field(status, f"status.{path}state", *words) for path in ("", "statuses.*.") for status, words in _GLOO_STATES.items()),
    message="status.reason",
)
_GLOO_GATEWAYS = ("Gateway", "MatchableHttpGateway", "RouteOption", "RouteTable", "VirtualHostOption", "VirtualService")
_LISTENER_SET = Rule(
    (
        rules.when("Degraded", "Accepted", "False"),
        rules.when("Progressing", "Programmed", "False|Unknown"),
        rules.absent("Progressing", "status.listeners"),
        rules.when("Degraded", "ResolvedRefs", "False", at=_LISTENERS),
        rules.when("Degraded", "Conflicted", at=_LISTENERS),
        rules.when("Degraded", "Accepted", "False", at=_LISTENERS),
        rules.when("Progressing", "Programmed", "False|Unknown", at=_LISTENERS),
        rules.when("Healthy", "Programmed"),
    )
)
RULES: Table = {
    **{("gateway.networking.k8s.io", kind): _ROUTE for kind in ("GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute")},
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): _POLICY,
    ("gateway.networking.x-k8s.io", "XBackendTrafficPolicy"): _POLICY,
    ("gateway.networking.x-k8s.io", "XListenerSet"): _LISTENER_SET,
    ("inference.networking.k8s.io", "InferencePool"): _ROUTE,
    ("gateway.networking.k8s.io", "Gateway"): Rule(
        (
            rules.when("Degraded", "ResolvedRefs", "False"),
            rules.when("Progressing", "Accepted", "False", "NotReconciled", "Pending"),  # the first was the API's default before 0.6
            rules.when("Degraded", "Accepted", "False"),
            rules.when("Degraded", "Programmed", "False", "Invalid", "NoResources", "AddressNotUsable"),
            rules.when("Progressing", "Programmed", "False|Unknown"),
            rules.when("Degraded", "ResolvedRefs", "False", at=_LISTENERS),
            rules.when("Degraded", "Accepted", "False", at=_LISTENERS),
            rules.when("Degraded", "Conflicted", at=_LISTENERS),
            rules.when("Degraded", "Detached", at=_LISTENERS),  # before Accepted
            rules.when("Degraded", "Programmed", "False", "Invalid", at=_LISTENERS),
            rules.when("Progressing", "Programmed", "False|Unknown", at=_LISTENERS),
            rules.when("Healthy", "Programmed"),
            rules.when("Healthy", "Accepted"),
        )
    ),
    ("gateway.networking.k8s.io", "GatewayClass"): _ACCEPTED,
    ("gateway.networking.k8s.io", "ReferenceGrant"): _PASSIVE,
    ("gateway.networking.k8s.io", "ListenerSet"): _LISTENER_SET,
    ("gateway.envoyproxy.io", "Backend"): _ACCEPTED,
    **{("gateway.envoyproxy.io", kind): _ENVOY for kind in _ENVOY_POLICIES},
    **{("gateway.solo.io", kind): _GLOO for kind in _GLOO_GATEWAYS},
    **{("gloo.solo.io", kind): _GLOO for kind in ("Proxy", "Settings", "Upstream", "UpstreamGroup")},
    ("projectcontour.io", "ExtensionService"): conditions.one("Valid"),
    ("projectcontour.io", "HTTPProxy"): Rule(
        (
            rules.when("Healthy", "Valid"),
            # the root of an inclusion is invalid while what it includes is on its way
            rules.both(rules.when("Healthy", "*", "False"), rules.field("Healthy", "spec.includes")),
            rules.when("Degraded", "Valid", "False"),
        ),
        message="status.currentStatus",
    ),
    ("networking.gke.io", "ManagedCertificate"): Rule(
        (
            rules.field("Degraded", "status.domainStatus.*.status", "FailedNotVisible"),
            rules.field("Healthy", "status.certificateStatus", "Active"),
        )
    ),
    **{("networking.istio.io", kind): _ISTIO for kind in (*_NETWORK, "WorkloadGroup")},
    **{("security.istio.io", kind): _ISTIO for kind in _SECURITY},
    ("extensions.istio.io", "WasmPlugin"): _ISTIO,
    ("telemetry.istio.io", "Telemetry"): _ISTIO,
    ("sailoperator.io", "Istio"): _OPERATED,
    ("sailoperator.io", "IstioCNI"): _OPERATED,
    ("sailoperator.io", "IstioRevision"): _OPERATED,
    ("sailoperator.io", "IstioRevisionTag"): conditions.one("Reconciled"),
    ("sailoperator.io", "ZTunnel"): _OPERATED,
}
