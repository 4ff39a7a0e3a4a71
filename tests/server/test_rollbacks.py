"""An app that a sync leaves Degraded goes back to what was healthy, once, and the release that did it is not synced again by itself."""

import datetime as dt

import msgspec

from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.wire import agent
from tests.support import planes

POLICY: dict[str, object] = {"syncPolicy": {"automated": {"prune": True}, "rollback": {"onDegraded": "5m"}}}
ILL = "Deployment shop/web: exceeded its progress deadline"


def files(greeting: str) -> dict[str, bytes]:
    return planes.files("web", config=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{greeting: {greeting}}}\n")


class Run(msgspec.Struct, frozen=True):
    """One app, its repository and the agent's word on it."""

    fleet: planes.Fleet
    git: DevGit
    name: str

    def push(self, greeting: str) -> None:
        """A commit, seen at once."""
        self.git.commit(self.name, files(greeting), greeting)
        with self.fleet.owner.begin() as tx:
            tx.exec_driver_sql("UPDATE repositories SET poll_at = now() - interval '1 day'")

    def synced(self) -> agent.Task:
        """The next sync, which goes through."""
        self.fleet.work()
        [(task, _)] = self.fleet.claim()
        end = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
        intake.events(self.fleet.plane, self.fleet.identity, agent.Events(finals=(end,)))
        return task

    def tell(self, task: agent.Task, health: str, message: str = "") -> None:
        told = agent.AppState(
            app_id=task.app_id, generation=task.generation, release=task.release, sync="Synced", health=health, message=message
        )
        intake.state(self.fleet.plane, self.fleet.identity, agent.State(apps=(told,)))

    def later(self, minutes: float) -> None:
        self.fleet.plane.clock.ahead += dt.timedelta(minutes=minutes)  # type: ignore[attr-defined]  # the test's own clock

    def decision(self) -> dict[str, str]:
        found = self.fleet.row("SELECT decision FROM app_states").decision
        return {"code": found.get("code", found["type"]), "sentence": found["sentence"]}


def start(fleet: planes.Fleet, devgit: DevGit, name: str) -> tuple[Run, agent.Task]:
    """An app whose first release is healthy."""
    url = devgit.create(name, files("one"))
    fleet.app("web", fleet.repository(devgit, name), url, **POLICY)
    run = Run(fleet, devgit, name)
    first = run.synced()
    run.tell(first, "Healthy")
    return run, first


def test_a_release_that_leaves_the_app_degraded_gives_way_once(fleet: planes.Fleet, devgit: DevGit) -> None:
    run, first = start(fleet, devgit, "rollback-once")
    run.push("two")
    second = run.synced()
    run.tell(second, "Degraded", ILL)
    assert (run.decision()["code"], ILL in run.decision()["sentence"]) == ("degraded", True)
    run.later(4)
    assert fleet.work() == 0
    run.later(2)
    back = run.synced()
    assert (back.release, back.revision, back.options.prune) == (first.release, first.revision, True)
    assert run.decision()["code"] == "rolled-back"
    last = fleet.row("SELECT trigger, digest FROM history ORDER BY number DESC LIMIT 1")
    assert (last.trigger, last.digest) == ("rollback", first.release)
    started = fleet.row("SELECT body FROM audit_events WHERE type = 'app.sync.started' ORDER BY id DESC LIMIT 1").body
    assert ILL in str(started)
    run.tell(back, "Degraded", ILL)
    run.later(60)
    assert fleet.work() == 0
    run.push("three")
    third = run.synced()
    assert third.release not in {first.release, second.release}


def test_an_app_that_recovers_in_time_stays(fleet: planes.Fleet, devgit: DevGit) -> None:
    run, _ = start(fleet, devgit, "rollback-recovers")
    run.push("two")
    second = run.synced()
    run.tell(second, "Degraded", ILL)
    run.later(3)
    run.tell(second, "Healthy")
    run.later(60)
    assert (fleet.work(), run.decision()["code"]) == (0, "nothing")


def test_only_a_release_that_was_healthy_is_gone_back_to(fleet: planes.Fleet, devgit: DevGit) -> None:
    run, first = start(fleet, devgit, "rollback-healthy")
    run.push("two")
    run.tell(run.synced(), "Progressing")
    run.push("three")
    run.tell(run.synced(), "Degraded", ILL)
    run.later(6)
    assert run.synced().release == first.release


def test_without_a_healthy_release_there_is_no_way_back(fleet: planes.Fleet, devgit: DevGit) -> None:
    url = devgit.create("rollback-none", files("one"))
    fleet.app("web", fleet.repository(devgit, "rollback-none"), url, **POLICY)
    run = Run(fleet, devgit, "rollback-none")
    run.tell(run.synced(), "Degraded", ILL)
    run.later(6)
    assert (fleet.work(), run.decision()["code"]) == (0, "nothing")
