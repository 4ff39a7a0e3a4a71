"""The agent's own objects: its namespace and small documents in it, written so that two writers cannot overwrite each other."""

import msgspec

from plane.adapters.cluster import kube

MANAGED_BY = {"app.kubernetes.io/managed-by": "gitops-plane"}
CONFLICT = 409
NOT_FOUND = 404


class Home:
    """A namespace and the collections in it."""

    def __init__(self, api: kube.Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    async def ensure(self) -> None:
        """Create the namespace if it is absent; an agent that may not is fine when somebody else made it."""
        try:
            await self.api.get(f"/api/v1/namespaces/{self.namespace}")
        except kube.KubeRefused as e:
            if e.status != NOT_FOUND:
                return
            body: dict[str, object] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": MANAGED_BY}}
            await self._create("/api/v1/namespaces", body)

    async def read(self, plural: str, name: str, *, api: str = "/api/v1") -> dict[str, object] | None:
        """The object's body, or None when there is none."""
        try:
            return kube.decode(await self.api.get(f"{self._path(plural, api)}/{name}"))
        except kube.KubeRefused as e:
            if e.status == NOT_FOUND:
                return None
            raise

    async def create(self, plural: str, body: dict[str, object], *, api: str = "/api/v1") -> bool:
        """Create; False when it exists already."""
        return await self._create(self._path(plural, api), body)

    async def replace(self, plural: str, name: str, body: dict[str, object], *, api: str = "/api/v1") -> dict[str, object] | None:
        """Replace the version that `body` carries as metadata.resourceVersion; None when somebody else wrote meanwhile."""
        try:
            return kube.decode(await self.api.call("PUT", f"{self._path(plural, api)}/{name}", body=msgspec.json.encode(body)))
        except kube.KubeRefused as e:
            if e.status in {CONFLICT, NOT_FOUND}:
                return None
            raise

    async def patch(self, plural: str, name: str, body: dict[str, object]) -> dict[str, object] | None:
        """Merge; None when `body` carries a metadata.resourceVersion and somebody else wrote meanwhile."""
        path = f"{self._path(plural, '/api/v1')}/{name}"
        try:
            return kube.decode(await self.api.call("PATCH", path, body=msgspec.json.encode(body), content_type=kube.MERGE_PATCH))
        except kube.KubeRefused as e:
            if e.status in {CONFLICT, NOT_FOUND}:
                return None
            raise

    async def _create(self, path: str, body: dict[str, object]) -> bool:
        try:
            await self.api.call("POST", path, body=msgspec.json.encode(body))
        except kube.KubeRefused as e:
            if e.status == CONFLICT:
                return False
            raise
        return True

    def _path(self, plural: str, api: str) -> str:
        return f"{api}/namespaces/{self.namespace}/{plural}"
