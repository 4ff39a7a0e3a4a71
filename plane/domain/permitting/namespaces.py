"""What every namespace that the plane makes for a tenant begins with: labels, a quota, limits, and who may speak to its pods."""

from typing import Any, Literal

import msgspec

NAME = "gitops-plane-tenant"  # of each of the objects; nobody's app owns them
TENANT_LABEL = "gitops-plane.io/tenant"
POLICIES: dict[str, list[str]] = {"deny-ingress": ["Ingress"], "deny-all": ["Ingress", "Egress"]}


class Template(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """`resource_quota`, `limit_range`: the spec of such an object, `network_policy`: a spec, or one of the usual ones by its name."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    resource_quota: dict[str, Any] | None = None
    limit_range: dict[str, Any] | None = None
    network_policy: dict[str, Any] | Literal["deny-ingress", "deny-all"] | None = None


def documents(template: Template, *, tenant: str) -> tuple[bytes, ...]:
    """Its objects as JSON, without a namespace."""
    usual = POLICIES.get(template.network_policy) if isinstance(template.network_policy, str) else None
    policy = {"podSelector": {}, "policyTypes": usual} if usual else template.network_policy
    found = (
        ("v1", "ResourceQuota", template.resource_quota),
        ("v1", "LimitRange", template.limit_range),
        ("networking.k8s.io/v1", "NetworkPolicy", policy),
    )
    meta = {"name": NAME, "labels": {TENANT_LABEL: tenant}}
    return tuple(
        msgspec.json.encode({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec})
        for version, kind, spec in found
        if spec is not None
    )
