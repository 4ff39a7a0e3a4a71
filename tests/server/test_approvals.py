"""Deletions that wait for a person: from the agent's word to the task that may delete."""

import datetime as dt

import sqlalchemy as sa

from plane.domain import access
from plane.domain.deciding import decide
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import orders
from plane.server.attending import intake
from plane.wire import agent, rest
from tests.support import planes, recorded

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hello}\n"
ADA = "aaaaaaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa"
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


def approve(fleet: planes.Fleet) -> str:
    """Ada says yes; the id of the event that tells it."""
    ada = access.Actor(id=ADA, name="ada", grants=(access.Grant("platform-admin"),))
    names = authorise.Names(fleet.names["tenant"], fleet.names["project"], "web", "web")
    orders.approve(fleet.plane, authorise.Caller(ada), names, rest.Approve())
    return str(fleet.row("SELECT id FROM audit_events WHERE type = 'app.deletions.approved' ORDER BY id DESC LIMIT 1").id)


def told(fleet: planes.Fleet, kind: str) -> tuple[dict[str, str], ...]:
    """Who approved what began last."""
    return tuple(recorded.events(fleet.owner, kind)[-1].details.get("approvals", ()))


def code(fleet: planes.Fleet) -> str:
    decision = fleet.row("SELECT decision FROM app_states").decision
    return str(decision.get("code", decision["type"]))


def test_what_a_sync_kept_for_consent_goes_once_it_is_given(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "approve-prune")
    first = end(fleet, "succeeded", WAITS)
    assert code(fleet) == "needs-approval"
    event = approve(fleet)
    second = end(fleet, "succeeded")
    [given] = told(fleet, "app.sync.started")
    assert (given["to"], given["by"], given["by_id"], given["release"], given["event"]) == ("deletions", "ada", ADA, first.release, event)
    assert (second.kind, second.options.approved, second.options.prune, code(fleet)) == ("apply", True, True, "nothing")


def test_an_app_that_was_deleted_stays_until_its_removal_is_agreed_to(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "approve-removal")
    end(fleet, "succeeded")
    now = fleet.plane.clock.now()
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET deleted_at = :now, due_at = :now"), {"now": now})
    asked = end(fleet, "refused", WAITS)
    assert (asked.kind, asked.options.approved, code(fleet)) == ("remove", False, "needs-approval")
    fleet.plane.clock.ahead += dt.timedelta(minutes=5)  # type: ignore[attr-defined] # the test's own clock
    assert fleet.work() == 0
    event = approve(fleet)
    agreed = end(fleet, "succeeded")
    assert [(one["release"], one["event"]) for one in told(fleet, "app.removal.started")] == [(decide.REMOVAL, event)]
    assert (agreed.kind, agreed.options.approved) == ("remove", True)
    assert fleet.row("SELECT count(*) AS n FROM apps").n == 0
