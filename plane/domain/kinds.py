"""What Kubernetes kinds are without asking a cluster: their order, their scope, and which of them are guarded."""

from collections.abc import Iterable, Mapping
from typing import Any

from plane.domain import objects

Kind = tuple[str, str]  # (group, kind)

# Argo CD's order (gitops-engine, sync/sync_tasks.go); every other kind comes last.
_ORDER = (
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
)
_RANKS = {kind: rank for rank, kind in enumerate(_ORDER)}
LAST = len(_ORDER)

NAMESPACE: Kind = ("", "Namespace")
CRD: Kind = ("apiextensions.k8s.io", "CustomResourceDefinition")
CLAIM: Kind = ("", "PersistentVolumeClaim")
GUARDED = frozenset({NAMESPACE, CRD, CLAIM})  # deleting one deletes what nobody listed: objects, custom objects, data

_CLUSTER_SCOPED: dict[str, tuple[str, ...]] = {
    "": ("ComponentStatus", "Namespace", "Node", "PersistentVolume"),
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    ),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "authentication.k8s.io": ("SelfSubjectReview", "TokenReview"),
    "authorization.k8s.io": ("SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"),
    "certificates.k8s.io": ("CertificateSigningRequest", "ClusterTrustBundle"),
    "flowcontrol.apiserver.k8s.io": ("FlowSchema", "PriorityLevelConfiguration"),
    "internal.apiserver.k8s.io": ("StorageVersion",),
    "networking.k8s.io": ("IPAddress", "IngressClass", "ServiceCIDR"),
    "node.k8s.io": ("RuntimeClass",),
    "policy": ("PodSecurityPolicy",),
    "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding"),
    "resource.k8s.io": ("DeviceClass", "DeviceTaintRule", "ResourceSlice"),
    "scheduling.k8s.io": ("PriorityClass",),
    "storage.k8s.io": ("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"),
    "storagemigration.k8s.io": ("StorageVersionMigration",),
}
CLUSTER_SCOPED: frozenset[Kind] = frozenset((group, kind) for group, names in _CLUSTER_SCOPED.items() for kind in names)


def rank(kind: str) -> int:
    """The place in the order of apply; lower first. Groups do not count, as in Argo CD."""
    return _RANKS.get(kind, LAST)


def namespaced(group: str, kind: str, known: Mapping[Kind, bool] | None = None) -> bool:
    """Whether objects of a kind live in a namespace.

    Args:
        group: empty for core.
        kind: as in a manifest.
        known: what the cluster says, and what CRDs that come along define; it wins over the built-in table.

    Kinds that nobody knows count as namespaced.
    """
    told = known.get((group, kind)) if known else None
    return (group, kind) not in CLUSTER_SCOPED if told is None else told


def defined(manifests: Iterable[objects.Manifest]) -> dict[Kind, bool]:
    """Kinds that CRDs among the manifests bring, and whether they are namespaced."""
    found: dict[Kind, bool] = {}
    for manifest in manifests:
        if (manifest.key.group, manifest.key.kind) == CRD and (kind := brought(manifest.body)):
            found[kind] = manifest.body["spec"].get("scope") != "Cluster"
    return found


def brought(definition: Mapping[str, Any]) -> Kind | None:
    """The kind that a CRD's body brings, or None when it says none."""
    spec = definition.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    kind = names.get("kind") if isinstance(names, dict) else None
    return (str(spec.get("group", "")), str(kind)) if isinstance(spec, dict) and kind else None
