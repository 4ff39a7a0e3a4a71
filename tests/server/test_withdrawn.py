"""A grant that goes, or becomes narrower, while apps run on the cluster and tasks wait for its agent."""

import sqlalchemy as sa

from plane.run.devgit import DevGit
from plane.store.layout import tables
from tests.support import planes

WEB = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"


def app(fleet: planes.Fleet, devgit: DevGit, name: str) -> None:
    url = devgit.create(name, {"web/config.yaml": WEB})
    fleet.app("web", fleet.repository(devgit, name), url)


def withdraw(fleet: planes.Fleet) -> None:
    """As the use case leaves it."""
    with fleet.owner.begin() as tx:
        tx.execute(sa.delete(tables.cluster_grants))
        tx.execute(sa.update(tables.apps).values(cluster_id=None, due_at=fleet.plane.clock.now()))


def decision(fleet: planes.Fleet) -> tuple[str, str]:
    with fleet.owner.begin() as tx:
        found = tx.execute(sa.select(tables.app_states.c.decision)).scalar_one()
        return found.get("code", found["type"]), found["sentence"]


def states(fleet: planes.Fleet) -> list[tuple[str, str, str]]:
    with fleet.owner.begin() as tx:
        return [(row.kind, row.state, row.outcome) for row in tx.execute(sa.select(tables.tasks))]


def test_what_waits_for_an_agent_ends_with_the_grant_and_nothing_is_removed(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "withdrawn")
    fleet.work()
    withdraw(fleet)
    assert fleet.work() == 0
    assert states(fleet) == [("apply", "done", "halted")]
    code, sentence = decision(fleet)
    assert (code, "nothing of it is changed or pruned" in sentence) == ("cluster-unknown", True), sentence


def test_a_task_that_is_claimed_before_anybody_looked_again_may_touch_nothing(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "withdrawn-early")
    fleet.work()
    withdraw(fleet)
    [(task, _)] = fleet.claim()
    assert (task.scope.namespaces, task.scope.cluster_kinds) == ((), ())


def test_a_task_is_signed_with_the_grant_of_that_moment(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "narrowed")
    fleet.work()
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.cluster_grants).values(namespaces=["acme-*"]))
    [(task, _)] = fleet.claim()
    assert task.scope.namespaces == ("acme-*",)


def test_an_app_that_is_deleted_without_the_grant_waits_for_somebody_to_leave_its_objects(fleet: planes.Fleet, devgit: DevGit) -> None:
    app(fleet, devgit, "withdrawn-deleted")
    fleet.work()
    withdraw(fleet)
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.apps).values(deleted_at=fleet.plane.clock.now()))
    assert fleet.work() == 0
    assert "plane app delete --keep-objects" in decision(fleet)[1]
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.apps).values(request={"actor": "ada", "trigger": "orphan"}, due_at=fleet.plane.clock.now()))
    fleet.work()
    with fleet.owner.begin() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(tables.apps)).scalar_one() == 0


def test_objects_beyond_the_tenants_part_of_a_cluster_are_refused(fleet: planes.Fleet, devgit: DevGit) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.cluster_grants).values(limits={"capacity": {"objects": 1}}))
    app(fleet, devgit, "roomy")
    assert fleet.work() == 0
    assert "part of cluster east, in objects, is used up: its other apps leave room for 1 and this one has 2" in decision(fleet)[1]
