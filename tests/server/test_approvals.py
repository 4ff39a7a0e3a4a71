"""Deletions that wait for a person: from the agent's word to the task that may delete."""

import datetime as dt

import sqlalchemy as sa

from plane.domain.deciding import decide
from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.store import engine
from plane.store.showing import apps
from plane.wire import agent
from tests.support import planes

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hello}\n"
WAITS = ("ConfigMap shop/web would be deleted",)


def app(fleet: planes.Fleet, devgit: DevGit, name: str) -> str:
    url = devgit.create(name, planes.files("web", config=CONFIG))
    return fleet.app("web", fleet.repository(devgit, name), url)


def end(fleet: planes.Fleet, outcome: agent.Outcome, needs: tuple[str, ...] = ()) -> agent.Task:
    """The next task, with its last word."""
    fleet.work()
    [(task, _)] = fleet.claim()
    final = agent.Final(
        task=task.id, app_id=task.app_id, generation=task.generation, outcome=outcome, started=1.0, finished=2.0, needs_approval=needs
    )
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))
    return task


def approve(fleet: planes.Fleet, id_: str, digest: str) -> None:
    with engine.begin(fleet.plane.engine, fleet.scope) as tx:
        apps.approve(tx, fleet.tenant, id_, digest, fleet.plane.clock.now())


def code(fleet: planes.Fleet) -> str:
    decision = fleet.row("SELECT decision FROM app_states").decision
    return str(decision.get("code", decision["type"]))


def test_what_a_sync_kept_for_consent_goes_once_it_is_given(fleet: planes.Fleet, devgit: DevGit) -> None:
    web = app(fleet, devgit, "approve-prune")
    first = end(fleet, "succeeded", WAITS)
    assert code(fleet) == "needs-approval"
    approve(fleet, web, first.release)
    second = end(fleet, "succeeded")
    assert (second.kind, second.options.approved, second.options.prune, code(fleet)) == ("apply", True, True, "nothing")


def test_an_app_that_was_deleted_stays_until_its_removal_is_agreed_to(fleet: planes.Fleet, devgit: DevGit) -> None:
    web = app(fleet, devgit, "approve-removal")
    end(fleet, "succeeded")
    now = fleet.plane.clock.now()
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET deleted_at = :now, due_at = :now"), {"now": now})
    asked = end(fleet, "refused", WAITS)
    assert (asked.kind, asked.options.approved, code(fleet)) == ("remove", False, "needs-approval")
    fleet.plane.clock.ahead += dt.timedelta(minutes=5)  # type: ignore[attr-defined] # the test's own clock
    assert fleet.work() == 0
    approve(fleet, web, decide.REMOVAL)
    agreed = end(fleet, "succeeded")
    assert (agreed.kind, agreed.options.approved) == ("remove", True)
    assert fleet.row("SELECT count(*) AS n FROM apps").n == 0
