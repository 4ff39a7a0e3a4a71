"""From a push to a signed task, on a real database, Git host, sandbox and OPA."""

import datetime as dt

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain.deciding import decide
from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.store.delivering import facts
from plane.wire import agent, bundle
from tests.support import planes, recorded

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {greeting: hello}
"""
SECRET = """apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: canary-of-delivery}
"""


def final(task: agent.Task, outcome: agent.Outcome = "succeeded", message: str = "") -> agent.Events:
    return agent.Events(
        finals=(
            agent.Final(
                task=task.id, app_id=task.app_id, generation=task.generation, outcome=outcome, started=1.0, finished=2.0, message=message
            ),
        )
    )


def decision(fleet: planes.Fleet) -> dict[str, str]:
    return dict(fleet.row("SELECT decision FROM app_states").decision)


def test_a_push_becomes_a_signed_task_with_its_release(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("push", planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, "push"), url)
    assert fleet.work() == 1
    [(task, release)] = fleet.claim()
    assert (task.kind, task.generation, task.tenant, task.app, task.options.prune) == ("apply", 1, "acme", "web", True)
    assert release is not None
    [document] = bundle.unpack(task.release, release.body)
    meta = msgspec.json.decode(document)["metadata"]
    assert meta == {
        "name": "web",
        "namespace": "shop",
        "labels": {"gitops-plane.io/app": task.app_id},
        "annotations": {"gitops-plane.io/owner": "acme/shop/web"},
    }


def test_a_report_moves_task_state_history_and_audit_together(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("report", planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, "report"), url)
    fleet.work()
    [(task, _)] = fleet.claim()
    assert intake.events(fleet.plane, fleet.identity, final(task)).stale == ()
    assert fleet.row("SELECT state, outcome FROM tasks") == ("done", "succeeded")
    assert fleet.row("SELECT number, digest FROM history") == (1, task.release)
    assert decision(fleet)["type"] == "nothing"
    types = fleet.row("SELECT array_agg(type ORDER BY xid) AS types FROM audit_events").types
    assert types == ["app.sync.started", "app.sync.completed"]


def test_a_push_that_touches_another_app_delivers_nothing(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("two", planes.files("web", config=CONFIG) | planes.files("api", config=CONFIG.replace("web", "api")))
    repository = fleet.repository(devgit, "two")
    fleet.app("web", repository, url)
    fleet.app("api", repository, url)
    assert fleet.work() == 2
    looked = fleet.row("SELECT refs_at FROM repositories").refs_at
    devgit.commit("two", planes.files("web", config=CONFIG.replace("hello", "goodbye")), "Change web")
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE repositories SET poll_at = now()")
    assert fleet.work() == 1
    assert fleet.row("SELECT count(*) AS n FROM releases JOIN apps ON apps.id = app_id WHERE apps.name = 'api'").n == 1
    [moved] = recorded.events(fleet.owner, "repository.moved")  # none by the first look, which found no push
    newest = fleet.row("SELECT commit FROM releases ORDER BY created_at DESC LIMIT 1").commit
    assert (moved.commit, moved.details["looked_at"], moved.project) == (newest, facts.stamp(looked), fleet.names["project"])
    assert (moved.details["revisions"], moved.details["before"] == newest) == (["main"], False)


def test_a_secret_leaves_as_ciphertext_and_fingerprint_only(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("secret", planes.files("web", secret=SECRET))
    fleet.app("web", fleet.repository(devgit, "secret"), url)
    fleet.work()
    [(task, release)] = fleet.claim()
    assert release is not None
    assert len(release.sealed) == 1
    assert task.sealed_digest == bundle.sealed_digest(release.sealed)
    [document] = bundle.unpack(task.release, release.body)
    assert b"canary" not in document
    assert msgspec.json.decode(document)["data"]["password"].startswith("hmac-sha256:")


def test_an_object_outside_the_grant_is_refused_before_dispatch(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("foreign", planes.files("web", config=CONFIG.replace("name: web", "name: web, namespace: kube-system")))
    fleet.app("web", fleet.repository(devgit, "foreign"), url)
    assert fleet.work() == 0
    assert decision(fleet)["code"] == "source-failed"
    assert "web/config.yaml:1" in str(fleet.row("SELECT problem FROM app_states").problem) or "kube-system" in decision(fleet)["sentence"]


def test_a_broken_push_keeps_the_last_good_release(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("broken", planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, "broken"), url)
    fleet.work()
    before = fleet.row("SELECT digest FROM app_states").digest
    devgit.commit("broken", planes.files("web", config="apiVersion: v1\nkind: [\n"), "Break it")
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE repositories SET poll_at = now()")
    assert fleet.work() == 0
    assert fleet.row("SELECT digest FROM app_states").digest == before
    assert "web/config.yaml:" in decision(fleet)["sentence"]


def test_a_task_the_agent_lost_is_given_again_and_one_that_runs_is_not(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("lost", planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, "lost"), url)
    fleet.work()
    [(task, _)] = fleet.claim()
    assert fleet.claim(running=(task.id,)) == []
    assert [again.id for again, _ in fleet.claim()] == [task.id]


def test_the_report_on_a_superseded_task_is_stale(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("stale", planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, "stale"), url)
    fleet.work()
    [(older, _)] = fleet.claim()
    devgit.commit("stale", planes.files("web", config=CONFIG.replace("hello", "newer")), "Newer")
    with fleet.owner.begin() as tx:
        tx.exec_driver_sql("UPDATE repositories SET poll_at = now()")
    fleet.work()
    assert intake.events(fleet.plane, fleet.identity, final(older)).stale == (older.id,)
    [(newer, _)] = fleet.claim()
    assert newer.generation == older.generation + 1


def test_a_failed_attempt_waits_for_a_person_or_a_push(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("failed", planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, "failed"), url)
    fleet.work()
    [(task, _)] = fleet.claim()
    intake.events(fleet.plane, fleet.identity, final(task, "failed", "ConfigMap shop/web: field is immutable"))
    assert decision(fleet)["code"] == "attempt-failed"
    assert "field is immutable" in decision(fleet)["sentence"]
    assert fleet.work() == 0


def by_hand(fleet: planes.Fleet, devgit: DevGit, name: str) -> tuple[str, str]:
    """An app that syncs by hand, synced; its id and the commit before its newest."""
    url = devgit.create(name, planes.files("web", config=CONFIG))
    old = devgit.commit(name, planes.files("web", config=CONFIG.replace("hello", "old")), "Old")
    devgit.commit(name, planes.files("web", config=CONFIG.replace("hello", "new")), "New")
    app = fleet.app("web", fleet.repository(devgit, name), url, syncPolicy={})
    ask(fleet, actor="ada")
    assert fleet.work() == 1
    [(task, _)] = fleet.claim()
    intake.events(fleet.plane, fleet.identity, final(task))
    return app, old


def ask(fleet: planes.Fleet, **request: str) -> None:
    """As orders.sync writes it."""
    stored = msgspec.json.encode(decide.Request(**request)).decode()  # type: ignore[arg-type]  # texts alone
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET request = CAST(:request AS jsonb), due_at = now()"), {"request": stored})


def test_a_sync_to_a_revision_leads_there_and_says_so(fleet: planes.Fleet, devgit: DevGit) -> None:
    _, old = by_hand(fleet, devgit, "elsewhere")
    newest = fleet.row("SELECT digest, commit FROM app_states")
    ask(fleet, actor="ada", revision=old[:10])
    assert fleet.work() == 1
    [(task, release)] = fleet.claim()
    assert release is not None
    assert [msgspec.json.decode(text)["data"] for text in bundle.unpack(task.release, release.body)] == [{"greeting": "old"}]
    assert fleet.row("SELECT commit, actor, trigger FROM tasks WHERE generation = 2") == (old, "ada", "manual")
    assert decision(fleet)["sentence"] == f"sync to {old[:10]} ({old[:12]}) asked for by ada"
    assert fleet.row("SELECT digest, commit FROM app_states") == newest
    intake.events(fleet.plane, fleet.identity, final(task))
    fleet.work()
    assert decision(fleet)["code"] == "manual-sync"  # Git wants the newest still


@pytest.mark.parametrize(
    ("revision", "sentence"),
    [("nowhere", "the sync to nowhere that ada asked for cannot be: targetRevision 'nowhere' is unknown"), ("empty", "no objects at all")],
)
def test_a_revision_that_cannot_be_synced_to_is_told_and_forgotten(
    fleet: planes.Fleet, devgit: DevGit, revision: str, sentence: str
) -> None:
    name = f"refused-{revision}"
    by_hand(fleet, devgit, name)
    devgit.commit(name, {"web/config.yaml": None, "web/README.md": b"nothing"}, "Empty", branch="empty")
    before = fleet.row("SELECT attempt FROM app_states").attempt
    ask(fleet, actor="ada", revision=revision)
    assert fleet.work() == 0
    assert sentence in decision(fleet)["sentence"]
    assert fleet.row("SELECT request, generation FROM apps") == (None, 2)
    assert fleet.row("SELECT attempt FROM app_states").attempt == before
    assert fleet.row("SELECT count(*) FROM audit_events WHERE type = 'app.sync.refused'")[0] == 1


def test_a_sync_that_fails_is_retried_as_often_as_the_app_says(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("retried", planes.files("web", config=CONFIG))
    policy = {"automated": {}, "retry": {"limit": 1, "backoff": {"duration": "1m"}}}
    fleet.app("web", fleet.repository(devgit, "retried"), url, syncPolicy=policy)
    assert fleet.work() == 1
    for minutes, queued in ((1, 1), (2, 0)):
        [(task, _)] = fleet.claim()
        intake.events(fleet.plane, fleet.identity, final(task, "failed", "the webhook is down"))
        assert fleet.work() == 0
        fleet.plane.clock.ahead = dt.timedelta(minutes=minutes, seconds=5 * minutes)  # type: ignore[attr-defined]  # the fixture's clock

        assert fleet.work() == queued
    assert fleet.row("SELECT generation, trigger FROM tasks WHERE state = 'done' ORDER BY generation DESC LIMIT 1") == (2, "retry")
    assert decision(fleet)["sentence"].endswith("run `plane app sync`, or push a fix")
