"""What the API server does with fields of built-in kinds: list keys, values it rewrites, values it leaves out.

The keys are those of the API's own schema (`x-kubernetes-list-map-keys`, `x-kubernetes-map-type`), by field name.
"""

from collections.abc import Mapping

import msgspec

from plane.domain.comparing import known_types

_BUILT_IN_GROUPS = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    }
)

_LIST_KEYS: Mapping[str, tuple[str, ...]] = {
    "claims": ("name",),
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "matchConditions": ("name",),
    "ownerReferences": ("uid",),
    "podGroupTemplates": ("name",),
    "ports": ("containerPort", "protocol"),
    "resourceClaims": ("name",),
    "schedulingGates": ("name",),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "variables": ("name",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
    "webhooks": ("name",),
}
_SERVICE_PORT_KEYS = ("port", "protocol")
KEY_DEFAULTS: Mapping[str, object] = {"protocol": "TCP"}
_SETS = frozenset({"finalizers", "podCIDRs", "validationActions", "volumeLifecycleModes"})

# Mappings and lists that have one owner as a whole: what somebody adds inside is a change. A volume's claimRef is not among them, although
# the schema says so: the binder writes into it, and taking that back would unbind the volume.
_ATOMIC = frozenset(
    {
        "configMapKeyRef",
        "dataSource",
        "fieldRef",
        "fileKeyRef",
        "from",
        "labelSelector",
        "namespaceSelector",
        "nodeSelector",
        "objectSelector",
        "paramKind",
        "paramRef",
        "podSelector",
        "resourceFieldRef",
        "roleRef",
        "scaleTargetRef",
        "scopeSelector",
        "secretKeyRef",
        "secretRef",
        "selector",
        "to",
        "tolerations",
    }
)
_RBAC = "rbac.authorization.k8s.io"

_QUANTITY_PARENTS = frozenset({"limits", "overhead", "requests"})
_QUANTITY_PARENTS_OF = {
    "LimitRange": frozenset({"default", "defaultRequest", "max", "maxLimitRequestRatio", "min"}),
    "PersistentVolume": frozenset({"capacity"}),
    "ResourceQuota": frozenset({"hard"}),
    "RuntimeClass": frozenset({"podFixed"}),
}
_QUANTITIES = frozenset({"divisor", "sizeLimit"})
_QUANTITIES_OF = {"HorizontalPodAutoscaler": frozenset({"averageValue", "tolerance", "value"})}
_INT_OR_STRING = frozenset({"maxSurge", "maxUnavailable", "minAvailable", "port", "targetPort"})
_FREE_MAPS = frozenset({"annotations", "binaryData", "data", "labels", "matchLabels", "nodeSelector", "parameters", "selector"})

# Zero values that the API leaves out of its answers. Others (replicas: 0, runAsNonRoot: false …) it keeps: their absence is a change.
_ZERO_OMITTED = frozenset(
    {
        "deprecated",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "globalDefault",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostPort",
        "initialDelaySeconds",
        "insecureSkipTLSVerify",
        "minReadySeconds",
        "nodePort",
        "nullable",
        "paused",
        "preserveUnknownFields",
        "publishNotReadyAddresses",
        "readOnly",
        "stdin",
        "stdinOnce",
        "tty",
        "uniqueItems",
        "unschedulable",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
    }
)
# What the API fills in inside lists that count as a whole.
_ITEM_DEFAULTS = frozenset(
    {
        "apiGroup",
        "apiVersion",
        "defaultMode",
        "divisor",
        "expirationSeconds",
        "kind",
        "pathType",
        "protocol",
        "scope",
        "status",
        "volumeMode",
    }
)
# Zero values that the API replaces by a default of its own.
_ZERO_DEFAULTED = frozenset(
    {
        "concurrencyPolicy",
        "dnsPolicy",
        "failureThreshold",
        "imagePullPolicy",
        "nodePort",
        "periodSeconds",
        "protocol",
        "restartPolicy",
        "schedulerName",
        "sessionAffinity",
        "successThreshold",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "timeoutSeconds",
        "type",
    }
)

# Defaults that the API writes down where nothing is said; the first writer of an object owns them together with what it said.
_DEFAULTS: Mapping[str, tuple[object, ...]] = {
    "allocateLoadBalancerNodePorts": (True,),
    "attachRequired": (True,),
    "backoffLimit": (6,),
    "completionMode": ("NonIndexed",),
    "completions": (1,),
    "concurrencyPolicy": ("Allow",),
    "defaultMode": (420,),
    "dnsPolicy": ("ClusterFirst",),
    "enableServiceLinks": (True,),
    "externalTrafficPolicy": ("Cluster",),
    "failedJobsHistoryLimit": (1,),
    "failurePolicy": ("Fail",),
    "failureThreshold": (3,),
    "fsGroupPolicy": ("ReadWriteOnceWithFSType",),
    "imagePullPolicy": ("Always", "IfNotPresent"),
    "internalTrafficPolicy": ("Cluster",),
    "ipFamilyPolicy": ("SingleStack",),
    "matchPolicy": ("Equivalent",),
    "maxSurge": ("25%",),
    "maxUnavailable": ("25%", 1),
    "minReplicas": (1,),
    "parallelism": (1,),
    "periodSeconds": (10,),
    "persistentVolumeReclaimPolicy": ("Retain",),
    "podManagementPolicy": ("OrderedReady",),
    "podReplacementPolicy": ("TerminatingOrFailed", "Failed"),
    "preemptionPolicy": ("PreemptLowerPriority",),
    "progressDeadlineSeconds": (600,),
    "protocol": ("TCP",),
    "reclaimPolicy": ("Delete",),
    "reinvocationPolicy": ("Never",),
    "replicas": (1,),
    "restartPolicy": ("Always",),
    "revisionHistoryLimit": (10,),
    "schedulerName": ("default-scheduler",),
    "scheme": ("HTTP",),
    "scope": ("*", "Namespaced"),
    "serviceAccount": ("default",),
    "serviceAccountName": ("default",),
    "sessionAffinity": ("None",),
    "successThreshold": (1,),
    "successfulJobsHistoryLimit": (3,),
    "terminationGracePeriodSeconds": (30,),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "timeoutSeconds": (1, 10),
    "type": ("ClusterIP", "RollingUpdate", "Opaque"),
    "volumeBindingMode": ("Immediate",),
    "volumeMode": ("Filesystem",),
    "whenDeleted": ("Retain",),
    "whenScaled": ("Retain",),
}
_ALLOCATED = frozenset({"clusterIP", "clusterIPs", "healthCheckNodePort", "ipFamilies", "nodePort", "volumeName"})


def is_default(name: str, value: object) -> bool:
    """Whether the API writes a value itself into a field that nobody mentions."""
    return name in _ALLOCATED or value in _DEFAULTS.get(name, ())


SERVER_METADATA = frozenset({"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation"}) | {
    "resourceVersion",
    "selfLink",
    "uid",
}
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def is_built_in(group: str) -> bool:
    """Whether Kubernetes itself defines the group."""
    return group in _BUILT_IN_GROUPS


class Place(msgspec.Struct, frozen=True):
    """Where in an object we are: enough to know how the API treats the field there."""

    group: str
    kind: str
    path: tuple[str, ...] = ()
    atomic: bool = False
    typed: known_types.Type | None = None
    types: known_types.Fields = known_types.NONE

    def built_in(self) -> bool:
        """Whether the API's own schema applies."""
        return self.group in _BUILT_IN_GROUPS or self.typed == "core"

    def at(self, name: str) -> "Place":
        """The place of a field, or of an item by its index."""
        atomic = self.atomic or (self.built_in() and (name in _ATOMIC or (name == "rules" and self.group == _RBAC)))
        path = (*self.path, name)
        return Place(self.group, self.kind, path, atomic, known_types.at(self.types, path, self.typed) if self.types else None, self.types)

    def item(self, index: int) -> "Place":
        """The place of an item of a list that counts as a whole. LimitRanges copy their fields into one another, so they are let be."""
        inside = self.at(str(index))
        return msgspec.structs.replace(inside, atomic=self.atomic or (self.built_in() and self.kind != "LimitRange"))

    def adds(self, name: str, value: object) -> bool:
        """Whether a value that only the live object has in a part with one owner is the API's own."""
        return not value or name in _ITEM_DEFAULTS

    def pointer(self) -> str:
        """RFC 6901."""
        return "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in self.path)

    def list_keys(self) -> tuple[str, ...]:
        """The fields that tell the items of a list here apart; empty when the list counts as a whole."""
        if not self.built_in() or self.atomic or (self.kind, self.path) == ("ServiceAccount", ("imagePullSecrets",)):
            return ()
        if (self.kind, self.path) == ("Service", ("spec", "ports")):
            return _SERVICE_PORT_KEYS
        return _LIST_KEYS.get(self.path[-1], ())

    def is_set(self) -> bool:
        """Whether order and additions of others mean nothing in a list here."""
        return self.path[-1] in _SETS

    def holds_quantity(self) -> bool:
        """Whether the API may spell an amount here in another way."""
        if self.typed == "Quantity":
            return True
        if self.path[0] not in ("spec", "overhead", "template") or len(self.path) < 2:  # noqa: PLR2004 a field inside one of them
            return False
        parents = _QUANTITY_PARENTS_OF.get(self.kind, _QUANTITY_PARENTS)
        return self.path[-1] in _QUANTITIES_OF.get(self.kind, _QUANTITIES) or self.path[-2] in parents

    def holds_duration(self) -> bool:
        """Whether a controller may spell a duration here as Go does."""
        return self.typed == "Duration"

    def holds_bytes(self) -> bool:
        """Whether the API may write base64 down in another way: joined lines."""
        if not self.built_in():
            return False
        return (self.kind, self.path[0]) == ("Secret", "data") or self.path[0] == "binaryData" or self.path[-1] in ("caBundle", "request")

    def holds_int_or_string(self) -> bool:
        """Whether a number and its text are the same here."""
        return self.path[0] == "spec" and self.path[-1] in _INT_OR_STRING and self.built_in()

    def omits(self, value: object) -> bool:
        """Whether the API may leave a value out of what it returns."""
        if not self.built_in() or (len(self.path) > 1 and self.path[-2] in _FREE_MAPS):
            return False
        return value == "" or (self.path[-1] in _ZERO_OMITTED and value in (0, False))

    def defaults(self, value: object) -> bool:
        """Whether the API takes a value for "you choose"."""
        return self.built_in() and not self.atomic and self.path[-1] in _ZERO_DEFAULTED and value in ("", 0)
