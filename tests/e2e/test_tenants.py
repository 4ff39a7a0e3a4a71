"""Another tenant is not there: by name, by id, by cursor, in lists, in clusters."""

import contextlib
import datetime as dt
import json
import pathlib
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from plane.adapters import link
from plane.domain.rendering import secrets
from plane.wire import agent, signing
from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import rules

OPENAPI = json.loads((pathlib.Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
OPERATIONS = sorted((method, path) for path, item in OPENAPI["paths"].items() for method in item)


class Names(msgspec.Struct, frozen=True):
    """What path parameters are filled with."""

    tenant: str
    project: str = "main"
    app: str = "web"
    repository: str = ""
    credential: str = "age"
    policy: str = "house"
    policybinding: str = "strict"
    waiver: str = "once"
    healthcheck: str = "widgets"
    sink: str = "siem"
    identityprovider: str = "okta"
    workloadtrust: str = "deploy"
    cluster: str = "east"
    person: str = "admin"
    user: str = "admin"
    role: str = "restarter"
    rolebinding: str = "crew"
    resourcerule: str = "none"
    token: str = ""
    session: str = "01a1fdeb-1c13-7a73-85f1-76ab07c7be0e"
    approval: str = "01a1fdeb-1c13-7a73-85f1-76ab07c7be0e"
    task: str = ""
    digest: str = ""
    plan: str = "1"
    preview: str = "1"
    decision: str = "01a1fdeb-1c13-7a73-85f1-76ab07c7be0e"
    provider: str = "none"


def fill(path: str, names: Names) -> str:
    """The path with its parameters."""
    return re.sub(r"\{(\w+)\}", lambda found: str(getattr(names, found[1])), path)


@pytest.fixture(scope="module")
def victim(install: e2e.Install) -> e2e.Tenant:
    """A tenant with one of everything."""
    tenant = install.tenant()
    tenant.put("Credential", "credentials", "git", spec={"kind": "git-password", "username": "ada"}, data={"password": "hunter2"})
    place = f"/api/v1/tenants/{tenant.name}/policies"
    rule = 'package plane.rules.none\n\nviolations contains {"message": "no"} if input.manifest.kind == "Nothing"\n'
    tenant.put("PolicySet", place, "house", spec={}, files={"rule.rego": rules.described(rule)})
    for above in ("", "/projects/main"):
        home = f"/api/v1/tenants/{tenant.name}{above}/policybindings"
        tenant.put("PolicyBinding", home, "strict", spec={"policySet": "house", "mode": "audit"})
    excused = {
        "policy": "house",
        "rule": "none",
        "reason": "a test",
        "expiresAt": f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=1):%FT%TZ}",
    }
    tenant.put("Waiver", "waivers", "once", spec=excused)
    judged = {"kind": "Widget", "group": "x.example", "lua": "return {status = 'Healthy'}"}
    tenant.put("HealthCheck", f"/api/v1/tenants/{tenant.name}/healthchecks", "widgets", spec=judged)
    tenant.put("HealthCheck", f"/api/v1/tenants/{tenant.name}/projects/main/healthchecks", "widgets", spec=judged)
    siem = {"webhook": {"url": "https://siem.example/events"}, "paused": True}
    tenant.put("Sink", f"/api/v1/tenants/{tenant.name}/sinks", "siem", spec=siem, data={"hmacKey": "0123456789abcdef"})
    login = {"issuer": "https://login.example", "clientId": "plane"}
    tenant.put("IdentityProvider", f"/api/v1/tenants/{tenant.name}/identityproviders", "okta", spec=login)
    job = {"issuer": "https://login.example", "audience": "plane", "claims": {"repository_id": "1"}, "service": "ci"}
    tenant.put("User", f"/api/v1/tenants/{tenant.name}/users", "ci", spec={"type": "service"})
    tenant.put("WorkloadTrust", f"/api/v1/tenants/{tenant.name}/workloadtrusts", "deploy", spec=job)
    tenant.put("Role", f"/api/v1/tenants/{tenant.name}/roles", "restarter", spec={"permissions": ["app:get"]})
    subjects = [{"kind": "User", "name": "admin"}]
    tenant.put("RoleBinding", f"/api/v1/tenants/{tenant.name}/rolebindings", "crew", spec={"role": "viewer", "subjects": subjects})
    tenant.app("web", tenant.repository(tenant.name, sources.web())).healthy()
    return tenant


