"""Fields of custom kinds that hold Kubernetes' own types, so that pods, amounts and durations inside them compare as everywhere.

Most custom kinds keep what Git says byte for byte; these have a webhook or controller that reads them into Go types and writes them back.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from plane.domain import errors, kinds

Type = Literal["core", "Quantity", "ResourceList", "Duration"]  # core: a structure of the built-in API
Path = tuple[str, ...]  # field names from the top; `*` is any item of a list or entry of a map
Fields = Mapping[Path, Type]
Table = Mapping[kinds.Kind, Fields]

NONE: Fields = {}

_POD: Mapping[str, Type] = {"spec.template": "core"}
_CLASSES: Mapping[str, Type] = {"spec.resources": "core", "spec.storage.pvcTemplate": "core", "spec.walStorage.pvcTemplate": "core"}
_MACHINE: Mapping[str, Type] = {f"spec.node{name}Timeout": "Duration" for name in ("Drain", "VolumeDetach", "Deletion")}
_MACHINES: Mapping[str, Type] = {f"spec.template.{path}": kind for path, kind in _MACHINE.items()}
_MONITOR: Mapping[str, Type] = {
    "spec.containers": "core",
    "spec.initContainers": "core",
    "spec.resources": "core",
    "spec.volumes": "core",
    "spec.affinity": "core",
    "spec.tolerations": "core",
    "spec.storage.volumeClaimTemplate": "core",
}
_WRITTEN: Mapping[kinds.Kind, Mapping[str, Type]] = {
    ("argoproj.io", "Rollout"): {
        **_POD,
        "spec.selector": "core",
        "spec.strategy.canary.maxSurge": "core",
        "spec.strategy.canary.maxUnavailable": "core",
    },
    ("argoproj.io", "AnalysisTemplate"): {"spec.metrics.*.provider.job.spec": "core"},
    ("cert-manager.io", "Certificate"): {"spec.duration": "Duration", "spec.renewBefore": "Duration"},
    ("cluster.x-k8s.io", "Machine"): _MACHINE,
    ("cluster.x-k8s.io", "MachineDeployment"): _MACHINES,
    ("cluster.x-k8s.io", "MachinePool"): _MACHINES,
    ("cluster.x-k8s.io", "MachineSet"): _MACHINES,
    ("gateway.networking.k8s.io", "HTTPRoute"): {
        "spec.rules.*.timeouts.request": "Duration",
        "spec.rules.*.timeouts.backendRequest": "Duration",
    },
    ("helm.toolkit.fluxcd.io", "HelmRelease"): {"spec.interval": "Duration", "spec.timeout": "Duration"},
    ("karpenter.sh", "NodePool"): {"spec.limits": "ResourceList", "spec.disruption.consolidateAfter": "Duration"},
    ("keda.sh", "ScaledJob"): {"spec.jobTargetRef": "core"},
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): {"spec.interval": "Duration", "spec.timeout": "Duration"},
    ("monitoring.coreos.com", "Alertmanager"): _MONITOR,
    ("monitoring.coreos.com", "Prometheus"): _MONITOR,
    ("postgresql.cnpg.io", "Cluster"): _CLASSES,
    ("serving.knative.dev", "Configuration"): _POD,
    ("serving.knative.dev", "Service"): _POD,
    ("tekton.dev", "Task"): {"spec.steps": "core", "spec.volumes": "core", "spec.stepTemplate": "core"},
}
# Argo CD's `resource.customizations.knownTypeFields` names a type by its Go package.
_NAMES: Mapping[str, Type] = {"core/Quantity": "Quantity", "core/v1/ResourceList": "ResourceList", "meta/v1/Duration": "Duration"}


def at(fields: Fields, path: Path, above: Type | None) -> Type | None:
    """The type at a path whose parent has the type `above`."""
    if above == "core":
        return above
    if above == "ResourceList":
        return "Quantity"
    return next((kind for pattern, kind in fields.items() if _covers(pattern, path)), None)


def declared(field: str, kind: str) -> tuple[Path, Type]:
    """One of Argo CD's declarations, as `spec.template.spec` and `core/v1/PodSpec`.

    Raises:
        Invalid: the type means nothing here.
    """
    found = _NAMES.get(kind) or ("core" if kind.startswith(("core/v1/", "meta/v1/")) else None)
    if found is None or not field:
        rule = f"the type {kind!r} is not known; use {', '.join(_NAMES)} or core/v1/NAME"
        raise errors.Invalid({field or "field": rule})
    return tuple(field.replace("[]", ".*").split(".")), found


def merged(*tables: Table) -> Table:
    """Tables laid over one another, field by field; the last one wins."""
    kinds_there: Iterable[kinds.Kind] = {kind for table in tables for kind in table}
    return {kind: {path: held for table in tables for path, held in table.get(kind, NONE).items()} for kind in kinds_there}


def _covers(pattern: Path, path: Path) -> bool:
    return len(pattern) == len(path) and all(wanted in ("*", there) for wanted, there in zip(pattern, path, strict=True))


BUILT_IN: Table = {kind: {tuple(path.split(".")): held for path, held in paths.items()} for kind, paths in _WRITTEN.items()}
