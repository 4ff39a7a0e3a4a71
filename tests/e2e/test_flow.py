"""The flow from a push to a healthy cluster, every step the real one."""

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import waiting


def test_a_push_turns_healthy_and_a_second_push_follows(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, sources.web())
    app = tenant.app("web", url)
    app.healthy()
    assert sources.greeting(tenant, app.namespace) == "hello"
    sha = tenant.install.git.commit(tenant.name, sources.web(greeting="again"), "Say it again")
    app.refresh()
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "again", lambda: str(app.explain()))
    waiting.until(lambda: app.status().get("revision") == sha)
    history = [("automated", 2), ("automated", 1)]
    waiting.until(lambda: [(line["trigger"], line["number"]) for line in app.call("GET", "history").json()["items"]] == history)


def test_what_left_git_leaves_the_cluster(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, sources.web())
    app = tenant.app("web", url)
    app.healthy()
    tenant.install.git.commit(tenant.name, {"web/config.yaml": None}, "Drop the ConfigMap")
    app.refresh()
    waiting.until(lambda: not sources.greeting(tenant, app.namespace), lambda: str(app.explain()))
    app.healthy()


def test_drift_is_healed_and_recorded_with_who_did_it(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, sources.web())
    app = tenant.app("web", url)
    app.healthy()
    kube = tenant.install.kubes["east"]
    headers = {"Content-Type": "application/merge-patch+json"}
    path = f"/api/v1/namespaces/{app.namespace}/configmaps/web"
    kube.patch(path, params={"fieldManager": "somebody"}, headers=headers, content='{"data":{"greeting":"bye"}}').raise_for_status()
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "hello")
    waiting.until(lambda: any("somebody" in event["message"] for event in events(tenant, "app.drift.healed")))


def events(tenant: e2e.Tenant, kind: str) -> list[dict[str, str]]:
    """The tenant's audit events of a type."""
    answer = tenant.call("GET", f"/api/v1/tenants/{tenant.name}/audit", params={"limit": 500})
    return [event for event in (item.get("event", item) for item in answer.json()["items"]) if event["type"] == kind]


def test_a_manual_app_waits_shows_its_diff_and_syncs_when_asked(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, sources.web())
    app = tenant.app("web", url, syncPolicy={"syncOptions": ["CreateNamespace=true"]})
    assert "plane app sync" in app.waits("manual-sync")
    diff = app.call("GET", "diff").json()
    assert "items" in diff, diff
    assert {item["action"] for item in diff["items"]} == {"create"}
    assert app.call("POST", "sync", json={}).status_code == 202
    app.healthy()


def test_a_deleted_app_takes_its_objects_along(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, sources.web())
    app = tenant.app("web", url)
    app.healthy()
    assert app.call("DELETE").status_code == 202
    waiting.until(lambda: app.call("GET").status_code == 404)
    waiting.until(lambda: not sources.greeting(tenant, app.namespace))


def test_one_app_goes_to_each_cluster_through_its_own_agent(tenant: e2e.Tenant) -> None:
    url = tenant.repository(tenant.name, sources.web())
    app = tenant.app("web", url, destination={"cluster": "west", "namespace": f"{tenant.name}-web"})
    app.healthy()
    assert sources.greeting(tenant, app.namespace) == ""
    assert tenant.install.kubes["west"].get(f"/api/v1/namespaces/{app.namespace}/configmaps/web").is_success


def test_mass_deletion_waits_for_a_person_and_goes_on_when_approved(tenant: e2e.Tenant) -> None:
    many = {f"web/config-{n}.yaml": sources.config(name=f"web-{n}") for n in range(12)}
    url = tenant.repository(tenant.name, sources.web() | many)
    app = tenant.app("web", url)
    app.healthy()
    tenant.install.git.commit(tenant.name, dict.fromkeys(many), "Drop a dozen")
    app.refresh()
    assert "plane app approve" in app.waits("needs-approval")
    assert app.call("POST", "approve", json={}).is_success
    waiting.until(
        lambda: len(tenant.install.kubes["east"].get(f"/api/v1/namespaces/{app.namespace}/configmaps").json()["items"]) < len(many)
    )
