"""Processes die in the middle of work: everything arrives, and nothing twice."""

import pytest

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults

APPS = 20
LEASE_S = 120.0  # store.leases.LEASE_S: what a dead worker held comes back after it


def many(tenant: e2e.Tenant) -> list[e2e.App]:
    """Apps on their way; nobody has waited for any of them."""
    files = {
        f"app-{n}/{name}.yaml": text
        for n in range(APPS)
        for name, text in (("config", sources.config()), ("deployment", sources.deployment()))
    }
    url = tenant.repository(tenant.name, files)
    return [tenant.app(f"app-{n}", url) for n in range(APPS)]


def under_way(tenant: e2e.Tenant, app: str, state: str) -> bool:
    """Whether a task of the app is in this state."""
    return any(one["state"] == state for one in tenant.call("GET", f"apps/{app}/tasks").json()["items"])


def arrived_once(apps: list[e2e.App]) -> None:
    """Every app healthy, by one generation, with one line of history and one outcome in the log."""
    for app in apps:
        app.healthy()
        e2e.until(lambda: app.call("GET", "history").json()["items"], lambda: str(app.explain()))  # noqa: B023 - called at once
    histories = {app.name: [line["number"] for line in app.call("GET", "history").json()["items"]] for app in apps}
    assert histories == {app.name: [1] for app in apps}
    assert {app.status()["generation"] for app in apps} == {1}
    for app in apps:
        assert sources.greeting(app.tenant, app.namespace) == "hello"


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_deliveries_loses_and_doubles_nothing(
    install: e2e.Install, tenant: e2e.Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps = many(tenant)
    faults.restarted(install, "worker")
    monkeypatch.setattr(e2e, "PATIENCE_S", LEASE_S + e2e.PATIENCE_S)
    arrived_once(apps)


@pytest.mark.slow
def test_an_agent_killed_in_the_middle_of_a_sync_loses_and_doubles_nothing(install: e2e.Install, tenant: e2e.Tenant) -> None:
    apps = many(tenant)
    e2e.until(lambda: any(under_way(tenant, app.name, "leased") for app in apps))
    faults.restarted(install, "agent-east")
    arrived_once(apps)


def test_a_server_killed_while_agents_report_loses_and_doubles_nothing(install: e2e.Install, tenant: e2e.Tenant) -> None:
    apps = many(tenant)
    faults.restarted(install, "server")
    e2e.until(lambda: faults.answers(install))
    arrived_once(apps)
