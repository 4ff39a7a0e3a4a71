"""What people get wrong: `explain` says what and since when, and the last good state keeps running."""

import pathlib
import uuid
from typing import Any

import pytest

from plane.run import devgit
from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import cases, waiting

PUSHES = cases.named("bad_input")


def running(tenant: e2e.Tenant) -> e2e.App:
    """A healthy app."""
    app = tenant.app("web", tenant.repository(tenant.name, sources.web()))
    app.healthy()
    return app


def still_runs(app: e2e.App) -> bool:
    """Whether what was good is there, unharmed."""
    path = f"/apis/apps/v1/namespaces/{app.namespace}/deployments/web"
    return sources.greeting(app.tenant, app.namespace) == "hello" and bool(sources.live(app.tenant, path))


def source(app: e2e.App, **change: str) -> None:
    """Give the app another source."""
    spec = app.call("GET").json()["spec"]
    app.tenant.put("App", "apps", app.name, spec=spec | {"source": spec["source"] | change})


@pytest.fixture(scope="module")
def pushed(install: e2e.Install) -> dict[str, e2e.App]:
    """By case: an app that was healthy before the bad push. All side by side, so that they are waited for once."""
    tenant = install.tenant()
    found: dict[str, e2e.App] = {}
    for number, (name, _) in enumerate(PUSHES):
        url = tenant.repository(f"{tenant.name}-{number}", sources.web())
        found[name] = tenant.app(f"app-{number}", url, source={"repoURL": url, "path": "web", "targetRevision": "main"})
    for app in found.values():
        app.healthy()
    for number, (name, case) in enumerate(PUSHES):
        files = {path: text.encode() if text else None for path, text in case["files"].items()}
        install.git.commit(f"{tenant.name}-{number}", files, "Bad")
        found[name].refresh()
    return found


@pytest.mark.parametrize(("name", "case"), PUSHES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_bad_push_is_told_and_what_runs_keeps_running(pushed: dict[str, e2e.App], name: str, case: dict[str, Any]) -> None:
    assert pushed[name].says(case["status"], *case["words"])["since"]
    assert still_runs(pushed[name])


def test_a_bad_push_is_forgotten_once_a_good_one_follows(tenant: e2e.Tenant) -> None:
    app = running(tenant)
    tenant.install.git.commit(tenant.name, {"web/extra.yaml": b"kind: ["}, "Bad")
    app.refresh()
    app.says("source-failed", "web/extra.yaml")
    tenant.install.git.commit(tenant.name, sources.web("mended") | {"web/extra.yaml": None}, "Good")
    app.refresh()
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "mended", lambda: str(app.explain()))


def test_every_object_that_failed_has_its_own_message(tenant: e2e.Tenant) -> None:
    app = running(tenant)
    bad = {
        f"web/{name}.yaml": f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 0}}]}}\n".encode()
        for name in ("one", "two")
    }
    tenant.install.git.commit(tenant.name, bad, "Bad")
    app.refresh()
    app.says("attempt-failed")
    task = max(app.call("GET", "tasks").json()["items"], key=lambda one: one["generation"])
    results = app.call("GET", f"tasks/{task['id']}").json()["results"]
    failed = {one["name"]: one["message"] for one in results if one["result"] == "SyncFailed"}
    assert failed.keys() == {"one", "two"}
    assert all("spec.ports[0].port" in message for message in failed.values())


def test_an_unknown_revision_is_told(tenant: e2e.Tenant) -> None:
    app = running(tenant)
    source(app, targetRevision="nowhere")
    assert app.says("source-failed", "targetRevision 'nowhere' is unknown")["since"]
    assert still_runs(app)


def test_a_deleted_branch_prunes_nothing(tenant: e2e.Tenant) -> None:
    app = running(tenant)
    tenant.install.git.commit(tenant.name, {}, "Branch", branch="release")
    source(app, targetRevision="release")
    app.refresh()
    waiting.until(lambda: tenant.call("GET", f"repositories/{tenant.name}").json()["status"]["refs"] == 3, lambda: "HEAD and two branches")
    app.healthy()
    tenant.install.git.delete_branch(tenant.name, "release")
    app.refresh()
    assert app.says("source-failed", "targetRevision 'release' is unknown")["since"]
    assert still_runs(app)


def test_an_unknown_path_is_told(tenant: e2e.Tenant) -> None:
    app = running(tenant)
    source(app, path="nowhere")
    assert app.says("source-failed", "source.path 'nowhere' does not exist")["since"]
    assert still_runs(app)


@pytest.mark.parametrize("path", ["../web", "/etc", "web/../../x"])
def test_a_path_outside_the_repository_is_refused_at_once(tenant: e2e.Tenant, path: str) -> None:
    spec = {"source": {"repoURL": "https://git.example/a.git", "path": path}, "destination": {"cluster": "east"}}
    body = {"apiVersion": "gitops-plane.io/v1", "kind": "App", "metadata": {"name": "web"}, "spec": spec}
    answer = tenant.call("PUT", "apps/web", json=body)
    assert answer.status_code == 400
    assert answer.json()["problems"] == {"spec.source.path": "must be a folder inside the repository: relative, without `..`"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (devgit.Redirect("https://elsewhere.example"), "redirects are never followed"),
        (devgit.Status(401), "the credentials are missing, wrong or lack access"),
        (devgit.Status(404), "there is no such repository"),
        (devgit.Status(503), "cannot be reached"),
    ],
    ids=["redirect", "unauthorised", "absent", "down"],
)
def test_a_git_host_that_does_not_serve_is_told_and_heals_by_itself(tenant: e2e.Tenant, fault: devgit.Fault, words: str) -> None:
    app = running(tenant)
    git = tenant.install.git
    git.commit(tenant.name, sources.web("later"), "Later")
    git.faults[tenant.name] = fault
    app.refresh()
    assert app.says("source-failed", git.url_of(tenant.name), words)["since"]
    assert still_runs(app)
    del git.faults[tenant.name]
    app.refresh()
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "later", lambda: str(app.explain()))


