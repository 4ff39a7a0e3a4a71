"""Work that was leased: its holder may be away, and may come back too late."""

import concurrent.futures

import sqlalchemy as sa

from plane.run.devgit import DevGit
from plane.server.delivering import deliver, poll
from plane.store import engine
from plane.store.delivering import leases
from tests.support import planes


def files(greeting: str = "hello") -> dict[str, bytes]:
    return planes.files("web", config=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{greeting: {greeting}}}\n")


def deliver_(fleet: planes.Fleet, leased: tuple[leases.Leased, ...]) -> int:
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        return deliver.deliver(fleet.plane, leased, side_by_side=threads.map)


def run_out(fleet: planes.Fleet, table: str) -> None:
    """The time of all leases is up."""
    with fleet.owner.begin() as tx:
        tx.execute(sa.text(f"UPDATE {table} SET leased_until = now() - interval '1 second'"))  # noqa: S608 - a literal below


def left_s(fleet: planes.Fleet, table: str) -> float:
    return float(fleet.row(f"SELECT extract(epoch FROM leased_until - now()) AS s FROM {table}").s)  # noqa: S608 - a literal below


def test_what_is_leased_is_not_leased_again_until_its_time_is_up(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.app("web", fleet.repository(devgit, "held"), devgit.create("held", files()))
    for table, due in (("apps", leases.apps), ("repositories", leases.repositories)):
        assert [len(fleet.lease(due)), len(fleet.lease(due))] == [1, 0]
        run_out(fleet, table)
        assert len(fleet.lease(due)) == 1


def test_a_worker_whose_lease_passed_to_another_writes_nothing(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.app("web", fleet.repository(devgit, "frozen"), devgit.create("frozen", files()))
    frozen = fleet.lease(leases.apps)
    run_out(fleet, "apps")
    successor = fleet.lease(leases.apps)
    assert deliver_(fleet, frozen) == 0
    assert fleet.row("SELECT count(*) AS n FROM releases").n == 0
    assert left_s(fleet, "apps") > 0
    assert deliver_(fleet, successor) == 1


def test_a_look_whose_lease_passed_to_another_writes_nothing(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.repository(devgit, "looked")
    devgit.create("looked", files())
    [frozen] = fleet.lease(leases.repositories)
    run_out(fleet, "repositories")
    [successor] = fleet.lease(leases.repositories)
    poll.poll(fleet.plane, frozen)
    assert fleet.row("SELECT refs FROM repositories").refs == {}
    assert left_s(fleet, "repositories") > 0
    poll.poll(fleet.plane, successor)
    assert fleet.row("SELECT refs FROM repositories").refs.keys() == {"HEAD", "refs/heads/main"}


def test_a_renewal_lengthens_only_what_is_still_held(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.app("web", fleet.repository(devgit, "renewed"), devgit.create("renewed", files()))
    first = fleet.lease(leases.apps)
    run_out(fleet, "apps")
    with engine.dispatch(fleet.plane.engine) as tx:
        leases.renew(tx, leases.APPS, first)
    assert left_s(fleet, "apps") > 0
    run_out(fleet, "apps")
    fleet.lease(leases.apps)
    run_out(fleet, "apps")
    with engine.dispatch(fleet.plane.engine) as tx:
        leases.renew(tx, leases.APPS, first)
    assert left_s(fleet, "apps") < 0


def test_a_renewal_waits_for_nobody(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.app("web", fleet.repository(devgit, "locked"), devgit.create("locked", files()))
    held = fleet.lease(leases.apps)
    run_out(fleet, "apps")
    with fleet.owner.begin() as writer:
        writer.execute(sa.text("SELECT 1 FROM apps FOR UPDATE"))
        with engine.dispatch(fleet.plane.engine) as tx:
            leases.renew(tx, leases.APPS, held)
    assert left_s(fleet, "apps") < 0


def test_a_wish_that_comes_during_the_work_is_kept(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.app("web", fleet.repository(devgit, "wish"), devgit.create("wish", files()))
    held = fleet.lease(leases.apps)
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET due_at = now(), hard = true"))
    deliver_(fleet, held)
    assert fleet.row("SELECT due_at IS NOT NULL AS due, hard, lease FROM apps") == (True, True, None)


def test_tenants_that_have_their_share_are_left_out(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.app("web", fleet.repository(devgit, "share"), devgit.create("share", files()))
    ask = leases.Ask(fleet.plane.clock.id(), fleet.plane.clock.now(), limit=10, each=10, without={fleet.tenant})
    with engine.dispatch(fleet.plane.engine) as tx:
        assert (leases.apps(tx, ask), leases.repositories(tx, ask)) == ((), ())
        assert (leases.until_app(tx, ask), leases.until_repository(tx, ask)) == (None, None)


def test_a_repository_that_goes_before_its_look_is_left_alone(fleet: planes.Fleet, devgit: DevGit) -> None:
    fleet.repository(devgit, "gone")
    [held] = fleet.lease(leases.repositories)
    with fleet.owner.begin() as tx:
        tx.execute(sa.text("DELETE FROM repositories"))
    assert poll.poll(fleet.plane, held) == 0
