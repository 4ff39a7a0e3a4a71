"""What a tenant says of health reaches its clusters, and its change is remembered."""

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import waiting

SCRIPT = (
    'hs = {}\nhs.status = obj.data.greeting == "hello" and "Degraded" or "Healthy"\nhs.message = "says " .. obj.data.greeting\nreturn hs\n'
)


def test_a_health_check_judges_in_the_cluster_until_it_is_taken_back(tenant: e2e.Tenant) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    checks = f"/api/v1/tenants/{tenant.name}/healthchecks"
    tenant.put("HealthCheck", checks, "maps", spec={"kind": "ConfigMap", "lua": SCRIPT})
    waiting.until(lambda: app.status()["health"] == "Degraded", lambda: str(app.explain()))
    told = app.explain()
    assert (told["healthMessage"], bool(told["healthSince"])) == (f"ConfigMap {app.namespace}/web: says hello", True)
    changes = app.call("GET", "health", params={"kind": "ConfigMap"}).json()["items"]
    assert [(one["before"], one["after"], one["message"]) for one in changes[:1]] == [("Healthy", "Degraded", "says hello")]
    assert tenant.call("DELETE", f"{checks}/maps").is_success
    app.healthy()