def test_a_git_host_that_nobody_serves_is_told(tenant: e2e.Tenant) -> None:
    url = "https://127.0.0.1:9/web.git"
    tenant.put("Repository", "repositories", "web", spec={"url": url})
    assert tenant.app("web", url).says("source-failed", url, "cannot be reached")["since"]


def test_a_wrong_password_is_told_without_it_and_the_right_one_mends_it(tenant: e2e.Tenant, tmp_path: pathlib.Path) -> None:
    with devgit.start(tmp_path, login=devgit.Login("ada", "right-hunter2")) as git:
        url = git.create("web", sources.web())
        password = {"kind": "git-password", "username": "ada"}
        tenant.put("Credential", "credentials", "git", spec=password, data={"password": "wrong-hunter2"})
        tenant.put("Repository", "repositories", "web", spec={"url": url, "caPem": git.ca_file.read_text(), "credential": "git"})
        app = tenant.app("web", url)
        told = app.says("source-failed", "the credentials are missing, wrong or lack access")
        assert "hunter2" not in str(told)
        tenant.put("Credential", "credentials", "git", spec=password, data={"password": "right-hunter2"})
        app.healthy()


def test_a_repository_that_nobody_registered_is_told(tenant: e2e.Tenant) -> None:
    app = tenant.app("web", "https://git.example/acme/web.git")
    assert app.says("source-failed", "is not registered in project main", "plane repo create")["since"]


def test_a_namespace_that_is_not_there_is_told_and_its_coming_mends_it(tenant: e2e.Tenant) -> None:
    automated = {"automated": {"prune": True, "selfHeal": True}}
    app = tenant.app("web", tenant.repository(tenant.name, sources.web()), syncPolicy=automated)
    assert app.says("attempt-failed", app.namespace, "not found")["since"]
    tenant.app("web", tenant.install.git.url_of(tenant.name), syncPolicy=automated | {"syncOptions": ["CreateNamespace=true"]})
    assert app.call("POST", "sync", json={}).is_success
    app.healthy()


def test_a_cluster_that_does_not_exist_is_told(tenant: e2e.Tenant) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web()), destination={"cluster": "nowhere", "namespace": "x"})
    assert app.says("cluster-unknown", "cluster nowhere does not exist or is not granted to this tenant")["since"]


def test_a_cluster_that_never_joined_is_told_since_when(tenant: e2e.Tenant) -> None:
    app = on_empty_cluster(tenant)
    assert app.says("cluster-never-joined", "no agent has ever joined", "plane cluster join")["since"]


def on_empty_cluster(tenant: e2e.Tenant) -> e2e.App:
    """An app on a cluster of its own that has no agent."""
    name = f"c{uuid.uuid4().hex[:8]}"
    admin = e2e.Tenant("", tenant.install.made.token_file.read_text(), tenant.install)
    admin.put("Cluster", "/api/v1/clusters", name, spec={"grants": [{"tenant": tenant.name, "namespaces": [f"{tenant.name}-*"]}]})
    place = {"cluster": name, "namespace": f"{tenant.name}-web"}
    return tenant.app("web", tenant.repository(tenant.name, sources.web()), destination=place)


def test_since_when_stays_while_the_reason_stays(tenant: e2e.Tenant) -> None:
    app = on_empty_cluster(tenant)
    before = app.says("cluster-never-joined")["since"]
    tenant.install.git.commit(tenant.name, sources.web("looked"), "Look again")
    app.refresh()
    revision = app.status().get("revision")
    waiting.until(lambda: app.status().get("revision") != revision, lambda: str(app.status()))
    assert app.explain()["since"] == before


def test_an_empty_render_never_prunes(tenant: e2e.Tenant) -> None:
    app = running(tenant)
    tenant.install.git.commit(tenant.name, {"web/config.yaml": None, "web/deployment.yaml": None, "web/README.md": b"empty"}, "Empty")
    app.refresh()
    assert app.says("empty-render", "renders to no objects at all", "allowEmpty")["since"]
    assert still_runs(app)


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("POST", "/api/v1/tenants/{tenant}/projects/main/apps", 409, "exists already"),
        ("DELETE", "/api/v1/tenants/{tenant}/projects/main", 409, "apps"),
        ("DELETE", "/api/v1/clusters/east", 409, "still runs"),
    ],
    ids=["app exists", "project with apps", "cluster with apps"],
)
def test_what_is_in_use_is_said_to_be(tenant: e2e.Tenant, method: str, path: str, status: int, words: str) -> None:
    tenant.app("web", "https://git.example/web.git")
    admin = e2e.Tenant("", tenant.install.made.token_file.read_text(), tenant.install)
    document = tenant.call("GET", "apps/web").json()
    body = {name: document[name] for name in ("apiVersion", "kind", "spec")} | {"metadata": {"name": "web"}}
    answer = admin.call(method, path.format(tenant=tenant.name), **({"json": body} if method == "POST" else {}))
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text


def test_a_body_of_a_hundred_megabytes_is_refused(tenant: e2e.Tenant) -> None:
    answer = tenant.call("PUT", "apps/web", json={"metadata": {"name": "x" * 100_000_000}})
    assert answer.status_code == 413
