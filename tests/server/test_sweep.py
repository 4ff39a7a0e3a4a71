"""What nothing refers to goes, and nothing else."""

import datetime as dt
import os
import pathlib

import pytest
import sqlalchemy as sa

from plane.run.devgit import DevGit
from plane.server.attending import intake
from plane.server.delivering import sweep
from plane.store import engine
from plane.store.delivering import sweeps
from plane.wire import agent
from tests.support import planes

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {{name: web}}
data: {{greeting: {greeting}}}
"""


def synced(fleet: planes.Fleet, devgit: DevGit, name: str, greeting: str) -> str:
    """One commit through to the cluster; the release it became."""
    devgit.commit(name, planes.files("web", config=CONFIG.format(greeting=greeting)), greeting)
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE repositories SET poll_at = now()"))
    fleet.work()
    [(task, _)] = fleet.claim()
    done = agent.Final(task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1.0, finished=2.0)
    assert intake.events(fleet.plane, fleet.identity, agent.Events(finals=(done,))).stale == ()
    return task.release


@pytest.fixture
def five(fleet: planes.Fleet, devgit: DevGit) -> list[str]:
    """Releases of an app that keeps two in its history."""
    name = f"sweep-{os.urandom(4).hex()}"
    url = devgit.create(name, planes.files("web", config=CONFIG.format(greeting="zero")))
    fleet.app("web", fleet.repository(devgit, name), url, revisionHistoryLimit=2)
    return [synced(fleet, devgit, name, greeting) for greeting in ("one", "two", "three", "four", "five")]


def column(fleet: planes.Fleet, query: str) -> list[object]:
    """First column."""
    with fleet.owner.begin() as tx:
        return [row[0] for row in tx.execute(sa.text(query))]


def later(fleet: planes.Fleet) -> None:
    """A month passes."""
    fleet.plane.clock.ahead = dt.timedelta(days=30)  # type: ignore[attr-defined]  # the fixture's clock


def test_history_holds_as_many_lines_as_the_app_says(fleet: planes.Fleet, five: list[str]) -> None:
    assert column(fleet, "SELECT number FROM history ORDER BY number") == [4, 5]
    assert column(fleet, "SELECT digest FROM history ORDER BY number") == five[-2:]


def test_a_sweep_keeps_what_history_can_roll_back_to(fleet: planes.Fleet, five: list[str]) -> None:
    assert sweep.sweep(fleet.plane) == 0
    later(fleet)
    assert sweep.sweep(fleet.plane) > 0
    kept = sorted(five[-2:])
    for query in ("SELECT digest FROM releases ORDER BY 1", "SELECT digest FROM blobs ORDER BY 1", "SELECT digest FROM tasks ORDER BY 1"):
        assert column(fleet, query) == kept
    assert sweep.sweep(fleet.plane) == 0


@pytest.mark.parametrize(
    "wanted", ["UPDATE apps SET request = jsonb_build_object('digest', CAST(:digest AS text))", "UPDATE apps SET approved = ARRAY[:digest]"]
)
def test_a_sweep_keeps_a_release_that_somebody_waits_for(fleet: planes.Fleet, five: list[str], wanted: str) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.text(wanted), {"digest": five[0]})
    later(fleet)
    sweep.sweep(fleet.plane)
    kept = column(fleet, "SELECT r.digest FROM releases r JOIN blobs b USING (tenant_id, digest)")
    assert sorted(map(str, kept)) == sorted([five[0], *five[-2:]])


def test_no_sweep_runs_beside_a_delivery(fleet: planes.Fleet) -> None:
    with engine.begin(fleet.plane.engine, fleet.scope) as delivering, engine.begin(fleet.plane.engine, fleet.scope) as sweeping:
        sweeps.beside(delivering, fleet.tenant)
        assert not sweeps.alone(sweeping, fleet.tenant)
    with engine.begin(fleet.plane.engine, fleet.scope) as sweeping:
        assert sweeps.alone(sweeping, fleet.tenant)


def test_answers_to_repeated_requests_go_after_their_day(fleet: planes.Fleet) -> None:
    for tenant in (fleet.tenant, "00000000-0000-0000-0000-000000000000"):
        with fleet.owner.begin() as tx:
            row = {"tenant": tenant, "id": fleet.plane.clock.id()}
            tx.execute(
                sa.text("INSERT INTO idempotency VALUES (:tenant, :id, 'key', 'request', 200, '', now() - interval '23 hours')"), row
            )
    assert sweep.sweep(fleet.plane) == 0
    later(fleet)
    assert sweep.sweep(fleet.plane) == 2


def test_mirrors_of_repositories_that_are_no_more_are_removed(fleet: planes.Fleet, devgit: DevGit, five: list[str]) -> None:
    del five
    mirrors = pathlib.Path(str(getattr(fleet.plane.git, "_state")))  # noqa: B009 - the adapter's own business otherwise
    [kept] = column(fleet, "SELECT id FROM repositories")
    gone = mirrors / f"{fleet.plane.clock.id()}.git"
    young = mirrors / f"{fleet.plane.clock.id()}.git"
    for folder in (gone, young):
        (folder / "objects").mkdir(parents=True)
    os.utime(gone, (0, 0))
    os.utime(mirrors / f"{kept}.git", (0, 0))
    sweep.sweep(fleet.plane)
    assert [(mirrors / f"{kept}.git").exists(), gone.exists(), young.exists()] == [True, False, True]