@pytest.fixture(scope="module")
def known(victim: e2e.Tenant) -> Names:
    """Every name and id of the victim."""
    people = f"/api/v1/tenants/{victim.name}/people/admin"
    task = victim.call("GET", "apps/web/tasks").json()["items"][0]
    token = victim.call("GET", f"{people}/tokens").json()["items"][0]["id"]
    return Names(victim.name, repository=victim.name, credential="git", token=token, task=task["id"], digest=task["release"])


@pytest.fixture(scope="module")
def stranger(install: e2e.Install) -> e2e.Tenant:
    """One who gets nowhere, so that all tests of many paths can share it."""
    tenant = install.tenant()
    tenant.app("mine", "https://git.example/mine.git")
    return tenant


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if "{tenant}" in one[1]], ids=str)
def test_every_path_into_another_tenant_answers_as_if_it_were_not_there(stranger: e2e.Tenant, known: Names, method: str, path: str) -> None:
    body: dict[str, Any] = {"json": {}} if method in {"post", "put"} else {}
    theirs = stranger.call(method, fill(path, known), **body)
    nobodys = stranger.call(method, fill(path, msgspec.structs.replace(known, tenant="nobody")), **body)
    assert theirs.status_code in {400, 403, 404}
    assert said(theirs, known.tenant) == said(nobodys, "nobody")


def said(answer: httpx.Response, name: str) -> tuple[int, dict[str, object]]:
    """An answer without the request's id and the name that was asked for."""
    fields = {key: value for key, value in answer.json().items() if key != "instance"}
    return answer.status_code, json.loads(json.dumps(fields).replace(name, "NAME"))


OWN = [one for one in OPERATIONS if one[0] != "post" and re.search(r"\{tenant\}.*\{(?!project|cluster)", one[1])]


@pytest.mark.parametrize(("method", "path"), OWN, ids=str)
def test_another_tenants_names_and_ids_mean_nothing_in_ones_own_place(stranger: e2e.Tenant, known: Names, method: str, path: str) -> None:
    app = "mine" if re.search(r"\{(task|digest)\}", path) else known.app
    person = "admin" if "{token}" in path else "nobody"
    own = msgspec.structs.replace(known, tenant=stranger.name, app=app, person=person, user="nobody")
    body: dict[str, Any] = {"json": {}} if method == "put" else {}
    assert stranger.call(method, fill(path, own), **body).status_code in {400, 404}


def test_no_list_and_no_platform_page_names_another_tenant(tenant: e2e.Tenant, known: Names) -> None:
    own = msgspec.structs.replace(known, tenant=tenant.name)
    for path in [fill(path, own) for method, path in OPERATIONS if method == "get" and not path.endswith("/events")]:
        answer = tenant.call("GET", path)
        leaked = [name for name in (known.tenant, known.task, known.token) if name in answer.text and name not in path]
        assert not leaked, f"{path}: {answer.text}"


def test_the_platforms_own_pages_are_not_a_tenants(tenant: e2e.Tenant) -> None:
    paths = ("/api/v1/clusters", "/api/v1/clusters/east", "/api/v1/people", "/api/v1/audit", "/api/v1/audit/export")
    assert {tenant.call("GET", path).status_code for path in paths} <= {403, 404}


def test_a_cursor_of_another_tenant_opens_nothing(tenant: e2e.Tenant, victim: e2e.Tenant) -> None:
    for name in ("aa", "zz"):
        victim.app(name, "https://git.example/web.git")
    cursor = victim.call("GET", "apps", params={"limit": 1}).json()["next"]
    assert cursor
    assert tenant.call("GET", "apps", params={"cursor": cursor}).json()["items"] == []
    log = victim.call("GET", f"/api/v1/tenants/{victim.name}/audit", params={"limit": 1}).json()["next"]
    page = tenant.call("GET", f"/api/v1/tenants/{tenant.name}/audit", params={"cursor": log, "limit": 500})
    assert victim.name not in page.text


def test_a_project_of_another_tenant_is_no_filter_of_the_log(tenant: e2e.Tenant, victim: e2e.Tenant) -> None:
    victim.put("Project", f"/api/v1/tenants/{victim.name}/projects", "hidden", spec={})
    place = f"/api/v1/tenants/{tenant.name}/audit"
    theirs, absent = (tenant.call("GET", place, params={"project": name}) for name in ("hidden", "absent"))
    assert said(theirs, "hidden") == said(absent, "absent")


