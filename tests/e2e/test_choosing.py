"""Syncs of chosen objects, plans, and deletions that want consent, with a real agent in a real cluster."""

from typing import Any

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import waiting

BY_HAND = {"syncOptions": ["CreateNamespace=true", "PrunePropagationPolicy=background"]}
CHOSEN = {"resources": [":ConfigMap:*"]}


def steps(plan: dict[str, Any]) -> set[tuple[str, str, str]]:
    """What it says, object by object."""
    found = [step for phase in plan["phases"] for wave in phase["waves"] for step in wave["steps"]]
    return {(step["action"], step["kind"], step.get("reason", "")) for step in found}


def test_chosen_objects_are_synced_and_the_rest_waits(tenant: e2e.Tenant) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web()), syncPolicy=BY_HAND)
    app.waits("manual-sync")
    plan = app.call("GET", "plan").json()
    wanted = {("apply", "Namespace", "CreateNamespace=true"), ("apply", "ConfigMap", ""), ("apply", "Deployment", "")}
    assert (steps(plan), plan["release"]) == (wanted, app.status()["release"])
    assert app.call("POST", "sync", json=CHOSEN).status_code == 202
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "hello", lambda: str(app.explain()))
    app.waits("manual-sync")
    assert tenant.install.kubes["east"].get(f"/apis/apps/v1/namespaces/{app.namespace}/deployments").json()["items"] == []
    assert app.call("GET", "history").json()["items"] == []
    assert app.call("POST", "sync", json={}).status_code == 202
    app.healthy()
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 1)


def test_an_app_that_wants_consent_goes_when_a_person_agrees(tenant: e2e.Tenant) -> None:
    policy = {"automated": {}, "syncOptions": [*BY_HAND["syncOptions"], "Delete=confirm"]}
    app = tenant.app("web", tenant.repository(tenant.name, sources.web()), syncPolicy=policy)
    app.healthy()
    assert app.call("DELETE").status_code == 202
    assert "nothing is deleted yet" in app.waits("needs-approval")
    assert sources.greeting(tenant, app.namespace) == "hello"
    assert app.call("POST", "approve", json={}).status_code == 202
    waiting.until(lambda: app.call("GET").status_code == 404)
    waiting.until(lambda: not sources.greeting(tenant, app.namespace))
