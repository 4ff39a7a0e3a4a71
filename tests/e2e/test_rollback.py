"""A rollback brings back what ran before, from the record alone."""

from plane.run import devgit
from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import waiting

MANUAL = {"syncOptions": ["CreateNamespace=true"]}


def releases(app: e2e.App) -> list[str]:
    """Ids of all releases ever made for it."""
    return [one["id"] for one in app.call("GET", "releases").json()["items"]]


def twice(tenant: e2e.Tenant) -> e2e.App:
    """An app synced by hand to `one`, then to `two`."""
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("one")), syncPolicy=MANUAL)
    app.says("manual-sync")
    assert app.call("POST", "sync", json={}).status_code == 202
    app.healthy()
    tenant.install.git.commit(tenant.name, sources.web("two"), "Two")
    app.refresh()
    app.says("manual-sync")
    assert app.call("POST", "sync", json={}).status_code == 202
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "two", lambda: str(app.explain()))
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 2)
    return app


def test_a_rollback_brings_the_older_objects_back_and_renders_nothing(tenant: e2e.Tenant) -> None:
    app = twice(tenant)
    before = releases(app)
    assert app.call("POST", "rollback", json={"number": 1}).status_code == 202
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "one", lambda: str(app.explain()))
    assert releases(app) == before
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 3)
    history = sorted(app.call("GET", "history").json()["items"], key=lambda entry: entry["number"])
    assert [entry["trigger"] for entry in history] == ["manual", "manual", "rollback"]
    assert history[2]["release"] == history[0]["release"]


def test_a_rollback_needs_no_repository(tenant: e2e.Tenant) -> None:
    app = twice(tenant)
    from_git = tenant.install.git.faults
    from_git[tenant.name] = devgit.Status(503)
    try:
        assert app.call("POST", "rollback", json={"number": 1}).status_code == 202
        waiting.until(lambda: sources.greeting(tenant, app.namespace) == "one", lambda: str(app.explain()))
    finally:
        del from_git[tenant.name]


def test_a_rollback_is_refused_while_automation_would_undo_it(tenant: e2e.Tenant) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web()))
    app.healthy()
    answer = app.call("POST", "rollback", json={"number": 1})
    assert answer.status_code == 409
    assert "switch syncPolicy.automated off" in answer.json()["detail"]


def test_a_history_number_that_never_was_is_not_found(tenant: e2e.Tenant) -> None:
    app = twice(tenant)
    assert app.call("POST", "rollback", json={"number": 9}).status_code == 404


def test_a_release_whose_pods_never_come_gives_way_by_itself(tenant: e2e.Tenant) -> None:
    policy = {"automated": {"prune": True, "selfHeal": True}, "rollback": {"onDegraded": "1s"}, **MANUAL}
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("one")), syncPolicy=policy)
    app.healthy()
    waiting.until(lambda: any(entry["healthyAt"] for entry in app.call("GET", "history").json()["items"]))
    nowhere = sources.deployment().replace(b"    spec:\n", b"    spec:\n      nodeSelector: {example/nowhere: 'yes'}\n")
    broken = nowhere.replace(b"  replicas:", b"  progressDeadlineSeconds: 2\n  replicas:")
    tenant.install.git.commit(tenant.name, sources.web("two") | {"web/deployment.yaml": broken}, "Two")
    app.refresh()
    told = app.says("rolled-back", "was rolled back to entry 1 of the history", "Deployment", "push a fix")
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "one", lambda: str(app.explain()))
    app.healthy()
    waiting.until(lambda: len(app.call("GET", "history").json()["items"]) == 3)
    entries = sorted(app.call("GET", "history").json()["items"], key=lambda entry: entry["number"])
    assert [(entry["trigger"], entry["actor"]) for entry in entries] == [
        ("automated", "plane"),
        ("automated", "plane"),
        ("rollback", "plane"),
    ]
    assert told["facts"]["commit"] == app.status()["revision"]
