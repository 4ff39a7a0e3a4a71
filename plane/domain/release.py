"""A release: what one app should be, fixed for ever under a digest."""

from typing import Any

import msgspec

from plane.domain import errors, fleet, objects
from plane.domain.judging import policy
from plane.domain.permitting import projects

OWNER_LABEL = "gitops-plane.io/app"
OWNER_ANNOTATION = "gitops-plane.io/owner"
RESERVED = "gitops-plane.io/"


class Owner(msgspec.Struct, frozen=True):
    """Whose objects these are: the app's id and the names people read."""

    app_id: str
    tenant: str
    project: str
    app: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.project}/{self.app}"


class Release(msgspec.Struct, frozen=True):
    """Slim facts of a release. `key` says what it was made from, `digest` what it contains; `volatile`: it holds unpinned Vault values."""

    id: str
    app_id: str
    digest: str
    key: str
    commit: str
    verdict: policy.Verdict
    objects: int
    volatile: bool = False


class ScopeRefused(errors.PlaneError):
    """An object outside what the tenant was granted on the cluster, or outside its project's destinations."""

    code = "scope-refused"
    fields = ("where",)

    def __init__(self, manifest: objects.Manifest, allowed: str, *, remedy: str) -> None:
        self.where = str(manifest.position or "")
        place = f"{self.where}: " if self.where else ""
        super().__init__(f"{place}{manifest.key} is outside {allowed}; change its namespace, or {remedy}")


class ProjectRefused(ScopeRefused):
    """An object of a kind, or in a place, that its project does not allow."""

    def __init__(self, manifest: objects.Manifest, why: str) -> None:
        self.where = str(manifest.position or "")
        place = f"{self.where}: " if self.where else ""
        errors.PlaneError.__init__(self, f"{place}{manifest.key} {why}; change the object, or widen the project")


def stamp(manifest: objects.Manifest, owner: Owner, *, namespace: str) -> objects.Manifest:
    """The manifest with the owner's mark and its namespace filled in (`namespace` empty: cluster-scoped or already named)."""
    meta: dict[str, Any] = dict(manifest.body.get("metadata") or {})
    if namespace and not meta.get("namespace"):
        meta["namespace"] = namespace
    meta["labels"] = {**(meta.get("labels") or {}), OWNER_LABEL: owner.app_id}
    meta["annotations"] = {**(meta.get("annotations") or {}), OWNER_ANNOTATION: str(owner)}
    body = {**manifest.body, "metadata": meta}
    return msgspec.structs.replace(manifest, key=objects.key_of(body), body=body)


def check_scope(manifests: tuple[objects.Manifest, ...], grant: fleet.Grant, cluster: str) -> None:
    """Raise ScopeRefused for the first object the grant does not cover."""
    for manifest in manifests:
        key = manifest.key
        if not fleet.permits(grant, group=key.group, kind=key.kind, namespace=key.namespace, name=key.name):
            allowed = f"what this tenant may use on cluster {cluster} ({', '.join(grant.namespaces) or 'no namespace'})"
            raise ScopeRefused(manifest, allowed, remedy="ask the platform team for a wider grant")


def check_project(manifests: tuple[objects.Manifest, ...], rules: projects.Rules, where: projects.Where, *, project: str) -> None:
    """Raise ScopeRefused for the first object that the project does not let its apps on a cluster hold."""
    for manifest in manifests:
        if why := projects.object_(rules, manifest.key, where, name=project):
            raise ProjectRefused(manifest, why)
