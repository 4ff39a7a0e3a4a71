"""Parts that are away: clusters are kept, callers are told, and what was missed is caught up with."""

import contextlib
import os
import pathlib
import signal
from collections.abc import Iterator

import sqlalchemy as sa

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults
from tests.support import waiting

MERGE = {"Content-Type": "application/merge-patch+json"}


def running(tenant: e2e.Tenant, greeting: str = "hello", *, poll_s: int = 300) -> e2e.App:
    """A healthy app."""
    app = tenant.app("web", tenant.repository(tenant.name, sources.web(greeting), poll_s=poll_s))
    app.healthy()
    return app


def events(tenant: e2e.Tenant, kind: str) -> list[dict[str, str]]:
    """The tenant's audit events of a type."""
    answer = tenant.call("GET", f"/api/v1/tenants/{tenant.name}/audit", params={"limit": 500})
    return [event for event in (item.get("event", item) for item in answer.json()["items"]) if event["type"] == kind]


def test_drift_is_healed_while_the_plane_is_away_and_told_afterwards(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = running(tenant)
    path = f"/api/v1/namespaces/{app.namespace}/configmaps/web"
    kube = install.kubes["east"]
    with faults.frozen(install, "server", "worker"):
        kube.patch(path, params={"fieldManager": "somebody"}, headers=MERGE, content='{"data":{"greeting":"bye"}}').raise_for_status()
        waiting.until(lambda: sources.greeting(tenant, app.namespace) == "hello")
    waiting.until(lambda: any("somebody" in event["message"] for event in events(tenant, "app.drift.healed")))


def test_a_restarted_agent_keeps_the_cluster_while_the_plane_is_away(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = running(tenant)
    with faults.frozen(install, "server", "worker"):
        faults.restarted(install, "agent-east")
        install.kubes["east"].delete(f"/api/v1/namespaces/{app.namespace}/configmaps/web").raise_for_status()
        waiting.until(lambda: sources.greeting(tenant, app.namespace) == "hello")
    app.healthy()


def test_an_agent_that_is_away_is_said_to_be_and_since_when(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = running(tenant)
    with faults.frozen(install, "agent-east"):
        tenant.install.git.commit(tenant.name, sources.web("later"), "Later")
        app.refresh()
        app.says("syncing")
        with faults.rows(install) as tx:
            tx.execute(sa.text("UPDATE agents SET last_seen_at = now() - interval '10 minutes'"))
        told = app.says("agent-away", "the agent of cluster east was last heard of at")
        assert told["since"] in told["sentence"]
        assert sources.greeting(tenant, app.namespace) == "hello"
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "later", lambda: str(app.explain()))


def test_an_older_generation_is_refused_by_the_cluster(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = running(tenant, "old")
    install.git.commit(tenant.name, sources.web("new"), "New")
    app.refresh()
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 2, lambda: str(app.explain()))
    first = min(app.call("GET", "tasks").json()["items"], key=lambda task: task["generation"])["id"]
    restored = "UPDATE tasks SET state = 'queued', outcome = '', leased_by = NULL, leased_until = NULL, finished_at = NULL WHERE id = :id"
    with faults.rows(install) as tx:
        tx.execute(sa.text(restored), {"id": first})
        tx.execute(sa.text("SELECT pg_notify('plane_tasks', cluster_id::text) FROM tasks WHERE id = :id"), {"id": first})
    waiting.until(
        lambda: app.call("GET", f"tasks/{first}").json()["outcome"] == "superseded", lambda: app.call("GET", f"tasks/{first}").text
    )
    assert "is not above 2, which this cluster has already seen" in app.call("GET", f"tasks/{first}").json()["message"]
    assert sources.greeting(tenant, app.namespace) == "new"
    assert len(app.call("GET", "history").json()["items"]) == 2


def test_a_restored_database_does_not_overrule_the_cluster_silently(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = running(tenant, "old")
    install.git.commit(tenant.name, sources.web("new"), "New")
    app.refresh()
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 2, lambda: str(app.explain()))
    with faults.rows(install) as tx:
        tx.execute(sa.text("UPDATE apps SET generation = 0 WHERE id = :app"), {"app": app.status()["id"]})
    install.git.commit(tenant.name, sources.web("newer"), "Newer")
    app.refresh()
    assert app.says("attempt-failed", "generation 1 is not above 2, which this cluster has already seen")["since"]
    assert sources.greeting(tenant, app.namespace) == "new"


def test_an_agent_refuses_a_task_that_reaches_beyond_its_own_scope(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = running(tenant, poll_s=10)
    own = {"app": app.status()["id"]}
    with faults.frozen(install, "server"):  # the worker finds the push by itself, and nobody hands the task out
        install.git.commit(tenant.name, sources.web("stolen"), "Beyond")
        waiting.until(lambda: misdirected(install, tenant, own))
    told = app.says("attempt-failed", "is outside what tenant")
    assert told["since"]
    assert sources.greeting(tenant, app.namespace) == "hello"


def misdirected(install: e2e.Install, tenant: e2e.Tenant, own: dict[str, str]) -> bool:
    """Once there is an open task: signed with another tenant's namespaces, as by a plane that had mixed up two."""
    with faults.rows(install) as tx:
        task = tx.execute(sa.text("SELECT id FROM tasks WHERE state <> 'done' AND app_id = :app"), own).first()
        if task:
            of = {"name": tenant.name, "other": [f"x{tenant.name[1:]}-*"]}
            theirs = "SELECT id FROM tenants WHERE name = :name"
            tx.execute(sa.text(f"UPDATE cluster_grants SET namespaces = :other WHERE tenant_id IN ({theirs})"), of)  # noqa: S608
    return task is not None


@contextlib.contextmanager
def no_database(install: e2e.Install) -> Iterator[None]:
    """Postgres hangs up on everybody and comes back: its postmaster refuses new sessions for the block."""
    with faults.rows(install) as tx:
        tx.execute(sa.text("ALTER ROLE plane NOLOGIN"))
        tx.execute(sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'plane'"))
    try:
        yield
    finally:
        with faults.rows(install) as tx:
            tx.execute(sa.text("ALTER ROLE plane LOGIN"))


def postmaster(install: e2e.Install) -> int:
    """Postgres' first process."""
    return int((install.made.folder / "postgres" / "postmaster.pid").read_text().split()[0])


def test_without_a_database_callers_are_told_when_to_come_back(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = running(tenant)
    with no_database(install):
        answer = app.call("GET")
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "database" in answer.json()["detail"]
    waiting.until(lambda: app.call("GET").is_success)
    install.git.commit(tenant.name, sources.web("after"), "After")
    assert app.call("POST", "refresh", json={}).is_success
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "after", lambda: str(app.explain()))


def test_a_database_that_crashes_and_recovers_loses_no_accepted_work(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = running(tenant)
    install.git.commit(tenant.name, sources.web("after"), "After")
    app.refresh()
    backend = next(pid for pid in children_of(postmaster(install)) if b"plane" in cmdline(pid))
    os.kill(backend, signal.SIGKILL)  # Postgres ends every session and replays its log when a backend dies so
    statuses: set[int] = set()

    def served() -> bool:
        statuses.add(app.call("GET").status_code)
        return sources.greeting(tenant, app.namespace) == "after"

    waiting.until(served, lambda: str(statuses), longest_look_s=waiting.LOOK_S)
    assert statuses <= {200, 503}
    app.healthy()


def children_of(parent: int) -> list[int]:
    """Their ids."""
    return [int(word) for word in pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def cmdline(pid: int) -> bytes:
    """How the process calls itself."""
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
