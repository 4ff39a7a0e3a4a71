"""The REST API as its callers see it: one application per worker on that worker's database, callers by token, two tenants."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from plane.api import app
from plane.server import bootstrap, context

V1 = "/api/v1"
Json = dict[str, Any]


class Api(msgspec.Struct, frozen=True):
    """One caller."""

    client: TestClient[Litestar]
    token: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A request below /api/v1; keyword arguments are headers, `_` for `-`."""
        sent = {"Authorization": f"Bearer {self.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.request(method, V1 + path, headers=sent, json=body)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: object, **headers: str) -> httpx.Response:
        return self.call("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> httpx.Response:
        return self.call("DELETE", path, **headers)

    def with_token(self, token: str) -> "Api":
        return Api(self.client, token)

    def make(self, path: str, body: Json) -> Json:
        """POST what must go well."""
        response = self.post(path, body)
        assert response.status_code == 201, response.text
        made: Json = response.json()
        return made

    def person(self, tenant: str, name: str, role: str, *, project: str = "") -> "Api":
        """Somebody of a tenant with one role."""
        self.make(f"/tenants/{tenant}/people", {"name": name})
        self.make(f"/tenants/{tenant}/people/{name}/roles", {"role": role, "project": project})
        return self.with_token(self.make(f"/tenants/{tenant}/people/{name}/tokens", {"name": "test"})["token"])


def document(kind: str, name: str, spec: Json | None = None, **more: object) -> Json:
    """A document of that kind."""
    return {"apiVersion": "gitops-plane.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec or {}, **more}


def app_document(name: str, **spec: object) -> Json:
    """An app that syncs by hand."""
    wanted = {
        "source": {"repoURL": "https://git.example/acme/deploy.git", "path": name},
        "destination": {"cluster": "east", "namespace": "shop"},
    }
    return document("App", name, wanted | spec)


class Tenant(msgspec.Struct, frozen=True):
    """A tenant with a project `shop` and its admin."""

    name: str
    api: Api

    @property
    def shop(self) -> str:
        """The path of its project."""
        return f"/tenants/{self.name}/projects/shop"


@pytest.fixture(scope="session")
def _client(database_url: str) -> Iterator[list[TestClient[Litestar]]]:
    opened: list[TestClient[Litestar]] = []
    yield opened
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(plane: context.Plane, database_url: str, _client: list[TestClient[Litestar]]) -> TestClient[Litestar]:
    """The application, begun once per worker; each test gives it its own plane on empty tables."""
    if not _client:
        _client.append(TestClient(app.create(plane, database_url=database_url), raise_server_exceptions=False).__enter__())
    _client[0].app.state.plane = plane
    return _client[0]


@pytest.fixture
def platform(client: TestClient[Litestar], plane: context.Plane) -> Api:
    """The platform's admin."""
    return Api(client, bootstrap.admin(plane.engine, plane.clock))


@pytest.fixture
def acme(platform: Api) -> Tenant:
    return make_tenant(platform, "acme")


@pytest.fixture
def globex(platform: Api) -> Tenant:
    return make_tenant(platform, "globex")


def make_tenant(platform: Api, name: str) -> Tenant:
    """With a project, an admin, and its part of the cluster `east`, which it makes when it is not there."""
    platform.make("/tenants", document("Tenant", name))
    admin = platform.person(name, "ada", "admin")
    admin.make(f"/tenants/{name}/projects", document("Project", "shop"))
    east = platform.get("/clusters/east")
    grants = east.json()["spec"]["grants"] if east.status_code == 200 else []
    grants.append({"tenant": name, "namespaces": ["shop", f"{name}-*"]})
    assert platform.put("/clusters/east", document("Cluster", "east", {"grants": grants})).status_code in {200, 201}
    return Tenant(name, admin)
