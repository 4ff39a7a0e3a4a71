"""In which order the work of several tenants is taken."""

import collections

import pytest
import sqlalchemy as sa

from plane.server import context
from plane.store import engine
from plane.store.delivering import leases
from plane.store.layout import tables
from tests.support import planes
from tests.support.rest import Api, Tenant, document


@pytest.fixture
def two(plane: context.Plane, owner: sa.Engine) -> dict[str, planes.Fleet]:
    """Two tenants with nine due apps each."""
    made = {name: planes.make_fleet(plane, owner, tenant=name, project="shop", cluster=f"of-{name}") for name in ("acme", "globex")}
    for name, fleet in made.items():
        url = f"https://git.example/{name}"
        place = {"tenant_id": fleet.tenant, "project_id": fleet.project, "name": name, "spec": {"url": url}, "url": url}
        repository = fleet.add(tables.repositories, **place)
        for n in range(9):
            fleet.app(f"app-{n}", repository, url)
    return made


def weigh(fleet: planes.Fleet, weight: int) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.tenants).where(tables.tenants.c.id == fleet.tenant).values(weight=weight))


def taken(plane: context.Plane, two: dict[str, planes.Fleet], limit: int) -> dict[str, int]:
    """How many of each tenant's apps a worker with so much room takes."""
    with engine.dispatch(plane.engine) as tx:
        found = leases.apps(tx, leases.Ask(plane.clock.id(), plane.clock.now(), limit=limit, each=limit))
    counted = collections.Counter(one.tenant for one in found)
    return {name: counted[fleet.tenant] for name, fleet in two.items()}


def test_tenants_of_one_weight_take_turns(plane: context.Plane, two: dict[str, planes.Fleet]) -> None:
    assert taken(plane, two, 8) == {"acme": 4, "globex": 4}


def test_a_tenant_of_weight_three_has_three_turns_to_anothers_one(plane: context.Plane, two: dict[str, planes.Fleet]) -> None:
    weigh(two["globex"], 3)
    assert taken(plane, two, 8) == {"acme": 2, "globex": 6}


def test_a_tenants_failing_apps_come_after_its_well_ones_and_before_nobody_elses(
    plane: context.Plane, two: dict[str, planes.Fleet]
) -> None:
    ill = two["acme"]
    with ill.owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET lane = 1, failures = 1 WHERE tenant_id = :t AND name < 'app-7'"), {"t": ill.tenant})
    with engine.dispatch(plane.engine) as tx:
        found = leases.apps(tx, leases.Ask(plane.clock.id(), plane.clock.now(), limit=6, each=6))
    names = {str(row.id): row.name for row in _apps(ill)}
    mine = {names[one.id] for one in found if one.tenant == ill.tenant}
    assert (len(found), len(mine), {"app-7", "app-8"} <= mine) == (6, 3, True)


def _apps(fleet: planes.Fleet) -> list[engine.Row]:
    with fleet.owner.begin() as tx:
        return list(tx.execute(sa.select(tables.apps.c.id, tables.apps.c.name).where(tables.apps.c.tenant_id == fleet.tenant)))


def test_the_platform_sets_a_tenants_weight(platform: Api, acme: Tenant, owner: sa.Engine) -> None:
    assert platform.put("/tenants/acme", document("Tenant", "acme", {"weight": 5})).is_success
    assert platform.put("/tenants/acme", document("Tenant", "acme", {"weight": 0})).status_code == 400
    assert acme.api.put("/tenants/acme", document("Tenant", "acme", {"weight": 100})).status_code == 403
    with owner.begin() as tx:
        assert tx.execute(sa.select(tables.tenants.c.weight)).scalars().all() == [5]
