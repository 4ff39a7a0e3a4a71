"""What a tenant's namespaces begin with: laid by the agent itself, whoever the app syncs as, and owned by no app."""

from typing import Any

import msgspec

from plane.adapters.cluster import kube
from plane.agent.applying import apply, asking, refusals
from plane.domain import objects

MANAGER = "gitops-plane-tenant"
PLACES = {
    ("v1", "ResourceQuota"): "/api/v1/namespaces/{}/resourcequotas",
    ("v1", "LimitRange"): "/api/v1/namespaces/{}/limitranges",
    ("networking.k8s.io/v1", "NetworkPolicy"): "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}


async def lay(asking_: asking.Asking, namespace: str, documents: tuple[bytes, ...]) -> None:
    """Server-side apply of each; Refused when the API server says no, or for a kind that is none of a template's."""
    for document in documents:
        body: dict[str, Any] = kube.decode(document)
        place = PLACES.get((body["apiVersion"], body["kind"]))
        if place is None:
            raise apply.Refused(f"a tenant's template may not hold a {body['kind']}")
        body["metadata"]["namespace"] = namespace
        path = f"{place.format(namespace)}/{body['metadata']['name']}"
        try:
            await asking_.insist("PATCH", path, f"fieldManager={MANAGER}&force=true", msgspec.json.encode(body))
        except kube.KubeRefused as e:
            raise apply.Refused(refusals.explained(e, objects.key_of(body)), status=e.status) from e
