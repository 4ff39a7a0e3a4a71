"""An operation outlives whoever works on it, gives way to what is newer, and ends where somebody stops it."""

import sqlalchemy as sa

from plane.domain.deciding import decide
from plane.run.devgit import DevGit
from plane.server import claim
from plane.store import engine
from plane.store.showing import apps
from plane.wire import agent
from tests.support import planes


def files(greeting: str) -> dict[str, bytes]:
    return planes.files("web", config=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{greeting: {greeting}}}\n")


def app(fleet: planes.Fleet, devgit: DevGit, name: str) -> str:
    return fleet.app("web", fleet.repository(devgit, name), devgit.create(name, files("one")))


def push(fleet: planes.Fleet, devgit: DevGit, name: str, greeting: str) -> None:
    devgit.commit(name, files(greeting), greeting)
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE repositories SET poll_at = now() - interval '1 day'"))
    assert fleet.work() == 1


def test_a_newer_revision_takes_the_place_of_one_that_waits_for_its_agent(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "operations-newer")
    fleet.work()
    push(fleet, devgit, "operations-newer", "two")
    [(task, _)] = fleet.claim()
    assert task.generation == 2
    [first] = [fleet.row("SELECT outcome, state, message FROM tasks WHERE generation = 1")]
    assert (first.outcome, first.state, first.message) == ("superseded", "done", "a newer release took its place")


def test_a_newer_revision_takes_the_place_of_one_under_way_and_its_agent_hears_so(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "operations-running")
    fleet.work()
    [(first, _)] = fleet.claim()
    push(fleet, devgit, "operations-running", "two")
    given = claim.claim(fleet.plane, fleet.identity, agent.Claim(running=(first.id,)), 64)
    assert (given.lost, len(given.tasks)) == ((first.id,), 1)


def test_an_operation_that_somebody_stops_is_lost_to_its_agent_and_not_begun_again(fleet: planes.Fleet, devgit: DevGit) -> None:
    web = app(fleet, devgit, "operations-stopped")
    fleet.work()
    [(first, _)] = fleet.claim()
    attempt = decide.Attempt(first.release, first.generation)
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        stopped = apps.stop(tx, fleet.tenant, web, attempt=attempt, message="stopped by ada", now=fleet.plane.clock.now())
    assert stopped == (first.id,)
    assert claim.claim(fleet.plane, fleet.identity, agent.Claim(running=(first.id,)), 64).lost == (first.id,)
    assert fleet.work() == 0
    assert fleet.row("SELECT decision FROM app_states").decision["code"] == "terminated"
