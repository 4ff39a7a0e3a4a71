"""Sync windows and freezes of projects and tenants hold back tasks, and let them go by themselves."""

import datetime as dt
import json
import os

import pytest
import sqlalchemy as sa

from plane.run.devgit import DevGit
from tests.support import planes

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hello}\n"


def held(fleet: planes.Fleet, devgit: DevGit, table: str, **calendar: object) -> dict[str, str]:
    """Add an app below a calendar; the decision that holds it back."""
    with fleet.owner.begin() as tx:
        tx.execute(sa.text(f"UPDATE {table} SET spec = CAST(:spec AS jsonb)"), {"spec": json.dumps(calendar)})  # noqa: S608 - a literal below
    name = f"windows-{os.urandom(4).hex()}"
    url = devgit.create(name, planes.files("web", config=CONFIG))
    fleet.app("web", fleet.repository(devgit, name), url)
    assert fleet.work() == 0
    return dict(fleet.row("SELECT decision FROM app_states").decision)


def hours(fleet: planes.Fleet, *, ahead: float) -> dt.datetime:
    return fleet.plane.clock.now() + dt.timedelta(hours=ahead)


@pytest.mark.parametrize("table", ["projects", "tenants"])
def test_a_window_that_is_shut_holds_a_push_until_it_opens(fleet: planes.Fleet, devgit: DevGit, table: str) -> None:
    opens = hours(fleet, ahead=3)
    window = {"kind": "allow", "schedule": f"{opens.minute} {opens.hour} * * *", "duration": "1h", "applications": ["*"]}
    decision = held(fleet, devgit, table, syncWindows=[window])
    assert decision["code"] == "outside-window"
    assert fleet.row("SELECT due_at FROM apps").due_at == dt.datetime.fromisoformat(decision["until"])
    fleet.plane.clock.ahead = dt.timedelta(hours=3, minutes=2)  # type: ignore[attr-defined]  # the fixture's clock
    assert fleet.work() == 1


@pytest.mark.parametrize("table", ["projects", "tenants"])
def test_a_freeze_holds_until_its_end(fleet: planes.Fleet, devgit: DevGit, table: str) -> None:
    until = hours(fleet, ahead=1).isoformat(timespec="seconds").replace("+00:00", "Z")
    decision = held(fleet, devgit, table, freezes=[{"reason": "year end", "owner": "ada", "until": until}])
    assert f"frozen until {until} by ada: year end" in decision["sentence"]
    fleet.plane.clock.ahead = dt.timedelta(minutes=61)  # type: ignore[attr-defined]  # the fixture's clock
    assert fleet.work() == 1
