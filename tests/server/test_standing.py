"""How things stood at a time: what the log says of it, by the place of the event that says so."""

import datetime as dt
from typing import Literal

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access, errors
from plane.run.devgit import DevGit
from plane.server import authorise, context
from plane.server.asking import orders
from plane.server.attending import intake
from plane.server.auditing import standing
from plane.server.keeping import apps, holds, projects
from plane.wire import agent, rest
from plane.wire import audit as wire
from tests.support import planes

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: wait, image: "registry.example/wait:1"}]
      containers: [{name: web, image: "registry.example/web:VERSION"}]
"""
KEY = agent.Key("apps", "Deployment", "shop", "web")
HOUR = dt.timedelta(hours=1)
ADMIN = authorise.Caller(access.Actor("01a1fdeb-1c13-7a73-85f1-76ab07c7be0e", "ada", "user", grants=(access.Grant("platform-admin"),)))


class Story(msgspec.Struct, frozen=True):
    """An app whose life takes an hour a step."""

    fleet: planes.Fleet
    git: DevGit
    repository: str

    @property
    def plane(self) -> context.Plane:
        return self.fleet.plane

    def pass_time(self) -> dt.datetime:
        """Half an hour on the way to the next step: the time to ask for."""
        assert isinstance(self.plane.clock, planes.MovableClock)
        self.plane.clock.ahead += HOUR / 2
        now = self.plane.clock.now()
        self.plane.clock.ahead += HOUR / 2
        return now

    def tell(self, task: agent.Task, sync: Literal["Synced", "OutOfSync"], health: str) -> None:
        """The agent's word on the app."""
        states = (agent.ObjectState(key=KEY, sync=sync, health=health),)
        told = agent.AppState(
            app_id=task.app_id, generation=task.generation, release=task.release, sync=sync, health=health, objects=states, full=True
        )
        intake.state(self.plane, self.fleet.identity, agent.State(apps=(told,)))

    def sync(self, *, outcome: Literal["succeeded", "failed"] = "succeeded") -> agent.Task:
        """All that is due goes through, or does not."""
        self.fleet.work()
        [(task, _)] = self.fleet.claim()
        final = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome=outcome, started=1.0, finished=2.0)
        intake.events(self.plane, self.fleet.identity, agent.Events(finals=(final,)))
        if outcome == "succeeded":
            self.tell(task, "Synced", "Healthy")
        return task

    def push(self, version: str) -> None:
        """Another image."""
        self.git.commit(self.repository, planes.files("web", web=DEPLOYMENT.replace("VERSION", version)), f"Version {version}")
        with self.fleet.owner.begin() as tx:
            tx.execute(sa.text("UPDATE repositories SET poll_at = now() - interval '1 minute'"))

    def at(self, time: dt.datetime, **asked: str) -> tuple[wire.Standing, ...]:
        """What is told of that time."""
        planes.seal(self.plane, self.fleet.owner)
        query = wire.StandingQuery(time=time.isoformat(), **asked)  # type: ignore[arg-type]  # texts of the query
        return standing.standing(self.plane, ADMIN, authorise.Names("acme"), query).items


@pytest.fixture
def story(fleet: planes.Fleet, devgit: DevGit) -> Story:
    name = f"standing-{fleet.tenant}"  # the server of repositories outlives a test
    url = devgit.create(name, planes.files("web", web=DEPLOYMENT.replace("VERSION", "1")))
    fleet.app("web", fleet.repository(devgit, name), url)
    return Story(fleet, devgit, name)


def test_the_story_of_an_app_is_told_for_every_hour_of_it(story: Story) -> None:
    nothing = story.pass_time()
    task = story.sync()
    first = story.pass_time()
    story.tell(task, "OutOfSync", "Degraded")
    drifted = story.pass_time()
    names = authorise.Names("acme", "shop", "web")
    holds.hold(story.plane, ADMIN, apps.KIND, names, rest.NewHold(reason="look first"))
    holds.hold(story.plane, ADMIN, projects.KIND, authorise.Names("acme", "", "shop"), rest.NewHold(reason="freeze"))
    held = story.pass_time()
    holds.release(story.plane, ADMIN, apps.KIND, names)
    holds.release(story.plane, ADMIN, projects.KIND, authorise.Names("acme", "", "shop"))
    story.push("2")
    story.sync()
    second = story.pass_time()

    assert story.at(nothing, project="shop") == ()
    [then] = story.at(first, project="shop", app="web")
    assert (then.app, then.project, then.cluster, then.release, then.state) == ("web", "shop", "east", task.release, "in sync")
    assert then.images == ("registry.example/wait:1", "registry.example/web:1")
    assert (then.health, then.holds) == ("Healthy", ())
    [then] = story.at(drifted, cluster="east")
    assert (then.state, then.health, then.state_proof > then.proof) == ("changed beside Git", "Degraded", True)
    [then] = story.at(held, project="shop")
    assert [(one.target, one.reason, one.by) for one in then.holds] == [("app/web", "look first", "ada"), ("project/shop", "freeze", "ada")]
    [then] = story.at(second)
    assert (then.images[-1], then.state, then.holds) == ("registry.example/web:2", "in sync", ())
    assert story.at(second, cluster="west") == ()
    types = [
        story.fleet.row(
            "SELECT type FROM audit_leaves WHERE tenant_id = :tenant AND seq = :seq", tenant=story.fleet.tenant, seq=then.proof
        ).type
    ]
    assert types == ["app.sync.completed"]


def test_a_sync_that_failed_leaves_what_ran_before(story: Story) -> None:
    story.sync()
    story.push("2")
    story.sync(outcome="failed")
    [then] = story.at(story.pass_time(), project="shop", app="web")
    assert (then.images[-1], then.state) == ("registry.example/web:1", "a later sync had failed")


def test_a_dry_run_changes_nothing_of_what_ran(story: Story) -> None:
    story.sync()
    before = story.at(story.pass_time(), project="shop", app="web")[0]
    orders.sync(story.plane, ADMIN, authorise.Names("acme", "shop", "web"), rest.Sync(dry_run=True))
    story.sync()
    [then] = story.at(story.pass_time(), project="shop", app="web")
    assert (then.proof, then.since) == (before.proof, before.since)


def test_an_apps_name_without_its_project_is_asked_back(story: Story) -> None:
    with pytest.raises(errors.Invalid, match="unique in their project"):
        story.at(story.pass_time(), app="web")
