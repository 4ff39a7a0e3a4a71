"""Whoever holds an app stops its sync under way and the healing of its agent; releasing it lets both go on."""

import datetime as dt
import json
import time

import sqlalchemy as sa

from plane.run.devgit import DevGit
from plane.server import claim
from plane.server.asking import explain
from plane.server.attending import intake
from plane.wire import agent, signing
from tests.support import planes

CONFIG = planes.files("web", config="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")


def app(fleet: planes.Fleet, devgit: DevGit, name: str) -> str:
    return fleet.app("web", fleet.repository(devgit, name), devgit.create(name, CONFIG))


def hold(fleet: planes.Fleet, table: str, *, until: str = "") -> None:
    """As the use case does it."""
    over = {"apps": "app", "projects": "project"}[table]
    stored = json.dumps({"reason": "migration", "owner": "ada", "until": until, "over": over})
    with fleet.owner.begin() as tx:
        tx.execute(sa.text(f"UPDATE {table} SET hold = CAST(:hold AS jsonb)"), {"hold": stored})  # noqa: S608 - a literal below
        tx.execute(sa.text("UPDATE apps SET due_at = now() - interval '1 minute'"))


def release(fleet: planes.Fleet, table: str) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.text(f"UPDATE {table} SET hold = NULL"))  # noqa: S608 - a literal below
        tx.execute(sa.text("UPDATE apps SET due_at = now() - interval '1 minute'"))


def end(fleet: planes.Fleet, task: agent.Task) -> None:
    final = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))


def decision(fleet: planes.Fleet) -> dict[str, str]:
    return dict(fleet.row("SELECT decision FROM app_states").decision)


def test_a_sync_under_way_is_stopped_and_begins_again_when_the_hold_ends(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "hold-stops")
    fleet.work()
    [(first, _)] = fleet.claim()
    hold(fleet, "apps")
    assert fleet.work() == 0
    given = claim.claim(fleet.plane, fleet.identity, agent.Claim(running=(first.id,)), 64)
    assert given.lost == (first.id,)
    assert "held by ada until somebody runs `plane app unhold`: migration" in decision(fleet)["sentence"]
    halted = fleet.row("SELECT outcome, message FROM tasks WHERE kind = 'apply'")
    assert (halted.outcome, "migration" in halted.message) == ("halted", True)
    assert fleet.row("SELECT count(*) AS n FROM audit_events WHERE type = 'app.sync.halted'").n == 1
    release(fleet, "apps")
    assert fleet.work() == 1
    again = next(task for task, _ in fleet.claim() if task.kind == "apply")
    assert (again.release, again.generation > first.generation) == (first.release, True)


def test_an_agent_is_told_when_not_to_heal_and_when_again(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "hold-heals")
    fleet.work()
    [(first, _)] = fleet.claim()
    assert first.options.pauses == ()
    end(fleet, first)
    hold(fleet, "projects")
    fleet.work()
    [(told, _)] = fleet.claim()
    [(since, until)] = told.options.pauses
    assert (told.kind, told.release, told.options.self_heal, until) == ("observe", first.release, True, 0)
    assert since <= fleet.plane.clock.now().timestamp()
    end(fleet, told)
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET due_at = now() - interval '1 minute'"))
    fleet.work()
    assert fleet.claim() == []  # it knows already
    release(fleet, "projects")
    fleet.work()
    [(again, _)] = fleet.claim()
    assert (again.kind, again.options.pauses) == ("observe", ())


def test_an_agent_knows_the_next_windows_ahead(fleet: planes.Fleet, devgit: DevGit) -> None:
    now = fleet.plane.clock.now()
    shut = now + dt.timedelta(hours=2)
    window = {"kind": "deny", "schedule": f"{shut.minute} {shut.hour} * * *", "duration": "1h", "applications": ["*"]}
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE projects SET spec = CAST(:spec AS jsonb)"), {"spec": json.dumps({"syncWindows": [window]})})
    app(fleet, devgit, "hold-ahead")
    fleet.work()
    [(task, _)] = fleet.claim()
    begin = shut.replace(second=0, microsecond=0).timestamp()
    assert task.options.pauses[:2] == ((begin, begin + 3600), (begin + 86400, begin + 90000))
    end(fleet, task)
    fleet.plane.clock.ahead = dt.timedelta(hours=2, minutes=5)  # type: ignore[attr-defined]  # the test's own clock
    fleet.work()
    told = [signing.open_task(one, fleet.plane.signer.public_key()) for one in _claimed(fleet)]
    assert told == []  # nothing that it does not know


def _claimed(fleet: planes.Fleet) -> tuple[agent.SignedTask, ...]:
    return claim.claim(fleet.plane, fleet.identity, agent.Claim(), 64).tasks


def test_explain_says_whether_syncs_may_start_and_when_that_changes(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "hold-explain")
    until = dt.datetime.fromtimestamp(int(time.time()) + 3600, dt.UTC).isoformat().replace("+00:00", "Z")
    hold(fleet, "apps", until=until)
    fleet.work()
    told = explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web")
    assert (told.status, told.facts["sync windows"], told.facts["syncs start again"]) == (
        "outside-window",
        f"closed: held by ada until {until}: migration",
        until,
    )
