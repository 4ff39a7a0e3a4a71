"""Processes die in the middle of work: everything arrives, and nothing twice."""

import contextlib
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults
from tests.support import waiting

APPS = 12
CHART = {
    "web/Chart.yaml": b"apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "web/templates/endless.yaml": b"{{ range until 10000 }}{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}{{ end }}",
}


def many(tenant: e2e.Tenant) -> list[e2e.App]:
    """Apps on their way; nobody has waited for any of them."""
    files = {
        f"app-{n}/{name}.yaml": text
        for n in range(APPS)
        for name, text in (("config", sources.config()), ("deployment", sources.deployment()))
    }
    url = tenant.repository(tenant.name, files)
    return [tenant.app(f"app-{n}", url) for n in range(APPS)]


def under_way(install: e2e.Install, tenant: e2e.Tenant) -> bool:
    """Whether the agent has a task of the tenant."""
    query = "SELECT EXISTS (SELECT FROM tasks JOIN tenants ON tenants.id = tenant_id WHERE name = :name AND tasks.state = 'leased')"
    with faults.rows(install) as tx:
        return bool(tx.execute(sa.text(query), {"name": tenant.name}).scalar_one())


def arrived_once(apps: list[e2e.App]) -> None:
    """Every app healthy, by one generation, with one line of history and one outcome in the log."""
    for app in apps:
        app.healthy()
        waiting.until(lambda: app.call("GET", "history").json()["items"], lambda: str(app.explain()))  # noqa: B023 - called at once
    histories = {app.name: [line["number"] for line in app.call("GET", "history").json()["items"]] for app in apps}
    assert histories == {app.name: [1] for app in apps}
    assert {app.status()["generation"] for app in apps} == {1}
    for app in apps:
        assert sources.greeting(app.tenant, app.namespace) == "hello"


def lease(install: e2e.Install, app: str) -> tuple[str, float]:
    """Who has the app of an id to work on, and for how many seconds more."""
    with faults.rows(install) as tx:
        query = "SELECT coalesce(lease::text, ''), coalesce(extract(epoch FROM leased_until - now()), 0) FROM apps WHERE id = :app"
        held, left_s = tx.execute(sa.text(query), {"app": app}).one()
    return held, float(left_s)


def test_what_a_worker_held_when_it_was_killed_comes_back_within_ten_seconds(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, CHART))
    own = app.status()["id"]
    waiting.until(lambda: lease(install, own)[0] != "")
    held, _ = lease(install, own)
    faults.restarted(install, "worker")
    assert lease(install, own)[1] <= 10
    waiting.until(lambda: lease(install, own)[0] not in {held, ""}, lambda: str(lease(install, own)))
    mended = dict.fromkeys(CHART) | sources.web("mended")
    install.git.commit(tenant.name, mended, "Mend")
    faults.restarted(install, "worker")  # the one that renders without end
    app.refresh()
    app.healthy()


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_deliveries_loses_and_doubles_nothing(install: e2e.Install, tenant: e2e.Tenant) -> None:
    apps = many(tenant)
    faults.restarted(install, "worker")
    arrived_once(apps)


@pytest.mark.slow
def test_an_agent_killed_in_the_middle_of_a_sync_loses_and_doubles_nothing(install: e2e.Install, tenant: e2e.Tenant) -> None:
    apps = many(tenant)
    waiting.until(lambda: under_way(install, tenant), longest_look_s=waiting.LOOK_S)
    faults.restarted(install, "agent-east")
    arrived_once(apps)


def test_a_server_killed_while_agents_report_loses_and_doubles_nothing(install: e2e.Install, tenant: e2e.Tenant) -> None:
    apps = many(tenant)
    faults.restarted(install, "server")
    waiting.until(lambda: faults.answers(install))
    arrived_once(apps)


@contextlib.contextmanager
def held(install: e2e.Install, table: str) -> Iterator[Callable[[], bool]]:
    """Nobody can write to a table for the block; tells whether somebody waits to."""
    with faults.rows(install) as tx, faults.rows(install) as looking:
        tx.execute(sa.text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        waits = sa.text("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = CAST(:of AS regclass)")
        yield lambda: bool(looking.execute(waits, {"of": table}).scalar_one())


def outcomes(tenant: e2e.Tenant) -> int:
    """How many ends of syncs the audit log knows."""
    answer = tenant.call("GET", f"/api/v1/tenants/{tenant.name}/audit", params={"limit": 500})
    found = [item.get("event", item) for item in answer.json()["items"]]
    return sum(event["type"] == "app.sync.completed" for event in found)


@pytest.mark.parametrize(
    ("process", "table"),
    [("worker", "tasks"), ("server", "history")],
    ids=["before-its-task-is-kept", "before-its-report-is-kept"],
)
def test_a_push_whose_process_is_killed_in_mid_transaction_arrives_once(
    install: e2e.Install, tenant: e2e.Tenant, process: str, table: str
) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    waiting.until(lambda: outcomes(tenant) == 1)
    with held(install, table) as somebody_waits:
        install.git.commit(tenant.name, sources.web("later"), "Later")
        app.refresh()
        waiting.until(somebody_waits)
        faults.restarted(install, process)
    waiting.until(lambda: faults.answers(install))
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "later", lambda: str(app.explain()))
    app.healthy()
    waiting.until(lambda: outcomes(tenant) == 2, lambda: str(app.explain()))
    assert sorted(line["number"] for line in app.call("GET", "history").json()["items"]) == [1, 2]
    assert app.status()["generation"] == 2
