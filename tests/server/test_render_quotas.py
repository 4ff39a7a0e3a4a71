"""Render time and memory of a tenant: counted with every release, waited for when used up, and bounded while a render runs."""

import datetime as dt

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain.permitting import quotas
from plane.run.devgit import DevGit
from plane.server.delivering import deliver
from plane.store.delivering import leases
from plane.store.layout import tables
from tests.support import planes

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def made(fleet: planes.Fleet, devgit: DevGit, repository: str, *names: str) -> None:
    """Apps of one ConfigMap each."""
    url = devgit.create(repository, {f"{name}/config.yaml": (CONFIG % name).encode() for name in names})
    known = fleet.repository(devgit, repository)
    for name in names:
        fleet.app(name, known, url)


def say(fleet: planes.Fleet, **wanted: int) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.tenants).values(spec={"quotas": wanted}))


@pytest.fixture(autouse=True)
def _early_in_an_hour(fleet: planes.Fleet) -> None:
    """No hour turns while a test runs."""
    clock = fleet.plane.clock
    assert isinstance(clock, planes.MovableClock)
    clock.ahead = dt.timedelta(minutes=65 - clock.now().minute)


def use(fleet: planes.Fleet, seconds: int) -> None:
    """As if renders had taken so much in this hour."""
    hour = fleet.plane.clock.now().replace(minute=0, second=0, microsecond=0)
    insert = "INSERT INTO render_hours (tenant_id, hour, cpu_ms) VALUES (:tenant, :hour, :ms) RETURNING 1"
    fleet.row(insert, tenant=fleet.tenant, hour=hour, ms=seconds * 1000)


def test_renders_are_counted_once_and_none_is_made_for_what_did_not_change(fleet: planes.Fleet, devgit: DevGit) -> None:
    made(fleet, devgit, "render-counts", "a", "b")
    fleet.work()
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET due_at = now() - interval '1 minute'"))
    fleet.work()
    found = fleet.row("SELECT sum(renders) AS renders, sum(cpu_ms) AS cpu_ms, max(peak_bytes) AS peak FROM render_hours")
    assert found.renders == 2
    assert found.cpu_ms > 0
    assert found.peak > 1024 * 1024


def test_an_app_waits_for_the_next_hour_when_the_tenants_render_time_is_used_up(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, renderSecondsPerHour=30)
    use(fleet, 31)
    made(fleet, devgit, "render-time", "web")
    assert fleet.work() == 0
    row = fleet.row("SELECT a.due_at, a.failures, s.decision FROM apps a JOIN app_states s ON s.app_id = a.id")
    hour = fleet.plane.clock.now().astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    assert (row.decision["code"], row.failures) == ("quota", 0)
    wanted = "tenant acme may render for 30 s of processor time an hour and has had 31 s since "
    assert row.decision["sentence"].startswith(wanted)
    assert row.due_at == hour + dt.timedelta(hours=1)
    told = msgspec.json.decode(fleet.row("SELECT body FROM audit_events WHERE type = 'tenant.quota.reached'").body)
    assert (told["target"], told["message"]) == ("quota/renderSecondsPerHour", row.decision["sentence"])
    say(fleet, renderSecondsPerHour=60)
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET due_at = now() - interval '1 minute'"))
    assert fleet.work() == 1


def test_what_runs_stays_while_its_next_release_waits_for_render_time(fleet: planes.Fleet, devgit: DevGit) -> None:
    made(fleet, devgit, "render-stays", "web")
    fleet.work()
    [(task, _)] = fleet.claim()
    say(fleet, renderSecondsPerHour=30)
    fleet.row("UPDATE render_hours SET cpu_ms = 31000 RETURNING 1")
    devgit.commit("render-stays", {"web/config.yaml": (CONFIG % "web" + "data: {a: b}\n").encode()}, "Change it")
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE repositories SET poll_at = now() - interval '1 minute'"))
    assert fleet.work() == 0
    row = fleet.row("SELECT digest, decision FROM app_states")
    assert (row.digest, row.decision["code"]) == (task.release, "quota")


def test_a_render_is_bound_by_the_tenants_quota_of_memory(fleet: planes.Fleet, devgit: DevGit) -> None:
    say(fleet, renderMemoryMib=64)
    made(fleet, devgit, "render-memory", "web")
    apps = [one.id for one in fleet.lease(leases.apps)]
    _, shared = deliver.load(fleet.plane, fleet.scope, apps)
    assert shared.renders.memory_bytes == 64 * quotas.MIB
