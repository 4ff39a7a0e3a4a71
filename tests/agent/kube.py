"""The cluster as a test looks at it: paths and JSON, waiting by watch."""

import contextlib
import json
import pathlib
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from tests.support import waiting

Body = dict[str, Any]
MERGE = {"Content-Type": "application/merge-patch+json"}


class Kube:
    """One namespace of a cluster, as its admin."""

    def __init__(self, folder: pathlib.Path, server: str, namespace: str) -> None:
        tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")
        self._http = httpx.Client(base_url=server, verify=tls, timeout=waiting.PATIENCE_S)
        self.namespace = namespace

    def close(self) -> None:
        self._http.close()

    def path(self, kind: str, name: str = "") -> str:
        """`configmaps`, `apps/v1/deployments`, or an absolute path."""
        if kind.startswith("/"):
            return f"{kind}/{name}" if name else kind
        base = f"/apis/{kind.rpartition('/')[0]}" if "/" in kind else "/api/v1"
        return f"{base}/namespaces/{self.namespace}/{kind.rpartition('/')[2]}{'/' + name if name else ''}"

    def get(self, kind: str, name: str) -> Body | None:
        answer = self._http.get(self.path(kind, name))
        return None if answer.status_code == 404 else _body(answer)

    def there(self, kind: str, name: str) -> Body:
        found = self.get(kind, name)
        assert found is not None, f"{kind}/{name} is not there"
        return found

    def patch(self, kind: str, name: str, body: Body) -> Body:
        return _body(self._http.patch(self.path(kind, name), content=json.dumps(body), headers=MERGE))

    def label_a_node(self, label: str) -> None:
        """Lets pods in that wait for a node with this label."""
        nodes = _body(self._http.get("/api/v1/nodes"))["items"]
        self.patch("/api/v1/nodes", nodes[0]["metadata"]["name"], {"metadata": {"labels": {label: "yes"}}})

    def create(self, kind: str, body: Body) -> Body:
        return _body(self._http.post(self.path(kind), json=body))

    def delete(self, kind: str, name: str) -> None:
        self._http.delete(self.path(kind, name)).raise_for_status()

    def collect(self, kind: str, name: str, uid: str) -> None:
        """Do the garbage collector's part for one object, unless it was first: it may be minutes late when definitions come and go."""
        self._http.patch(self.path(kind, name), content=json.dumps({"metadata": {"uid": uid, "finalizers": None}}), headers=MERGE)

    def until(self, kind: str, name: str, wanted: Callable[[Body | None], bool], *, since: Body | None = None) -> Body | None:
        """The object's first state that is as wanted, from now on or after the state `since`; None stands for its absence."""
        only = {"fieldSelector": f"metadata.name={name}"}
        listed = {"items": [since], "metadata": since["metadata"]} if since else _body(self._http.get(self.path(kind), params=only))
        now = next(iter(listed["items"]), None)
        if wanted(now):
            return now
        version = listed["metadata"]["resourceVersion"]
        query = only | {"watch": "true", "timeoutSeconds": f"{waiting.PATIENCE_S:.0f}", "resourceVersion": version}
        with self._http.stream("GET", self.path(kind), params=query, timeout=2 * waiting.PATIENCE_S) as events:
            for line in events.iter_lines():
                event = json.loads(line)
                now = None if event["type"] == "DELETED" else event["object"]
                if wanted(now):
                    return now
        raise AssertionError(f"waited {waiting.PATIENCE_S:.0f} s for {kind}/{name}; it is {json.dumps(now)[:800]}")

    @contextlib.contextmanager
    def config_maps_made(self) -> Iterator[list[str]]:
        """Names of the ConfigMaps made in the namespace during the block, one for each time, complete at its end."""
        made, last = list[str](), "the-last-one-made"
        since = _body(self._http.get(self.path("configmaps"), params={"limit": "1"}))["metadata"]["resourceVersion"]

        def follow() -> None:
            query = {"watch": "true", "timeoutSeconds": "600", "resourceVersion": since}
            with self._http.stream("GET", self.path("configmaps"), params=query, timeout=610) as events:
                for event in map(json.loads, events.iter_lines()):
                    made.extend([event["object"]["metadata"]["name"]] if event["type"] == "ADDED" else [])
                    if last in made:
                        return

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        try:
            yield made
        finally:
            self.create("configmaps", config_map(self.namespace, last))
            follower.join(waiting.PATIENCE_S)
            made.remove(last)


def _body(answer: httpx.Response) -> Body:
    body: Body = answer.raise_for_status().json()
    return body


def config_map(namespace: str, name: str, annotations: dict[str, str] | None = None, **data: str) -> Body:
    meta: Body = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta | ({"annotations": annotations} if annotations else {}), "data": data}


def job(namespace: str, name: str, annotations: dict[str, str], *, command: str = "true") -> Body:
    container = {"name": "main", "image": "registry.example/job:1", "command": [command]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    meta = {"name": name, "namespace": namespace, "annotations": annotations}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"backoffLimit": 0, "template": template}}


def deployment(namespace: str, name: str, *, wave: str = "0", node: str = "") -> Body:
    """Waits for a node that has the label `node`, if one is given."""
    labels = {"app": name}
    pod: Body = {"containers": [{"name": "main", "image": "registry.example/app:1"}]}
    pod |= {"nodeSelector": {node: "yes"}} if node else {}
    meta = {"name": name, "namespace": namespace, "annotations": {"argocd.argoproj.io/sync-wave": wave}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def definition(group: str) -> Body:
    """A namespaced kind Ring."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": group, "scope": "Namespaced", "names": {"plural": "rings", "kind": "Ring"}, "versions": [version]}
    meta = {"name": f"rings.{group}"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}


def ring(group: str, namespace: str) -> Body:
    meta = {"name": "one", "namespace": namespace}
    return {"apiVersion": f"{group}/v1", "kind": "Ring", "metadata": meta, "spec": {"to": "rule"}}
