"""One live object changed by hand through plane and agent: the cluster shows it, the log holds it, and nobody else may."""

from typing import Any

import pytest
from click import testing

from plane import __main__ as program
from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import waiting

ANSWERED_OR_QUEUED = {0, 1}  # a slow agent answers after the command line has stopped waiting; what matters is what becomes of it
LEFT_ALONE = {"automated": {}, "syncOptions": ["CreateNamespace=true"]}
WEB = {"group": "apps", "kind": "Deployment", "name": "web"}


@pytest.fixture(scope="module")
def app(install: e2e.Install) -> e2e.App:
    """A healthy app that does not heal itself."""
    tenant = install.tenant()
    made = tenant.app("web", tenant.repository(tenant.name, sources.web()), syncPolicy=LEFT_ALONE)
    made.healthy()
    return made


def plane(app: e2e.App, *words: str) -> testing.Result:
    """A command of the tenant's admin."""
    made, tenant = app.tenant.install.made, app.tenant
    environment = {
        "PLANE_URL": made.url, "PLANE_CA": str(made.ca_file), "PLANE_TOKEN": tenant.token, "PLANE_TENANT": tenant.name,
        "PLANE_PROJECT": "main", "PLANE_CONFIG": str(made.folder / "no-contexts.yaml"), "COLUMNS": "200",
    }  # fmt: skip
    return testing.CliRunner().invoke(program.main, list(words), env=environment, prog_name="plane")


def order(app: e2e.App, *words: str) -> None:
    """A command that gets through, however slow the agent is: what it did not hear of is ordered again."""
    waiting.until(lambda: plane(app, "app", *words).exit_code in ANSWERED_OR_QUEUED, lambda: plane(app, "app", *words).output)


def deployment(app: e2e.App) -> dict[str, Any]:
    return dict(sources.live(app.tenant, f"/apis/apps/v1/namespaces/{app.namespace}/deployments/web"))


def pods(app: e2e.App) -> dict[str, str]:
    """Names by uid."""
    items: Any = sources.live(app.tenant, f"/api/v1/namespaces/{app.namespace}/pods").get("items", [])
    return {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in items}


def logged(app: e2e.App, kind: str) -> list[dict[str, Any]]:
    """The tenant's log of a type."""
    answer = app.tenant.call("GET", f"/api/v1/tenants/{app.tenant.name}/audit", params={"limit": 500})
    return [event for event in (item.get("event", item) for item in answer.json()["items"]) if event["type"] == kind]


def test_a_deployment_is_restarted_and_the_log_holds_order_and_outcome(app: e2e.App) -> None:
    waiting.until(lambda: "restart" in plane(app, "app", "actions", "list", "web", "deployment/web").output)
    order(app, "actions", "run", "web", "restart", "deployment/web")
    waiting.until(lambda: "kubectl.kubernetes.io/restartedAt" in str(deployment(app)["spec"]["template"]), lambda: str(app.explain()))
    waiting.until(lambda: bool(ordered(app)) and {event["correlation"] for event in logged(app, "object.action.finished")} == ordered(app))
    assert {event.get("outcome", "success") for event in logged(app, "object.action.finished")} == {"success"}
    assert {event["details"]["object"] for event in logged(app, "object.action.requested")} == {f"apps/Deployment {app.namespace}/web"}


def ordered(app: e2e.App) -> set[str]:
    """Tasks of the orders in the log."""
    return {event["correlation"] for event in logged(app, "object.action.requested")}


def test_a_scale_stays_until_a_sync_and_a_pod_that_is_deleted_comes_again(app: e2e.App) -> None:
    order(app, "actions", "run", "web", "scale", "apps/Deployment/web", "--param", "replicas=2", "-o", "json")
    waiting.until(lambda: len(pods(app)) >= 2 and deployment(app)["spec"]["replicas"] == 2)
    waiting.until(lambda: app.status()["sync"] == "OutOfSync")
    uid, name = next(iter(pods(app).items()))
    order(app, "delete-object", "web", f"Pod/{name}", "--force", "--yes")
    waiting.until(lambda: uid not in pods(app) and len(pods(app)) >= 2, lambda: str(pods(app)))
    waiting.until(lambda: [event["details"]["object"] for event in logged(app, "object.deleted")] == [f"Pod {app.namespace}/{name}"])


def test_nobody_is_asked_where_nobody_can_answer(app: e2e.App) -> None:
    waiting.until(lambda: "say --yes" in plane(app, "app", "delete-object", "web", "ConfigMap/web").output)
    assert sources.greeting(app.tenant, app.namespace) == "hello"


def test_a_viewer_and_another_tenant_may_not(app: e2e.App, tenant: e2e.Tenant) -> None:
    people = f"/api/v1/tenants/{app.tenant.name}/people"
    assert app.tenant.call("POST", people, json={"name": "eve"}).is_success
    assert app.tenant.call("POST", f"{people}/eve/roles", json={"role": "viewer"}).is_success
    token = app.tenant.call("POST", f"{people}/eve/tokens", json={"name": "test", "days": 1}).json()["token"]
    order = WEB | {"namespace": app.namespace, "action": "restart"}
    viewer = e2e.Tenant(app.tenant.name, token, app.tenant.install)
    assert viewer.call("POST", "apps/web/actions", json=order).status_code == 403
    assert tenant.call("POST", f"{app.tenant.place}/apps/web/actions", json=order).status_code == 404
