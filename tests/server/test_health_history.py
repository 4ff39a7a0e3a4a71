"""How health changed stands beside what it is: when, from what to what, because of which object."""

import datetime as dt

import pytest
import sqlalchemy as sa

from plane.domain import access, errors
from plane.server import authorise
from plane.server.asking import explain, health_history
from plane.server.attending import intake
from plane.server.delivering import sweep
from plane.store.delivering import sweeps
from plane.store.layout import tables
from plane.wire import agent
from plane.wire import health as wire
from tests.support import planes

WEB, DB = agent.Key("apps", "Deployment", "shop", "web"), agent.Key("apps", "StatefulSet", "shop", "db")


@pytest.fixture
def app(fleet: planes.Fleet) -> str:
    """An app that its cluster has not reported yet."""
    app = fleet.app("web", fleet.plane.clock.id(), "https://git.example/web.git")
    with fleet.owner.begin() as tx:
        tx.execute(sa.insert(tables.app_states).values(tenant_id=fleet.tenant, app_id=app, project_id=fleet.project))
    return app


def tell(fleet: planes.Fleet, app: str, health: str, *objects: agent.ObjectState, full: bool = False, **given: object) -> None:
    line = agent.AppState(
        app_id=app,
        generation=1,
        release="",
        sync="Synced",
        health=health,
        objects=objects,
        full=full,
        **given,  # type: ignore[arg-type]
    )
    intake.state(fleet.plane, fleet.identity, agent.State(apps=(line,)))


def is_(key: agent.Key, health: str, message: str = "") -> agent.ObjectState:
    return agent.ObjectState(key=key, health=health, message=message)


def listed(fleet: planes.Fleet, **asked: object) -> list[wire.HealthChange]:
    caller = authorise.Caller(access.Actor(id=access.SYSTEM.id, name="ada", grants=(access.Grant("platform-admin"),)))
    names = authorise.Names(fleet.names["tenant"], fleet.names["project"], "web")
    return list(health_history.changes(fleet.plane, caller, names, wire.HealthQuery(**asked)).items)  # type: ignore[arg-type]  # fields of it


def test_a_change_tells_from_what_to_what_and_why(fleet: planes.Fleet, app: str) -> None:
    tell(fleet, app, "Progressing", is_(WEB, "Progressing", "0 of 1"), is_(DB, "Healthy"), full=True, message="web: 0 of 1")
    tell(fleet, app, "Degraded", is_(WEB, "Degraded", "no image"), message="web: no image")
    tell(fleet, app, "Degraded", is_(WEB, "Degraded", "still no image"), message="web: still no image")
    found = [(one.kind, one.before, one.after, one.message) for one in listed(fleet)]
    assert found == [
        ("Deployment", "Progressing", "Degraded", "no image"),
        ("", "Progressing", "Degraded", "web: no image"),
        ("Deployment", "", "Progressing", "0 of 1"),
        ("", "Unknown", "Progressing", "web: 0 of 1"),
    ]
    told = explain.explain(fleet.plane, fleet.scope, project_id=fleet.project, app="web")
    assert told.health_since == listed(fleet)[1].at


def test_what_a_pod_says_later_goes_into_the_same_change(fleet: planes.Fleet, app: str) -> None:
    for why in ("no progress", "no progress; Pod web-x: ImagePullBackOff, image registry.example/web:1.2"):
        tell(fleet, app, "Degraded", is_(WEB, "Degraded", why), is_(DB, "Healthy"), message=f"web: {why}")
    assert [(one.kind, one.message.partition("; ")[2][:10]) for one in listed(fleet)] == [("Deployment", "Pod web-x:"), ("", "Pod web-x:")]


def test_telling_everything_again_is_no_change_and_what_is_gone_is_one(fleet: planes.Fleet, app: str) -> None:
    both = (is_(WEB, "Degraded", "no"), is_(DB, "Healthy"))
    tell(fleet, app, "Degraded", *both, full=True)
    before = len(listed(fleet))
    tell(fleet, app, "Degraded", *both, full=True)
    assert len(listed(fleet)) == before
    tell(fleet, app, "Healthy", gone=(WEB, DB))
    assert [(one.name, one.before, one.after) for one in listed(fleet)[:2]] == [("web", "Degraded", ""), ("", "Degraded", "Healthy")]


def test_pages_and_filters_narrow_what_is_shown(fleet: planes.Fleet, app: str) -> None:
    for n in range(4):
        tell(fleet, app, "Degraded" if n % 2 else "Healthy", is_(WEB, "Degraded" if n % 2 else "Healthy"), is_(DB, "Healthy"))
    assert [one.after for one in listed(fleet, kind="Deployment", name="web")] == ["Degraded", "Healthy", "Degraded"]
    assert [one.after for one in listed(fleet, limit=1, kind="Deployment")] == ["Degraded"]
    assert listed(fleet, since="2999-01-01") == []
    with pytest.raises(errors.Invalid):
        listed(fleet, since="yesterday")


def test_one_report_adds_a_bounded_number_the_worst_first(fleet: planes.Fleet, app: str) -> None:
    many = [is_(agent.Key("", "Pod", "shop", f"p{n:03}"), "Degraded" if n == 99 else "Progressing") for n in range(100)]
    tell(fleet, app, "Degraded", *many, full=True)
    found = listed(fleet, kind="Pod")
    assert len(found) == 20
    assert found[-1].name == "p099"


def test_old_changes_go_and_the_last_of_the_app_stays(fleet: planes.Fleet, app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for health in ("Degraded", "Healthy", "Degraded"):
        tell(fleet, app, health, is_(WEB, health))
    fleet.plane.clock.ahead = dt.timedelta(days=31)  # type: ignore[attr-defined]  # the fixture's clock
    sweep.sweep(fleet.plane)
    assert [(one.kind, one.after) for one in listed(fleet)] == [("", "Degraded")]
    monkeypatch.setattr(sweeps, "CHANGES", 3)
    for health in ("Healthy", "Degraded", "Healthy"):
        tell(fleet, app, health, is_(WEB, health))
    sweep.sweep(fleet.plane)
    assert len(listed(fleet)) == 3
