"""The filter in SQL and the function in memory give one answer, over random roles, bindings, groups, apps and clusters."""

import uuid
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plane.domain import access
from plane.domain.granting import conditions
from plane.store import engine
from plane.store.layout import tables
from plane.store.people import holding, reached

TENANT, OTHER = "11111111-1111-7111-8111-111111111111", "22222222-2222-7222-8222-222222222222"
PROJECTS = ("aaaaaaaa-0000-7000-8000-000000000001", "aaaaaaaa-0000-7000-8000-000000000002")
CLUSTERS = {
    "cccccccc-0000-7000-8000-000000000001": {"env": "prod"},
    "cccccccc-0000-7000-8000-000000000002": {"env": "test", "zone": "a"},
}
APPS = {
    f"dddddddd-0000-7000-8000-00000000000{n}": (PROJECTS[n % 2], [*CLUSTERS, None][n % 3]) for n in range(1, 7)
}  # id → project and cluster
ADA = "eeeeeeee-0000-7000-8000-000000000001"
GROUPS = ("devs", "ops")
ASKED = ("app:get", "app:sync", "action:apps/Deployment/restart")
PERMISSIONS = ("app:get", "app:*", "*", "*:get", "app:sync", "action:apps/*/restart", "repository:get")


class Given(msgspec.Struct, frozen=True):
    """A binding as rows have it."""

    role: str
    project: str | None
    app: str | None
    clusters: dict[str, str]
    direct: bool
    group: str
    tenant: str
    permissions: tuple[str, ...]


_GIVEN = st.builds(
    Given,
    role=st.sampled_from(["viewer", "deployer", "tenant-owner", "auditor", "own"]),
    project=st.sampled_from([None, *PROJECTS]),
    app=st.none(),
    clusters=st.sampled_from([{}, {}, {"env": "prod"}, {"env": "test"}, {"env": "test", "zone": "a"}, {"zone": "b"}]),
    direct=st.booleans(),
    group=st.sampled_from(["", *GROUPS, "others"]),
    tenant=st.sampled_from([TENANT, TENANT, TENANT, OTHER]),
    permissions=st.lists(st.sampled_from(PERMISSIONS), max_size=2).map(tuple),
)
_ON_APP = st.sampled_from(sorted(APPS)).flatmap(
    lambda app: _GIVEN.map(lambda one: msgspec.structs.replace(one, app=app, project=APPS[app][0], tenant=TENANT))
)


@pytest.fixture
def fleet(owner: sa.Engine, database: engine.Engine) -> engine.Engine:
    """Tenants, projects, clusters, apps and Ada, who is of the group devs."""
    with owner.begin() as tx:
        tx.execute(sa.insert(tables.tenants), [{"id": TENANT, "name": "acme"}, {"id": OTHER, "name": "globex"}])
        for tenant in (TENANT, OTHER):
            for project in PROJECTS:
                tx.execute(sa.insert(tables.projects).values(tenant_id=tenant, id=project, name=project[-4:], fingerprint_key=b""))
        for n, (cluster, marks) in enumerate(CLUSTERS.items()):
            tx.execute(sa.insert(tables.clusters).values(id=cluster, name=f"c{n}", spec={"labels": marks}, labels={"env": "overridden"}))
            tx.execute(sa.insert(tables.cluster_grants).values(tenant_id=TENANT, cluster_id=cluster, namespaces=["*"], cluster_kinds=[]))
        for app, (project, runs_on) in APPS.items():
            row: dict[str, Any] = {
                "tenant_id": TENANT,
                "id": app,
                "project_id": project,
                "name": app[-4:],
                "cluster_id": runs_on,
                "spec": {},
            }
            tx.execute(sa.insert(tables.apps).values(**row))
        tx.execute(sa.insert(tables.principals).values(tenant_id=TENANT, id=ADA, name="ada", groups=["devs"]))
    return database


def write(tx: sa.Connection, everything: list[Given]) -> None:
    for table in (tables.bindings, tables.roles):
        tx.execute(sa.delete(table))
    for n, one in enumerate(everything):
        key, role = str(uuid.UUID(int=n + 1)), f"own-{n}" if one.role == "own" else one.role
        row: dict[str, Any] = {"tenant_id": one.tenant, "id": key, "name": f"b{n}"}
        if one.role == "own":
            tx.execute(sa.insert(tables.roles).values(**row | {"name": role}, permissions=list(one.permissions)))
        place = {"project_id": one.project, "app_id": one.app, "cluster_labels": one.clusters}
        tx.execute(sa.insert(tables.bindings).values(**row, role=role, **place))
        if one.direct:
            tx.execute(sa.insert(tables.binding_subjects).values(tenant_id=one.tenant, binding_id=key, principal_id=ADA))
        if one.group:
            tx.execute(sa.insert(tables.binding_groups).values(tenant_id=one.tenant, binding_id=key, name=one.group))


def expected(everything: list[Given], permission: str) -> set[str]:
    """As the documents say it, without the database."""
    hers = [one for one in everything if one.tenant == TENANT and (one.direct or one.group == "devs")]
    grants = tuple(
        access.Grant(
            one.role,
            one.tenant,
            one.project or "",
            one.app or "",
            one.permissions,
            conditions.Terms(tuple(sorted(one.clusters.items()))),
        )
        for one in hers
    )
    ada = access.Actor(ADA, "ada", grants=grants)
    return {
        app
        for app, (project, cluster) in APPS.items()
        if access.allows(ada, permission, access.Target(TENANT, project, app, CLUSTERS[cluster] if cluster else None))
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(everything=st.lists(_GIVEN | _ON_APP, max_size=6), project=st.sampled_from(["", *PROJECTS]))
def test_what_a_list_shows_is_what_the_door_opens(fleet: engine.Engine, owner: sa.Engine, everything: list[Given], project: str) -> None:
    with owner.begin() as tx:
        write(tx, everything)
    with engine.dispatch(fleet) as tx:
        ada = access.Actor(ADA, "ada", grants=holding.grants(tx, ADA, home=TENANT))
    here = [tables.apps.c.tenant_id == TENANT, *([tables.apps.c.project_id == project] if project else [])]
    for permission in ASKED:
        reach = access.reach(ada, permission, access.Target(TENANT, project))
        with engine.begin(fleet, access.Scope(TENANT, ada)) as tx:
            shown = set(tx.execute(sa.select(tables.apps.c.id).where(*here, *reached.within(reach))).scalars())
        assert shown == {app for app in expected(everything, permission) if not project or APPS[app][0] == project}
