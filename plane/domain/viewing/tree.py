"""What descends from an app's objects, by owner references; which kinds can, and in which order they are shown."""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from plane.domain import kinds, objects
from plane.domain.comparing import fields

Body = dict[str, Any]

CONTROLLER_REVISION: kinds.Kind = ("apps", "ControllerRevision")
POD: kinds.Kind = ("", "Pod")
STATEFUL_SET: kinds.Kind = ("apps", "StatefulSet")
_JOB: kinds.Kind = ("batch", "Job")
_REPLICA_SET: kinds.Kind = ("apps", "ReplicaSet")

# What Kubernetes' own controllers make of their objects. Built-in kinds that are absent here own nothing.
OFFSPRING: Mapping[kinds.Kind, frozenset[kinds.Kind]] = {
    ("", "Pod"): frozenset({kinds.CLAIM}),  # of ephemeral volumes
    ("", "ReplicationController"): frozenset({POD}),
    ("", "Service"): frozenset({("discovery.k8s.io", "EndpointSlice")}),
    ("apps", "DaemonSet"): frozenset({POD, CONTROLLER_REVISION}),
    ("apps", "Deployment"): frozenset({_REPLICA_SET}),
    ("apps", "ReplicaSet"): frozenset({POD}),
    ("apps", "StatefulSet"): frozenset({POD, CONTROLLER_REVISION, kinds.CLAIM}),
    ("batch", "CronJob"): frozenset({_JOB}),
    ("batch", "Job"): frozenset({POD}),
}

# What operators commonly make, beside custom objects of any kind.
COMMON: frozenset[kinds.Kind] = frozenset().union(*OFFSPRING.values()) | {
    ("", "ConfigMap"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "CronJob"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
}

# Kinds of which nothing but the metadata is shown.
BARE: frozenset[kinds.Kind] = frozenset({
    ("", "ConfigMap"),
    ("", "Secret"),
    ("", "ServiceAccount"),
    CONTROLLER_REVISION,
    ("networking.k8s.io", "NetworkPolicy"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
})  # fmt: skip


class Seen(msgspec.Struct, frozen=True):
    """An object's metadata as far as the tree needs it. `owners`: uids; `created`: RFC 3339."""

    key: objects.ObjectKey
    uid: str
    owners: tuple[str, ...] = ()
    created: str = ""
    labels: Mapping[str, str] = {}

    @property
    def kind(self) -> kinds.Kind:
        """Group and kind."""
        return (self.key.group, self.key.kind)


class Pod(msgspec.Struct, frozen=True):
    """What is shown of a Pod. `ready`: `ready/all` containers."""

    images: tuple[str, ...]
    ready: str
    restarts: int


def seen(body: Body) -> Seen:
    """The metadata of an object as the cluster returns it."""
    meta = body["metadata"]
    owners = tuple(str(one["uid"]) for one in meta.get("ownerReferences") or ())
    return Seen(objects.key_of(body), str(meta.get("uid", "")), owners, str(meta.get("creationTimestamp") or ""), meta.get("labels") or {})


def offspring(above: Iterable[kinds.Kind], served: Iterable[kinds.Kind]) -> tuple[kinds.Kind, ...]:
    """Which served kinds may descend from these, those of the same groups first: a custom kind may own anything common or custom."""
    there, known = frozenset(served), frozenset(above)
    custom = frozenset(kind for kind in there if not fields.is_built_in(kind[0]))
    found: set[kinds.Kind] = set()
    left = set(known)
    while left:
        kind = left.pop()
        born = (OFFSPRING.get(kind, frozenset()) if fields.is_built_in(kind[0]) else COMMON | custom) & there
        left |= born - found - known
        found |= born
    groups = {group for group, _ in known}
    return tuple(sorted(found, key=lambda kind: (not fields.is_built_in(kind[0]) and kind[0] not in groups, kind)))


def linked(roots: Iterable[Seen], others: Iterable[Seen]) -> tuple[Seen, ...]:
    """The roots, and those of the others that descend from them: parents first, then by key; an object is there once."""
    children: dict[str, list[Seen]] = defaultdict(list)
    for one in others:
        for uid in one.owners:
            children[uid].append(one)
    waiting = deque(sorted(roots, key=_key))
    found: dict[str, Seen] = {}
    while waiting:
        one = waiting.popleft()
        if one.uid not in found:
            found[one.uid] = one
            waiting.extend(sorted(children[one.uid], key=_key))
    return tuple(found.values())


def claimed(others: Iterable[Seen], sets: Iterable[Body]) -> tuple[Seen, ...]:
    """The same with claims given to the StatefulSets that they are named for: they carry no reference unless they shall go with the set."""
    patterns = [(str(one["metadata"]["uid"]), one["metadata"].get("namespace", ""), _claims(one)) for one in sets]

    def owned(one: Seen) -> Seen:
        if one.kind != kinds.CLAIM or one.owners:
            return one
        owners = (uid for uid, namespace, pattern in patterns if namespace == one.key.namespace and pattern.fullmatch(one.key.name))
        return msgspec.structs.replace(one, owners=tuple(owners))

    return tuple(owned(one) for one in others)


def pod(body: Body) -> Pod:
    """What is shown of a Pod; anything that is not as the API has it counts as absent."""
    spec, status = body.get("spec") or {}, body.get("status") or {}
    containers, told = spec.get("containers") or [], status.get("containerStatuses") or []
    began = [*(status.get("initContainerStatuses") or []), *told]
    images = dict.fromkeys(str(one.get("image", "")) for one in [*(spec.get("initContainers") or []), *containers])
    ready = sum(one.get("ready") is True for one in told)
    return Pod(tuple(filter(None, images)), f"{ready}/{len(containers)}", sum(int(one.get("restartCount") or 0) for one in began))


def depths(nodes: Sequence[Seen]) -> Mapping[str, int]:
    """How far each is below the app, by uid; the nodes as `linked` gives them."""
    found: dict[str, int] = {}
    for one in nodes:
        found[one.uid] = min((found[uid] + 1 for uid in one.owners if uid in found), default=0)
    return found


def roots(nodes: Sequence[Seen]) -> Mapping[str, objects.ObjectKey]:
    """Which object of the app each is, or comes from, by uid; the nodes as `linked` gives them."""
    found: dict[str, objects.ObjectKey] = {}
    for one in nodes:
        found[one.uid] = next((found[uid] for uid in one.owners if uid in found), one.key)
    return found


def _key(one: Seen) -> objects.ObjectKey:
    return one.key


def _claims(body: Body) -> re.Pattern[str]:
    """Names of the claims that a StatefulSet makes: template, set, ordinal."""
    templates = (body.get("spec") or {}).get("volumeClaimTemplates") or []
    words = "|".join(re.escape(str(one.get("metadata", {}).get("name", ""))) for one in templates)
    return re.compile(rf"(?:{words})-{re.escape(body['metadata']['name'])}-\d+" if words else r"(?!)")
