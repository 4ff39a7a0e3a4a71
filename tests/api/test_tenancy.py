"""Another tenant's thing and an absent one are the same answer, on every endpoint there is: the list is the OpenAPI document's."""

import re
from typing import Any

from tests.support.rest import Tenant, app_document, document

BODIES = {"App": app_document, "Repository": lambda name: document("Repository", name, {"url": "https://git.example/x/y"})}
ID = "01a1fdeb-1c13-7a73-85f1-76ab07c7be0e"
IDS = {"task": ID, "approval": ID, "token": ID, "session": ID, "decision": ID, "preview": "1", "digest": "sha256:00"}

QUERIES = {
    "{person}/roles": "role=viewer",
    "/can-i": "verb=get&resource=app",
    "/explain-access": "verb=get&resource=app",
    "/who-can": "verb=get&resource=app",
    "consistency": "old=1",
    "inclusion": "seq=0",
    "/at": "time=2026-01-01",
    "{preview}/comparison": "to=1",
}  # what a question must say


def endpoints(tenant: Tenant) -> list[tuple[str, str, Any]]:
    """(method, path template, example body) of everything inside tenants."""
    found = tenant.api.get("/openapi.json").json()["paths"]
    return [
        (
            method.upper(),
            path.removeprefix("/api/v1"),
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example"),
        )
        for path, operations in found.items()
        if "{tenant}" in path
        for method, operation in operations.items()
    ]


def fill(template: str, tenant: str, name: str) -> str:
    path = re.sub(r"\{(\w+)\}", lambda found: {"tenant": tenant, "project": "shop", **IDS}.get(found[1], name), template)
    query = next((query for end, query in QUERIES.items() if template.endswith(end)), "")
    return f"{path}?{query}" if query else path


def ask(caller: Tenant, method: str, path: str, body: object) -> tuple[int, dict[str, Any]]:
    answer = caller.api.call(method, path, body)
    said = answer.json()
    said.pop("instance", None)
    return answer.status_code, said


def rename(said: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {key: value.replace(old, new) if isinstance(value, str) else value for key, value in said.items()}


def fit(body: object, name: str) -> object:
    """An example that agrees with its path."""
    if not isinstance(body, dict) or "metadata" not in body:
        return body
    meta = {key: value for key, value in body["metadata"].items() if key == "labels"}
    return {**body, "metadata": {**meta, "name": name}}


def test_another_tenant_is_as_absent_as_none_on_every_endpoint(acme: Tenant, globex: Tenant) -> None:
    """Also where the thing itself is there: same status, same body, but for the name that was asked for."""
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    acme.api.make(f"{acme.shop}/repositories", document("Repository", "web", {"url": "https://git.example/acme/deploy.git"}))
    acme.api.make("/tenants/acme/clusters", document("Cluster", "web"))
    acme.api.make("/tenants/acme/users", document("User", "web"))
    acme.api.make("/tenants/acme/rolebindings", document("RoleBinding", "web", {"role": "viewer", "subjects": [{"name": "web"}]}))
    different, wrong = [], []
    for method, template, example in endpoints(acme):
        name = "acme" if template == "/tenants/{tenant}" else "shop" if template.endswith("{project}") else "web"
        theirs = ask(globex, method, fill(template, "acme", name), fit(example, name))
        absent = ask(
            globex,
            method,
            fill(template, "no-such", "no-such" if name == "acme" else name),
            fit(example, "no-such" if name == "acme" else name),
        )
        if theirs != (absent[0], rename(absent[1], "no-such", "acme")):
            different.append((method, template, theirs, absent))
        # writing a tenant itself is the platform's right: refused as such for every name there is and is not
        if theirs[0] != (403 if template == "/tenants/{tenant}" and method != "GET" else 404):
            wrong.append((method, template, theirs))
    assert (different, wrong) == ([], [])


def test_another_project_is_as_absent_as_none_on_every_endpoint(acme: Tenant) -> None:
    acme.api.make("/tenants/acme/projects", document("Project", "secret"))
    acme.api.make("/tenants/acme/projects/secret/apps", app_document("web"))
    bob = Tenant("acme", acme.api.person("acme", "bob", "admin", project="shop"))
    different = []
    for method, template, example in endpoints(acme):
        if "{project}/" not in template:
            continue
        there, none = (fill(template, "acme", "web").replace("/shop/", f"/{project}/") for project in ("secret", "no-such"))
        theirs, absent = (ask(bob, method, path, fit(example, "web")) for path in (there, none))
        if theirs[0] != 404 or theirs != (absent[0], rename(absent[1], "no-such", "secret")):
            different.append((method, template, theirs, absent))
    assert different == []


LOG_IN = [  # whoever logs in has no token yet; the rest of that page refuses what is no log-in with 401, too
    ("get", "/api/v1/login"),
    ("post", "/api/v1/login/device"),
    ("post", "/api/v1/login/end"),
    ("post", "/api/v1/login/exchange"),
    ("post", "/api/v1/login/local"),
    ("post", "/api/v1/login/local/session"),
    ("post", "/api/v1/login/{provider}/begin"),
    ("post", "/api/v1/login/{provider}/device"),
]


def test_every_endpoint_asks_for_a_token(acme: Tenant) -> None:
    found = acme.api.get("/openapi.json").json()["paths"]
    open_ones = [
        (method, path)
        for path, operations in found.items()
        for method in operations
        if acme.api.client.request(method, fill(path, "acme", "web"), json={} if method in {"post", "put"} else None).status_code != 401
    ]
    assert sorted(open_ones) == LOG_IN


def test_names_that_can_be_no_names_are_absent(acme: Tenant) -> None:
    for name in ("%00", "A", "..%2f..", "a" * 64, "%27%20or%201=1"):
        assert acme.api.get(f"{acme.shop}/apps/{name}").status_code == 404
