"""What the API server says no with, and the way out of the common cases."""

import re

from plane.adapters.cluster import kube
from plane.domain import errors, objects

FORBIDDEN, NOT_FOUND, CONFLICT, INVALID, BROKEN = 403, 404, 409, 422, 500

COLLECTOR = "foregroundDeletion"  # the finalizer that Kubernetes' garbage collector takes off once all that the object owns is gone

# A validation error quotes the whole value: pages of pod template, or a Secret. Go's JSON never has a space after `}:`, the sentence does.
_OBJECT = re.compile(r"Invalid value: [{\[].*?[}\]](?=: )", re.DOTALL)

# status, words of the message, way out
_WAYS_OUT = (
    (CONFLICT, "Apply failed with", "with ssa: Merge others keep their fields: take them out of Git, or say gitops-plane.io/ssa: Override"),
    (
        INVALID,
        "immutable",
        "such a field can only change with the object: delete it, or allow that by annotating it gitops-plane.io/sync-options: Force=true",
    ),
    (
        INVALID,
        "metadata.annotations: Too long",
        "a client-side apply keeps the whole object in an annotation: leave out ServerSideApply=false",
    ),
    (
        FORBIDDEN,
        "because it is being terminated",
        "wait until the namespace is gone and sync again; finalizers of what is in it may hold it",
    ),
    (FORBIDDEN, "exceeded quota", "raise the ResourceQuota, ask for less, or free some of it"),
    (BROKEN, "failed calling webhook", "see whether the webhook's server runs; its failurePolicy decides what happens while it does not"),
    (
        FORBIDDEN,
        "cannot impersonate",
        "let the agent impersonate it (the chart's rbac.impersonate), or name another account in the project",
    ),
    (FORBIDDEN, "cannot ", "widen the rights of that account; the agent's own come from the chart's rbac values"),
)


class Refused(errors.PlaneError):
    """An object that could not be applied or deleted; the sentence is the API server's with the way out, values masked."""

    code = "object-refused"

    def __init__(self, sentence: str, *, status: int = 0) -> None:
        self.status = status  # the API server's, 0 when it is not its word
        super().__init__(sentence)


def explained(error: kube.KubeRefused, key: objects.ObjectKey) -> str:
    """Its own message, shortened, and the way out."""
    text = _OBJECT.sub("Invalid value: {…}", str(error))
    if error.status == NOT_FOUND and f'namespaces "{key.namespace}" not found' in text:
        return f"{text}; create it, or set the sync option CreateNamespace=true"
    ways_out = (way_out for status, words, way_out in _WAYS_OUT if error.status == status and words in text)
    return "; ".join([text, *list(ways_out)[:1]])


def immutable(error: kube.KubeRefused) -> bool:
    """Whether only a new object can have the wanted field."""
    return error.status == INVALID and "immutable" in str(error)


def held(key: objects.ObjectKey, finalizers: list[str]) -> str:
    """Who holds a deleted object."""
    others = [name for name in finalizers if name != COLLECTOR]
    if others:
        plural = "s" if len(others) > 1 else ""
        whose = "the controller that set it" if len(others) == 1 else "the controllers that set them"
        return f"{key} to go: its finalizer{plural} {', '.join(others)} must be removed by {whose}; see whether it runs"
    if finalizers:
        return f"{key} to go: the cluster's garbage collector deletes what it owns first (finalizer {COLLECTOR})"
    return f"{key} to go: the API server has not reported its deletion yet"
