"""Roles over parts: of one app, on some clusters, for a time, for groups; roles of a tenant's own. What is not covered is not there."""

import httpx
import pytest
import sqlalchemy as sa

from plane.server import context
from plane.store.layout import tables
from tests.support import counting
from tests.support.rest import Api, Json, Tenant, app_document, document

AT = "/tenants/acme/rolebindings"
APPS = "/tenants/acme/projects/shop/apps"


def given(name: str, role: str, **spec: object) -> Json:
    return document("RoleBinding", name, {"role": role, "subjects": [{"name": "bob"}], **spec})


def user(name: str, **spec: object) -> Json:
    return document("User", name, spec)


def login(tenant: Tenant, name: str) -> Api:
    return tenant.api.with_token(tenant.api.make(f"/tenants/{tenant.name}/people/{name}/tokens", {"name": "test"})["token"])


@pytest.fixture
def bob(acme: Tenant) -> Api:
    """Somebody of acme without a role, in the group devs."""
    acme.api.make("/tenants/acme/users", user("bob", groups=["devs"]))
    return login(acme, "bob")


@pytest.fixture
def two(acme: Tenant, platform: Api) -> Tenant:
    """Apps web on the cluster east, labelled prod, and api on a cluster that is not there."""
    spec = {"labels": {"env": "prod"}, "grants": [{"tenant": "acme", "namespaces": ["*"]}]}
    platform.put("/clusters/east", document("Cluster", "east", spec))
    acme.api.make(APPS, app_document("web"))
    acme.api.make(APPS, app_document("api", destination={"cluster": "west", "namespace": "shop"}))
    return acme


def names(caller: Api, path: str = APPS) -> tuple[list[str], int]:
    page = caller.get(f"{path}?total=true").json()
    return [each["metadata"]["name"] for each in page["items"]], page["total"]


def test_a_role_over_one_app_shows_that_app_alone(two: Tenant, bob: Api) -> None:
    two.api.make(AT, given("web", "deployer", project="shop", app="web"))
    assert names(bob) == (["web"], 1)
    assert (bob.get(f"{APPS}/web").status_code, bob.post(f"{APPS}/web/refresh", {}).status_code) == (200, 202)
    theirs, absent = (bob.get(f"{APPS}/{name}") for name in ("api", "none"))
    assert (theirs.status_code, theirs.json()["detail"]) == (404, "app 'api' was not found")
    assert absent.json()["detail"].replace("none", "api") == theirs.json()["detail"]
    assert [bob.post(f"{APPS}/{name}/refresh", {}).status_code for name in ("api", "none")] == [404, 404]
    assert bob.delete(f"{APPS}/web").status_code == 403
    assert bob.put(f"{APPS}/new", app_document("new")).status_code == 403
    assert bob.get("/tenants/acme/projects/shop").status_code == 200
    assert bob.get("/tenants/acme/projects/shop/repositories").status_code == 403


def test_a_role_over_an_app_goes_with_it_and_another_of_its_name_has_it_not(two: Tenant, bob: Api, owner: sa.Engine) -> None:
    two.api.make(AT, given("web", "viewer", project="shop", app="web"))
    with owner.begin() as tx:
        tx.execute(sa.delete(tables.apps).where(tables.apps.c.name == "web"))
    two.api.make(APPS, app_document("web"))
    assert two.api.get(f"{AT}/web").status_code == 404
    assert bob.get(f"{APPS}/web").status_code == 404


def test_a_role_on_labelled_clusters_ends_where_the_label_does(two: Tenant, bob: Api, platform: Api) -> None:
    two.api.make(AT, given("prod", "maintainer", clusterLabels={"env": "prod"}))
    assert names(bob) == (["web"], 1)
    document_ = two.api.get(f"{APPS}/web").json() | {"status": None}
    away = document_ | {"spec": document_["spec"] | {"destination": {"cluster": "west", "namespace": "shop"}}}
    refused = bob.put(f"{APPS}/web", away)
    assert (refused.status_code, refused.json()["permission"]) == (403, "app:update")
    assert bob.put(f"{APPS}/web", document_).status_code == 200
    assert bob.put(f"{APPS}/new", app_document("new")).status_code == 201
    assert bob.post(APPS, app_document("more", destination={"cluster": "west", "namespace": "shop"})).status_code == 403
    spec = {"labels": {"env": "test"}, "grants": [{"tenant": "acme", "namespaces": ["*"]}]}
    platform.put("/clusters/east", document("Cluster", "east", spec))
    assert names(bob) == ([], 0)
    assert bob.get(f"{APPS}/web").status_code == 404


def test_a_group_has_what_a_binding_gives_it_and_brings_nothing_above_the_writer(acme: Tenant, bob: Api) -> None:
    group = [{"kind": "Group", "name": "devs"}]
    acme.api.make(AT, document("RoleBinding", "devs", {"role": "viewer", "subjects": group}))
    assert bob.get(APPS).status_code == 200
    acme.api.make(
        "/tenants/acme/roles", document("Role", "hr", {"permissions": ["access:get", "access:create", "access:update", "tenant:get"]})
    )
    acme.api.make("/tenants/acme/users", user("eve"))
    acme.api.make("/tenants/acme/people/eve/roles", {"role": "hr"})
    eve = login(acme, "eve")
    made = eve.post("/tenants/acme/users", user("dan"))
    refused = eve.put("/tenants/acme/users/dan", user("dan", groups=["devs"]))
    assert (made.status_code, refused.status_code, refused.json()["permission"]) == (201, 403, "app:get")
    acme.api.put("/tenants/acme/users/bob", user("bob"))
    assert bob.get(APPS).status_code == 404


