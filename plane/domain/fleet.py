"""Clusters: what they are, who may use which part of them, and what they can do."""

import fnmatch

import msgspec


class Grant(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A tenant's part of a cluster. `namespaces` are globs; `cluster_kinds` are `group/Kind` globs, none by default."""

    tenant: str
    namespaces: tuple[str, ...]
    cluster_kinds: tuple[str, ...] = ()


class ClusterSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A cluster belongs to the platform; tenants use it through grants."""

    labels: dict[str, str] = {}
    grants: tuple[Grant, ...] = ()


def permits(grant: Grant, *, group: str, kind: str, namespace: str, name: str) -> bool:
    """Whether a grant covers an object. A Namespace counts as inside itself: a tenant may make the namespaces it is granted."""
    if namespace:
        return any(fnmatch.fnmatchcase(namespace, pattern) for pattern in grant.namespaces)
    if (group, kind) == ("", "Namespace") and any(fnmatch.fnmatchcase(name, pattern) for pattern in grant.namespaces):
        return True
    return any(fnmatch.fnmatchcase(f"{group}/{kind}", pattern) for pattern in grant.cluster_kinds)
