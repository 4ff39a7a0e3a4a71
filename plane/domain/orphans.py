"""Orphaned resources: objects in the namespaces of a project's apps that belong to no app."""

import fnmatch
from collections.abc import Mapping

import msgspec

from plane.domain import objects


class Ignored(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Objects that are nobody's concern; globs, an empty one matches all, except the core group, which `group` says by being empty."""

    group: str = ""
    kind: str = ""
    name: str = ""


class Watch(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Whether the project's apps warn of orphans, and of which not. Fields as in Argo CD's AppProject."""

    warn: bool = True
    ignore: tuple[Ignored, ...] = ()


def sentence(watch: Watch | None, count: int, *, at: str, project: str) -> str:
    """What the apps of the project say of those beside them; empty when there is nothing to warn of."""
    if watch is None or not watch.warn or not count:
        return ""
    names = f"{count} object{'s' if count > 1 else ''} beside the app belong{'' if count > 1 else 's'} to no app"
    return f"{names}, as of {at}; see them with `plane project orphans {project}`"


class Seen(msgspec.Struct, frozen=True):
    """What its metadata tell of an object; `owned`: another object owns it."""

    key: objects.ObjectKey
    owned: bool = False
    annotations: Mapping[str, str] = {}


# What Kubernetes makes by itself: Argo CD leaves the same out; kind → namespace, empty for any.
_MADE = {("", "Service", "kubernetes"): "default", ("", "ServiceAccount", "default"): "", ("", "ConfigMap", "kube-root-ca.crt"): ""}
# What comes and goes by the minute: there by resource exclusions.
_PASSING = frozenset({
    ("", "Event"), ("events.k8s.io", "Event"), ("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice"),
    ("coordination.k8s.io", "Lease"), ("", "Binding"),
})  # fmt: skip
_OF_ACCOUNT = "kubernetes.io/service-account.name"  # a token that a ServiceAccount was given


def orphaned(seen: Seen) -> bool:
    """Whether an object without an app's label is an orphan at all."""
    key = seen.key
    made = _MADE.get((key.group, key.kind, key.name))
    known = made is not None and made in {"", key.namespace}
    return not (seen.owned or known or (key.group, key.kind) in _PASSING or _OF_ACCOUNT in seen.annotations)


def ignored(key: objects.ObjectKey, watch: Watch) -> bool:
    """Whether the project does not want to hear of it."""
    return any(
        (not one.kind or fnmatch.fnmatchcase(key.kind, one.kind))
        and fnmatch.fnmatchcase(key.group, one.group)
        and (not one.name or fnmatch.fnmatchcase(key.name, one.name))
        for one in watch.ignore
    )
