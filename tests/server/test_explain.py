"""What `explain` says of an app, and since when."""

import datetime as dt

import msgspec

from plane.domain.deciding import decide, explanation
from plane.run.devgit import DevGit
from plane.server.asking import explain
from plane.server.attending import intake
from plane.server.keeping import apps as server
from plane.store import documents, engine
from plane.store.delivering import facts
from plane.store.showing import apps, views
from plane.wire import agent
from tests.support import planes

BY_HAND: dict[str, object] = {"syncPolicy": {}}


def files(greeting: str) -> dict[str, bytes]:
    return planes.files("web", config=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{greeting: {greeting}}}\n")


def told(fleet: planes.Fleet) -> explanation.Explanation:
    return explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web")


def later(fleet: planes.Fleet) -> None:
    """An hour passes, and the repository is due."""
    assert isinstance(fleet.plane.clock, planes.MovableClock)
    fleet.plane.clock.ahead += dt.timedelta(hours=1)
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE repositories SET poll_at = now()")


def test_since_when_stays_while_the_reason_stays(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("stays", files("hello"))
    fleet.app("web", fleet.repository(devgit, "stays"), url, **BY_HAND)
    fleet.work()
    before = told(fleet)
    assert before.status == "manual-sync"
    revision = devgit.commit("stays", files("newer"), "Newer")
    later(fleet)
    fleet.work()
    now = told(fleet)
    assert (now.status, now.facts["commit"]) == ("manual-sync", revision)
    assert now.since == before.since


def test_a_document_tells_the_same_reason_and_time(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("document", files("hello"))
    fleet.app("web", fleet.repository(devgit, "document"), url, **BY_HAND)
    fleet.work()
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        row = documents.find(tx, views.APPS, {"tenant_id": fleet.tenant, "project_id": fleet.project}, "web")
    assert row is not None
    decision = server.status(row, "shop").decision
    assert decision is not None
    assert (decision.code, decision.since) == (told(fleet).status, told(fleet).since)
    assert decision.since


def test_since_when_moves_with_the_reason(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("moves", files("hello"))
    fleet.app("web", fleet.repository(devgit, "moves"), url, **BY_HAND)
    fleet.work()
    later(fleet)
    moved = fleet.plane.clock.now()
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE agents SET revoked_at = now()")
        tx.exec_driver_sql("UPDATE apps SET due_at = now()")
    fleet.work()
    assert told(fleet).status == "cluster-revoked"
    assert told(fleet).since >= facts.stamp(moved)


def stop(fleet: planes.Fleet, app: str) -> None:
    """As ada asks for it, while the agent is at work."""
    attempt = msgspec.convert(fleet.row("SELECT attempt FROM app_states").attempt, decide.Attempt)
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        apps.stop(tx, fleet.tenant, app, attempt=attempt, message="stopped by ada", now=fleet.plane.clock.now())


def test_a_sync_that_was_stopped_says_by_whom_and_a_commit_brings_it_back(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("stopped", files("hello"))
    app = fleet.app("web", fleet.repository(devgit, "stopped"), url)
    fleet.work()
    fleet.claim()
    stop(fleet, app)
    assert fleet.work() == 0
    assert (told(fleet).status, bool(told(fleet).since)) == ("terminated", True)
    assert "stopped by ada. Begin it again with `plane app sync`" in told(fleet).sentence
    devgit.commit("stopped", files("newer"), "Newer")
    later(fleet)
    assert fleet.work() == 1


def test_a_removal_that_was_stopped_goes_on_when_the_app_is_deleted_again(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("leaving", files("hello"))
    app = fleet.app("web", fleet.repository(devgit, "leaving"), url)
    fleet.work()
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        apps.ask(tx, fleet.tenant, app, {"deleted_at": fleet.plane.clock.now()}, fleet.plane.clock.now())
    assert fleet.work() == 1
    stop(fleet, app)
    assert fleet.work() == 0
    assert "removal of the app's objects was stopped by ada" in told(fleet).sentence
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        apps.resume(tx, fleet.tenant, app)
        apps.ask(tx, fleet.tenant, app, {}, fleet.plane.clock.now())
    assert fleet.work() == 1


def test_what_an_app_and_its_objects_say_without_effect_is_said(fleet: planes.Fleet, devgit: DevGit) -> None:
    marked = "metadata: {name: web, annotations: {argocd.argoproj.io/sync-options: Prun=false}}"
    url = devgit.create("warned", planes.files("web", config=f"apiVersion: v1\nkind: ConfigMap\n{marked}\ndata: {{greeting: hello}}\n"))
    policy = {"syncOptions": ["Validat=false"], "managedNamespaceMetadata": {"labels": {"team": "shop"}}}
    fleet.app("web", fleet.repository(devgit, "warned"), url, syncPolicy=policy)
    fleet.work()
    assert told(fleet).warnings == (
        "spec.syncPolicy.syncOptions: Validat is no option that the plane knows; did you mean Validate?",
        "spec.syncPolicy.managedNamespaceMetadata: has no effect without CreateNamespace=true; add it to spec.syncPolicy.syncOptions",
        "argocd.argoproj.io/sync-options of ConfigMap shop/web: Prun is no option that the plane knows; did you mean Prune?",
    )
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        row = documents.find(tx, views.APPS, {"tenant_id": fleet.tenant, "project_id": fleet.project}, "web")
    assert row is not None
    assert server.status(row, "shop").warnings == told(fleet).warnings[:2]


def test_a_fight_over_an_object_is_said_first(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("fight", files("hello"))
    fleet.app("web", fleet.repository(devgit, "fight"), url)
    fleet.work()
    [(task, _)] = fleet.claim()
    state = agent.ObjectState(key=agent.Key("", "ConfigMap", "shop", "web"), sync="OutOfSync", fight="gitops-plane and rival …")
    line = agent.AppState(
        app_id=task.app_id, generation=task.generation, release="", sync="OutOfSync", health="Healthy", objects=(state,), full=True
    )
    intake.state(fleet.plane, fleet.identity, agent.State(apps=(line,)))
    assert told(fleet).warnings[:1] == ("gitops-plane and rival …",)
