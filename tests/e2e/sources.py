"""What the tests keep in Git, and how a cluster shows it."""

from tests.e2e import conftest as e2e

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
data: {{greeting: {greeting}}}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - name: web
          image: {image}
"""


def config(greeting: str = "hello", *, name: str = "web") -> bytes:
    """A ConfigMap."""
    return CONFIG.format(name=name, greeting=greeting).encode()


def deployment(*, name: str = "web", replicas: int = 1, image: str = "registry.example/web:1") -> bytes:
    """A Deployment of one container."""
    return DEPLOYMENT.format(name=name, replicas=replicas, image=image).encode()


def web(greeting: str = "hello", *, image: str = "registry.example/web:1") -> dict[str, bytes]:
    """A folder `web` with a ConfigMap and a Deployment."""
    return {"web/config.yaml": config(greeting), "web/deployment.yaml": deployment(image=image)}


def live(tenant: e2e.Tenant, path: str, *, cluster: str = "east") -> dict[str, object]:
    """An object as the cluster has it; empty when it is not there."""
    answer = tenant.install.kubes[cluster].get(path)
    return dict(answer.json()) if answer.is_success else {}


def greeting(tenant: e2e.Tenant, namespace: str, *, name: str = "web", cluster: str = "east") -> str:
    """What the ConfigMap says in the cluster."""
    data = live(tenant, f"/api/v1/namespaces/{namespace}/configmaps/{name}", cluster=cluster).get("data")
    return str(data["greeting"]) if isinstance(data, dict) else ""
