"""What a cluster serves: kinds, their paths and the names that may stand in a path."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from plane.adapters import kube
from plane.domain import errors, objects

# Aggregated discovery: two requests for all kinds of a cluster (KEP-3352, stable since Kubernetes 1.30, beta since 1.27).
DISCOVERY = ",".join(f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1"))

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NEEDED = frozenset({"get", "list", "watch", "patch", "delete"})


class UnknownKind(errors.PlaneError):
    """A manifest of a kind the cluster does not serve."""

    code = "unknown-kind"

    def __init__(self, api_version: str, kind: str) -> None:
        way_out = "install its CustomResourceDefinition first, or correct apiVersion and kind"
        super().__init__(f"the cluster serves no kind {kind} in {api_version}; {way_out}")


class BadName(errors.PlaneError):
    """A name or namespace that would lead to another path than the object's own."""

    code = "bad-name"


class Resource(msgspec.Struct, frozen=True):
    """A served kind in one version. `verbs`: what can be done with it at all."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    @property
    def api_version(self) -> str:
        """As it stands in a manifest."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def manageable(self) -> bool:
        """Whether objects of it can be applied, watched and pruned; a SubjectAccessReview cannot."""
        return self.verbs >= _NEEDED

    def path(self, namespace: str = "", name: str = "") -> str:
        """The path of the collection or the object; BadName when a part would leave it."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{_checked_namespace(namespace)}" if self.namespaced and namespace else ""
        return f"{base}{inside}/{self.plural}{'/' + _checked_name(name) if name else ''}"


class Kinds:
    """The served kinds, by apiVersion and kind."""

    def __init__(self, api: kube.Api) -> None:
        self._api = api
        self._served: dict[tuple[str, str], Resource] = {}
        self._preferred: dict[tuple[str, str], Resource] = {}
        self._learnt: set[str] = set()  # apiVersions asked for one by one: aggregated discovery shows a new one seconds later

    async def refresh(self) -> None:
        """Read all of it anew."""
        found: list[Resource] = []
        for root in ("/api", "/apis"):
            document = kube.decode(await self._api.get(root, accept=DISCOVERY))
            found += _aggregated(document.get("items", []))
        self._served = {(one.api_version, one.kind): one for one in found}
        self._preferred = {}
        for one in found:  # groups list their versions by preference, the best first
            self._preferred.setdefault((one.group, one.kind), one)
        self._learnt -= {one.api_version for one in found}
        for api_version in tuple(self._learnt):
            self._learnt.discard(api_version)
            await self._look_up(api_version)

    def all(self) -> tuple[Resource, ...]:
        """Every served kind and version, sorted."""
        return tuple(self._served[at] for at in sorted(self._served))

    def preferred(self, group: str, kind: str) -> Resource | None:
        """The version to watch a kind in, or None when the cluster does not serve it."""
        return self._preferred.get((group, kind))

    async def resolve(self, api_version: str, kind: str) -> Resource:
        """The kind a manifest names; asks once more for its group version, since a CRD may have been established a moment ago.

        Raises:
            UnknownKind: not served.
        """
        known = self._served.get((api_version, kind))
        if known:
            return known
        await self._look_up(api_version)
        known = self._served.get((api_version, kind))
        if known is None:
            raise UnknownKind(api_version, kind)
        return known

    def knows(self, api_version: str, kind: str) -> Resource | None:
        """As `resolve`, without asking."""
        return self._served.get((api_version, kind))

    async def _look_up(self, api_version: str) -> None:
        group, _, version = api_version.rpartition("/")
        if not re.fullmatch(r"[a-z0-9.-]*", group) or not re.fullmatch(r"[a-z0-9]+", version):
            return
        try:
            document = kube.decode(await self._api.get(f"/apis/{group}/{version}" if group else f"/api/{version}"))
        except kube.KubeRefused as e:
            if e.status in {403, 404}:
                return
            raise
        self._learnt.add(api_version)
        for one in _listed(document.get("resources", []), group, version):
            self._served[one.api_version, one.kind] = one
            self._preferred.setdefault((one.group, one.kind), one)


def key_path(resource: Resource, key: objects.ObjectKey) -> str:
    """The path of one object."""
    if resource.namespaced and not key.namespace:
        raise BadName(f"{key} is namespaced and names no namespace; set metadata.namespace or the app's destination.namespace")
    return resource.path(key.namespace, key.name)


def _checked_namespace(namespace: str) -> str:
    if not _NAMESPACE.fullmatch(namespace):
        raise BadName(f"{namespace!r} is no namespace; it must be a DNS label")
    return namespace


def _checked_name(name: str) -> str:
    # The API server's own rule for names in paths (validation/path): anything else could climb out of the namespace.
    if name in {".", ".."} or "/" in name or "%" in name:
        raise BadName(f"{name!r} is no object name; it may hold neither / nor %")
    return quote(name, safe=":")


def _aggregated(groups: Iterable[dict[str, Any]]) -> Iterable[Resource]:
    for group in groups:
        name = group["metadata"].get("name", "")
        for version in group.get("versions", []):
            for one in version.get("resources", []):
                kind = one.get("responseKind") or {}
                if kind.get("kind"):
                    namespaced = one.get("scope") == "Namespaced"
                    yield Resource(name, version["version"], kind["kind"], one["resource"], namespaced, frozenset(one.get("verbs", ())))


def _listed(resources: Iterable[dict[str, Any]], group: str, version: str) -> Iterable[Resource]:
    for one in resources:
        if "/" not in one["name"]:  # a/status is a subresource
            yield Resource(group, version, one["kind"], one["name"], bool(one["namespaced"]), frozenset(one.get("verbs", ())))