def test_a_manifest_that_names_another_tenants_namespace_is_refused_before_dispatch(tenant: e2e.Tenant, victim: e2e.Tenant) -> None:
    theirs = f"{victim.name}-web"
    stolen = sources.config("stolen").replace(b"name: web", f"name: web, namespace: {theirs}".encode())
    app = tenant.app("web", tenant.repository(tenant.name, {"web/config.yaml": stolen}))
    app.says("source-failed", "web/config.yaml:1", f"{theirs}/web is outside what this tenant may use on cluster east")
    assert app.call("GET", "tasks").json()["items"] == []
    assert sources.greeting(victim, theirs) == "hello"


def test_an_app_whose_destination_is_another_tenants_namespace_is_refused(tenant: e2e.Tenant, victim: e2e.Tenant) -> None:
    place = {"cluster": "east", "namespace": f"{victim.name}-web"}
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("stolen")), destination=place)
    app.says("source-failed", "is outside what this tenant may use on cluster east")
    assert sources.greeting(victim, f"{victim.name}-web") == "hello"


def test_another_tenants_repository_is_not_lent(tenant: e2e.Tenant, victim: e2e.Tenant) -> None:
    app = tenant.app("web", victim.install.git.url_of(victim.name))
    app.says("source-failed", "is not registered in project main")


def test_a_token_of_one_tenant_ends_with_its_revocation(tenant: e2e.Tenant) -> None:
    people = f"/api/v1/tenants/{tenant.name}/people/admin/tokens"
    issued = tenant.call("POST", people, json={"name": "short", "days": 1}).json()
    other = msgspec.structs.replace(tenant, token=issued["token"])
    assert other.call("GET", "apps").is_success
    assert tenant.call("DELETE", f"{people}/{issued['id']}").is_success
    answer = other.call("GET", "apps")
    assert (answer.status_code, "the token was revoked" in answer.json()["detail"]) == (401, True)


@contextlib.contextmanager
def as_agent(install: e2e.Install, cluster: str) -> Iterator[Any]:
    """Requests with the keys that the cluster's agent keeps in its cluster."""
    namespace = next(child for child in install.family.members if child.name == f"agent-{cluster}").popen.args
    argv = [str(word) for word in namespace]  # type: ignore[union-attr]
    home = argv[argv.index("--namespace") + 1]
    data = install.kubes[cluster].get(f"/api/v1/namespaces/{home}/secrets/gitops-plane-agent").raise_for_status().json()["data"]
    raw = {name: msgspec.json.decode(f'"{value}"', type=bytes) for name, value in data.items()}
    enrolled = msgspec.json.decode(raw["enrolled"], type=agent.Enrolled)
    mine = link.credentials(secrets.Secret(raw["signing"]), enrolled)

    def ask(method: str, path: str, body: bytes = b"") -> httpx.Response:
        whole = agent.PATH + path
        request = signing.Request(method, whole, signing.body_digest(body))
        speaker = signing.Speaker(mine.agent_id, mine.plane_id, mine.generation)
        token = signing.mint(mine.key, request, speaker=speaker, jti=uuid.uuid4().hex)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": agent.CONTENT_TYPE}
        return install.http.request(method, whole, headers=headers, content=body)

    yield ask


def test_an_agent_gets_no_release_of_another_cluster(victim: e2e.Tenant, known: Names) -> None:
    with as_agent(victim.install, "east") as ask:
        assert ask("GET", f"/releases/{known.digest}").is_success
    with as_agent(victim.install, "west") as ask:
        assert ask("GET", f"/releases/{known.digest}").status_code == 404


def test_an_agents_word_on_another_clusters_app_counts_for_nothing(victim: e2e.Tenant, known: Names) -> None:
    before = victim.call("GET", "apps/web").json()["status"]
    news = agent.AppState(app_id=before["id"], generation=99, release="", sync="OutOfSync", health="Degraded", message="a lie")
    told = agent.State(apps=(news,))
    lie = agent.Final(task=known.task, app_id=before["id"], generation=99, outcome="failed", started=1.0, finished=2.0, message="a lie")
    with as_agent(victim.install, "west") as ask:
        for path, body in (("/state", told), ("/events", agent.Events(finals=(lie,)))):
            answer = ask("POST", path, agent.encode(body))
            assert answer.is_success
            assert msgspec.msgpack.decode(answer.content, type=agent.Accepted).stale
    assert victim.call("GET", "apps/web").json()["status"] == before