def test_a_role_of_the_tenants_own(acme: Tenant, bob: Api) -> None:
    path = "/tenants/acme/roles"
    acme.api.make(path, document("Role", "restarter", {"permissions": ["app:get", "action:apps/*/restart"]}))
    acme.api.make(AT, given("bob", "restarter"))
    assert (bob.get(APPS).status_code, bob.get("/tenants/acme/projects/shop/repositories").status_code) == (200, 403)
    acme.api.put(f"{path}/restarter", document("Role", "restarter", {"permissions": ["repository:get"]}))
    assert (bob.get(APPS).status_code, bob.get("/tenants/acme/projects/shop/repositories").status_code) == (403, 200)
    kept = acme.api.delete(f"{path}/restarter")
    assert (kept.status_code, kept.json()["detail"]) == (409, "role 'restarter' is given still, by rolebinding bob; take it there first")
    acme.api.delete(f"{AT}/bob")
    assert acme.api.delete(f"{path}/restarter").status_code == 200


def test_terms_hold_with_every_request(acme: Tenant, bob: Api) -> None:
    terms: list[tuple[Json, int]] = [
        ({"until": "2001-01-01T00:00:00Z"}, 404),
        ({"networks": ["192.0.2.0/24"]}, 404),
        ({"breakGlass": True}, 404),
        ({"until": "2999-01-01T00:00:00Z"}, 200),
        ({"freshLoginMinutes": 5}, 200),
    ]
    for more, status in terms:
        acme.api.put(f"{AT}/bob", given("bob", "viewer", **more))
        assert (more, bob.get(APPS).status_code) == (more, status)


def test_a_token_that_is_old_is_no_fresh_login(acme: Tenant, bob: Api, owner: sa.Engine) -> None:
    acme.api.make(AT, given("fresh", "viewer", freshLoginMinutes=5))
    with owner.begin() as tx:
        tx.execute(sa.update(tables.tokens).values(created_at=sa.func.now() - sa.text("interval '1 hour'")))
    assert bob.get(APPS).status_code == 404


WRONG: list[tuple[str, Json, Json]] = [
    ("roles", document("Role", "viewer", {"permissions": ["app:get"]}), {"metadata.name": "viewer is built in; choose another name"}),
    (
        "roles",
        document("Role", "x", {"permissions": ["app:fly"]}),
        {
            "spec.permissions[0]": "there is no permission app:fly; app:get, app:create, app:update, app:delete, app:sync, "
            "app:rollback, app:override, app:approve, app:refresh, app:terminate, app:hold, app:logs, app:exec"
        },
    ),
    (
        "roles",
        document("Role", "x", {"permissions": ["secrets:*"]}),
        {"spec.permissions[0]": "there is no permission secrets:*; secrets:reveal"},
    ),
    (
        "roles",
        document("Role", "x", {"permissions": ["app:get", "app:get"]}),
        {"spec.permissions[1]": "app:get is in this list already; keep one"},
    ),
    (
        "rolebindings",
        given("x", "pilot"),
        {
            "spec.role": "there is no Role 'pilot' in tenant acme, and built in are platform-admin, platform-auditor, tenant-owner, "
            "maintainer, deployer, viewer, auditor, admin, editor"
        },
    ),
    ("rolebindings", given("x", "viewer", app="web"), {"spec.project": "must name the project of spec.app"}),
    (
        "rolebindings",
        given("x", "viewer", project="shop", app="web"),
        {"spec.app": "there is no app 'web' in project shop; create it first"},
    ),
    ("rolebindings", given("x", "viewer", until="tomorrow"), {"spec.until": "must be a time as 2030-01-31T18:00:00Z, with its zone"}),
    (
        "rolebindings",
        given("x", "viewer", networks=["192.0.2.1/24"]),
        {
            "spec.networks[0]": "'192.0.2.1/24' is no network; write an address and a length, such as 192.0.2.0/24, "
            "without bits to the right of the length"
        },
    ),
    (
        "rolebindings",
        document("RoleBinding", "x", {"role": "viewer", "subjects": [{"kind": "ServiceAccount", "name": "bob"}]}),
        {"spec.subjects[0].name": "there is no service 'bob' in tenant acme; create it first"},
    ),
    ("rolebindings", given("x", "platform-auditor"), {"spec.role": "platform-auditor is given to the platform's own people only"}),
]


@pytest.mark.usefixtures("bob")
def test_what_cannot_hold_is_refused_where_it_is_wrong(acme: Tenant) -> None:
    for path, body, problems in WRONG:
        refused = acme.api.post(f"/tenants/acme/{path}", body)
        assert (refused.status_code, refused.json().get("problems")) == (400, problems)


def shown(answer: httpx.Response) -> list[str]:
    return [one["metadata"]["name"] for one in answer.json()["items"]]


def test_people_of_single_projects_page_through_them_in_one_transaction(acme: Tenant, plane: context.Plane) -> None:
    for n in range(4):
        body = document("Project", f"p{n}")
        acme.api.make("/tenants/acme/projects", body | {"metadata": {"name": f"p{n}", "labels": {"odd": str(n % 2)}}})
    bob = acme.api.person("acme", "bob", "viewer", project="p0")
    for name in ("p1", "p3"):
        acme.api.make("/tenants/acme/people/bob/roles", {"role": "viewer", "project": name})
    with counting.statements(plane.engine) as one:
        assert shown(bob.get("/tenants/acme/projects?limit=1")) == ["p0"]
    with counting.statements(plane.engine) as all_:
        found = bob.get("/tenants/acme/projects?total=true")
    assert (shown(found), found.json()["total"]) == (["p0", "p1", "p3"], 3)
    assert len(all_) <= len(one) + 1  # the count
    assert shown(bob.get("/tenants/acme/projects?labels=odd%3D1")) == ["p1", "p3"]
    assert bob.get("/tenants/acme/projects/p2").status_code == 404
