"""Which tenants give way: those whose apps took more of the processors lately than their share."""

import msgspec

from plane import ports
from plane.domain import objects
from plane.domain.rendering import metering
from plane.run.devgit import DevGit
from plane.server import shares
from plane.server.delivering import deliver
from plane.store.delivering import leases
from tests.support import planes

CONFIG = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\n"


class Time:
    """Seconds that a test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """The real pool, and whether renders gave way."""

    def __init__(self, pool: ports.RenderPool) -> None:
        self.pool = pool
        self.patient: list[bool] = []

    def render(self, renderer: str, job: ports.RenderJob, meter: metering.Meter | None = None) -> tuple[objects.Manifest, ...]:
        self.patient.append(job.patient)
        return self.pool.render(renderer, job, meter)

    def missing_protections(self) -> tuple[str, ...]:
        return self.pool.missing_protections()


def test_who_took_much_gives_way_until_as_much_time_has_passed() -> None:
    time = Time()
    account = shares.Shares(time).of("acme", weight=1)
    account.took(metering.AHEAD_S)
    assert not account.above()
    account.took(1.0)
    assert account.above()
    time.now += 1.0 / metering.SHARE
    assert not account.above()


def test_who_took_much_gives_way_to_nobody_while_nobody_else_has_work() -> None:
    account = shares.Shares(Time()).of("acme", weight=1)
    account.took(metering.AHEAD_S + 1.0)
    account.others = lambda: False
    assert not account.above()


def test_a_tenant_of_weight_3_has_three_times_the_share() -> None:
    time = Time()
    known = shares.Shares(time)
    for tenant, weight in (("acme", 3), ("globex", 1)):
        known.of(tenant, weight=weight).took(metering.AHEAD_S + 1.0)
    time.now += 1.0 / (3 * metering.SHARE)
    assert [known.of(tenant, weight=weight).above() for tenant, weight in (("acme", 3), ("globex", 1))] == [False, True]


def test_an_hour_of_work_is_forgotten_within_a_minute() -> None:
    time = Time()
    account = shares.Shares(time).of("acme", weight=1)
    account.took(3600.0)
    time.now += 60.0
    assert not account.above()


def test_renders_of_who_took_much_give_way_also_when_they_never_failed(fleet: planes.Fleet, devgit: DevGit) -> None:
    watched = Watched(fleet.plane.pool)
    plane = msgspec.structs.replace(fleet.plane, pool=watched)
    url = devgit.create("shares", {f"{name}/config.yaml": CONFIG for name in ("web", "api")})
    repository = fleet.repository(devgit, "shares")
    account = plane.shares.of(fleet.tenant, weight=1)
    for name in ("web", "api"):
        fleet.app(name, repository, url)
        deliver.deliver(plane, fleet.lease(leases.apps), side_by_side=map)
        account.took(metering.REMEMBERED_S)
    assert watched.patient == [False, True]
