"""The few calls that make a started control plane a cluster with nodes."""

import http.client
import json
import pathlib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping

import msgspec

CALL_S = 5.0


class Api(msgspec.Struct, frozen=True):
    """The cluster's API server as its admin."""

    server: str
    tls: ssl.SSLContext

    def get(self, path: str) -> dict[str, object] | None:
        """The object; None while the server is away or does not have it."""
        try:
            answer: dict[str, object] = json.loads(self._call("GET", path))
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return None
        return answer

    def ready(self) -> bool:
        """Whether all start-up steps are done."""
        try:
            return self._call("GET", "/readyz") == b"ok"
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return False

    def create(self, path: str, body: Mapping[str, object]) -> None:
        """POST to a collection."""
        self._call("POST", path, json.dumps(body).encode())

    def delete(self, path: str) -> None:
        """Ask for an object's deletion; finalizers may keep it a while."""
        self._call("DELETE", path)

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        asked = urllib.request.Request(self.server + path, data=body, method=method, headers={"Content-Type": "application/json"})  # noqa: S310 always https
        with urllib.request.urlopen(asked, timeout=CALL_S, context=self.tls) as answer:  # noqa: S310 always https
            content: bytes = answer.read()
            return content


def admin(folder: pathlib.Path, server: str) -> Api:
    """By the certificates in a cluster's folder."""
    tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    return Api(server=server, tls=tls)


def node(number: int) -> dict[str, object]:
    """A node kwok will make ready."""
    name = f"node-{number}"
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "type": "kwok"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def nodes_ready(api: Api) -> int:
    """How many nodes say Ready."""
    listed = api.get("/api/v1/nodes") or {}
    items = listed.get("items")
    return sum(_is_ready(item) for item in items) if isinstance(items, list) else 0


def _is_ready(node: Mapping[str, Mapping[str, list[Mapping[str, str]]]]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
