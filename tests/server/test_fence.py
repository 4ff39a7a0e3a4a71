"""A database that is older than what its clusters have seen."""

import sqlalchemy as sa

from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.wire import agent
from tests.support import planes, recorded

SEEN = 5


def config(greeting: str) -> dict[str, bytes]:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{greeting: {greeting}}}\n"
    return planes.files("web", config=text)


def refused(fleet: planes.Fleet) -> agent.Task:
    """The next task, answered as by a cluster that has seen a later generation."""
    [(task, _)] = fleet.claim()
    word: agent.Outcome = "superseded" if task.generation <= SEEN else "succeeded"
    final = agent.Final(
        task=task.id,
        app_id=task.app_id,
        generation=task.generation,
        outcome=word,
        started=1,
        finished=2,
        fence=SEEN * (word == "superseded"),
    )
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))
    return task


def ask(fleet: planes.Fleet) -> None:
    wish = """UPDATE apps SET due_at = now() - interval '1 hour', request = '{"actor": "ann"}'"""
    with fleet.owner.begin() as tx:
        tx.execute(sa.text(wish))


def test_only_what_a_person_asks_for_goes_above_what_the_cluster_has_seen(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("fence", config("old"))
    fleet.app("web", fleet.repository(devgit, "fence"), url)
    fleet.work()
    assert refused(fleet).generation == 1
    assert fleet.work() == 0
    devgit.commit("fence", config("new"), "New")
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE repositories SET poll_at = now() - interval '1 hour'"))
    fleet.work()
    assert refused(fleet).generation == 2  # a push alone overrules nothing
    ask(fleet)
    fleet.work()
    assert refused(fleet).generation == SEEN + 1
    [event] = recorded.events(fleet.owner, "app.fence.overruled")
    assert "the cluster has seen generation 5 and the plane knows of 2" in event.message
    assert event.details["asked_by"] == "ann"
