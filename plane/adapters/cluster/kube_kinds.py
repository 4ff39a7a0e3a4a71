"""What a cluster serves: kinds, their paths and the names that may stand in a path."""

import asyncio
import contextlib
import re
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from plane.adapters.cluster import kube
from plane.domain import errors, objects

# Aggregated discovery: two requests for all kinds of a cluster (KEP-3352, stable since Kubernetes 1.30, beta since 1.27).
DISCOVERY = ",".join(f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1"))

SERVED_S = 30.0  # how long a kind is looked for whose definition was written a moment ago
LOOK_S = (0.05, 2.0)  # first and longest pause between two looks: discovery cannot be watched

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class UnknownKind(errors.PlaneError):
    """A manifest of a kind the cluster does not serve."""

    code = "unknown-kind"

    def __init__(self, api_version: str, kind: str, *, down: str = "") -> None:
        way_out = "install its CustomResourceDefinition first, or correct apiVersion and kind"
        if down:
            way_out = f"it says of {api_version}: {down}; see whether the server behind its APIService runs"
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
        self._learnt: set[tuple[str, str]] = set()  # found one by one: aggregated discovery shows a new kind seconds later
        self._expected: dict[str, float] = {}  # group → until when its kinds may still be about to be served
        self._down: dict[str, str] = {}  # apiVersion → why an aggregated API server is away
        self._news = asyncio.Event()

    async def refresh(self) -> None:
        """Read all of it anew."""
        found: list[Resource] = []
        for root in ("/api", "/apis"):
            document = kube.decode(await self._api.get(root, accept=DISCOVERY))
            found += _aggregated(document.get("items", []))
        shown = {(one.api_version, one.kind) for one in found}
        asked: dict[str, tuple[Resource, ...]] = {}
        while late := {version for version, _ in self._learnt - shown} - asked.keys():
            asked |= {version: await self._list(version) for version in late}
        # Nothing is awaited from here on: a kind that is served is not missing for a moment.
        listed = [one for resources in asked.values() for one in resources if (one.api_version, one.kind) not in shown]
        self._learnt = {(one.api_version, one.kind) for one in listed}
        self._served, self._preferred = {}, {}
        self._take([*found, *listed])

    def all(self) -> tuple[Resource, ...]:
        """Every served kind and version, sorted."""
        return tuple(self._served[at] for at in sorted(self._served))

    def preferred(self, group: str, kind: str) -> Resource | None:
        """The version to watch a kind in, or None when the cluster does not serve it."""
        return self._preferred.get((group, kind))

    async def resolve(self, api_version: str, kind: str) -> Resource:
        """The kind a manifest names; looked for again, and for a while where a definition of its group has just been written.

        Raises:
            UnknownKind: not served.
        """
        group, pause = api_version.rpartition("/")[0], LOOK_S[0]
        while (api_version, kind) not in self._served:
            listed = await self._list(api_version)
            self._learnt |= {(one.api_version, one.kind) for one in listed} - self._served.keys()
            self._take(listed)
            if (api_version, kind) in self._served:
                break
            if not self.expecting(group):
                raise UnknownKind(api_version, kind, down=self._down.get(api_version, ""))
            await self.changed(within_s=pause)
            pause = min(LOOK_S[1], 2 * pause)
        return self._served[api_version, kind]

    def knows(self, api_version: str, kind: str) -> Resource | None:
        """As `resolve`, without asking."""
        return self._served.get((api_version, kind))

    def expect(self, group: str) -> None:
        """A definition of this group was written: its kinds are served soon, discovery and other API servers lag behind `Established`."""
        self._expected[group] = time.monotonic() + SERVED_S

    def expecting(self, group: str) -> bool:
        """Whether a kind of the group that is not served may be in a moment."""
        return time.monotonic() < self._expected.get(group, 0.0)

    async def changed(self, *, within_s: float) -> None:
        """Return when other kinds are served than before, or after `within_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._news.wait()

    def _take(self, resources: Iterable[Resource]) -> None:
        for one in resources:
            self._served[one.api_version, one.kind] = one
            self._preferred.setdefault((one.group, one.kind), one)  # groups list their versions by preference, the best first
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _list(self, api_version: str) -> tuple[Resource, ...]:
        """What one group version serves; nothing when it is no group version."""
        group, _, version = api_version.rpartition("/")
        if not re.fullmatch(r"[a-z0-9.-]*", group) or not re.fullmatch(r"[a-z0-9]+", version):
            return ()
        try:
            document = kube.decode(await self._api.get(f"/apis/{group}/{version}" if group else f"/api/{version}"))
        except kube.KubeRefused as e:
            if e.status in {403, 404, 503}:  # 503: an aggregated API whose server is away
                self._down |= {api_version: str(e)} if e.status == 503 else {}  # noqa: PLR2004
                return ()
            raise
        self._down.pop(api_version, None)
        return tuple(_listed(document.get("resources", []), group, version))


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
