"""Role bindings as documents: they hold with the next request, and nobody gives or takes above their own."""

import pytest

from tests.api.test_users import binding, user
from tests.support.rest import Api, Json, Tenant, document

AT = "/tenants/acme/rolebindings"


def roles(caller: Api) -> list[tuple[str, str]]:
    return [(each["role"], each.get("project", "")) for each in caller.get("/me").json()["roles"]]


@pytest.fixture
def bob(acme: Tenant) -> Api:
    """Somebody of acme without a role."""
    acme.api.make("/tenants/acme/users", user("bob"))
    return acme.api.with_token(acme.api.make("/tenants/acme/people/bob/tokens", {"name": "test"})["token"])


def test_a_binding_holds_with_the_next_request_and_ends_with_it(acme: Tenant, bob: Api) -> None:
    assert bob.get(f"{acme.shop}/apps").status_code == 404
    acme.api.make(AT, binding("shop-viewers", "viewer", "bob", project="shop"))
    assert (roles(bob), bob.get(f"{acme.shop}/apps").status_code) == ([("viewer", "shop")], 200)
    acme.api.put(f"{AT}/shop-viewers", binding("shop-viewers", "editor", "bob"))
    assert roles(bob) == [("editor", "")]
    acme.api.put(f"{AT}/shop-viewers", binding("shop-viewers", "editor"))
    assert bob.get(f"{acme.shop}/apps").status_code == 404
    acme.api.put(f"{AT}/shop-viewers", binding("shop-viewers", "editor", "bob"))
    acme.api.delete(f"{AT}/shop-viewers")
    assert bob.get(f"{acme.shop}/apps").status_code == 404


def test_of_two_bindings_that_give_a_role_one_may_go(acme: Tenant, bob: Api) -> None:
    for name in ("one", "two"):
        acme.api.make(AT, binding(name, "viewer", "bob"))
    acme.api.make("/tenants/acme/people/bob/roles", {"role": "viewer"})
    assert roles(bob) == [("viewer", "")]
    acme.api.delete(f"{AT}/one")
    assert acme.api.delete("/tenants/acme/people/bob/roles?role=viewer").json()["bindings"] == ["two"]
    assert roles(bob) == [("viewer", "")]
    acme.api.delete(f"{AT}/two")
    assert roles(bob) == []


def test_a_role_of_a_binding_is_not_taken_by_hand(acme: Tenant, bob: Api) -> None:
    acme.api.make(AT, binding("viewers", "viewer", "bob", project="shop"))
    kept = acme.api.delete("/tenants/acme/people/bob/roles?role=viewer&project=shop")
    assert (kept.status_code, kept.json()["detail"]) == (
        409,
        "the role viewer of 'bob' comes from rolebinding viewers; take 'bob' out of its subjects",
    )
    assert acme.api.delete("/tenants/acme/people/bob/roles?role=viewer").status_code == 404


def test_people_are_listed_with_roles_from_both(acme: Tenant, bob: Api) -> None:
    acme.api.make(AT, binding("viewers", "viewer", "bob", project="shop"))
    acme.api.make("/tenants/acme/people/bob/roles", {"role": "editor"})
    [_, found] = acme.api.get("/tenants/acme/people").json()["items"]
    assert found["roles"] == [
        {"role": "editor", "project": "", "binding": ""},
        {"role": "viewer", "project": "shop", "binding": "viewers"},
    ]


def test_a_binding_is_read_back_and_an_equal_one_changes_nothing(acme: Tenant, bob: Api) -> None:
    wanted = binding("viewers", "viewer", "bob", "ada")
    made = acme.api.put(f"{AT}/viewers", wanted)
    again = acme.api.put(f"{AT}/viewers", wanted)
    assert (made.status_code, again.status_code, again.headers["ETag"]) == (201, 200, '"1"')
    assert [each["name"] for each in again.json()["spec"]["subjects"]] == ["bob", "ada"]
    assert acme.api.put(f"{AT}/viewers", wanted, If_Match='"7"').status_code == 412


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (binding("x", "viewer", "ada", "nobody"), {"spec.subjects[1].name": "there is no user 'nobody' in tenant acme; create it first"}),
        (binding("x", "viewer", "ada", "ada"), {"spec.subjects[1].name": "ada is in this list already; keep one"}),
        (binding("x", "viewer", "ada", project="lab"), {"spec.project": "there is no project 'lab' here"}),
        (binding("x", "platform-admin", "ada"), {"spec.role": "platform-admin is given to the platform's own people only"}),
        (
            document("RoleBinding", "x", {"role": "viewer", "subjects": [{"kind": "User", "name": "admin", "platform": True}]}),
            {"spec.subjects[0].name": "there is no user 'admin' of the platform; create it first"},
        ),
    ],
    ids=["unknown user", "twice", "unknown project", "the platform's role", "not the tenant's to name"],
)
def test_a_binding_that_cannot_hold_is_refused_where_it_is_wrong(acme: Tenant, body: Json, problems: Json) -> None:
    refused = acme.api.post(AT, body)
    assert (refused.status_code, refused.json()["problems"]) == (400, problems)


def test_the_platforms_bindings_give_the_platforms_role_to_its_own_people(platform: Api, acme: Tenant) -> None:
    platform.make("/users", user("ana"))
    assert platform.post("/rolebindings", binding("x", "viewer", "ana")).json()["problems"] == {
        "spec.role": "viewer is given to people of a tenant only"
    }
    assert set(platform.post("/rolebindings", binding("x", "platform-admin", "ada")).json()["problems"]) == {"spec.subjects[0].name"}
    assert set(platform.post("/rolebindings", binding("x", "platform-admin", "ana", project="shop")).json()["problems"]) == {"spec.project"}
    platform.make("/rolebindings", binding("admins", "platform-admin", "ana"))
    ana = platform.with_token(platform.make("/people/ana/tokens", {"name": "test"})["token"])
    assert ana.get(f"{acme.shop}/apps").status_code == 200


def test_one_of_the_platforms_people_may_hold_a_role_in_a_tenant(platform: Api, acme: Tenant, globex: Tenant) -> None:
    platform.make("/users", user("ana"))
    ana = platform.with_token(platform.make("/people/ana/tokens", {"name": "test"})["token"])
    guest = document("RoleBinding", "guests", {"role": "viewer", "project": "shop", "subjects": [{"name": "ana", "platform": True}]})
    platform.make(AT, guest)
    assert (ana.get(f"{acme.shop}/apps").status_code, ana.get(f"{globex.shop}/apps").status_code) == (200, 404)
    assert platform.get("/users/ana").json()["status"]["roles"] == [
        {"role": "viewer", "tenant": "acme", "project": "shop", "binding": "guests"}
    ]
    wider = guest | {"spec": guest["spec"] | {"role": "editor"}}
    assert acme.api.put(f"{AT}/guests", wider).status_code == 200  # whom the platform put there, the tenant may keep
    platform.delete("/users/ana")
    assert acme.api.get(f"{AT}/guests").json()["spec"]["subjects"] == []


def test_an_admin_of_one_project_touches_no_binding(acme: Tenant, bob: Api) -> None:
    acme.api.make(AT, binding("lead", "admin", "bob", project="shop"))
    acme.api.make(AT, binding("admins", "admin", "ada"))
    raised = binding("lead", "admin", "bob")
    assert [
        answer.status_code
        for answer in (bob.put(f"{AT}/lead", raised), bob.post(AT, binding("mine", "admin", "bob")), bob.delete(f"{AT}/admins"))
    ] == [403, 403, 403]


def test_a_project_takes_its_bindings_along(acme: Tenant, bob: Api) -> None:
    acme.api.make(AT, binding("viewers", "viewer", "bob", project="shop"))
    assert acme.api.delete("/tenants/acme/projects/shop").status_code == 200
    assert (acme.api.get(f"{AT}/viewers").status_code, roles(bob)) == (404, [])


def test_a_tenant_takes_its_users_and_bindings_along(platform: Api, acme: Tenant, bob: Api) -> None:
    acme.api.make(AT, binding("viewers", "viewer", "bob"))
    acme.api.delete("/tenants/acme/projects/shop")
    platform.put("/clusters/east", document("Cluster", "east"))
    assert platform.delete("/tenants/acme").status_code == 200
    assert bob.get("/me").status_code == 401
    platform.make("/tenants", document("Tenant", "acme"))
    assert platform.get(AT).json()["items"] == []


def test_a_projects_admin_manages_the_bindings_of_the_project_and_no_others(acme: Tenant, bob: Api) -> None:
    lead = acme.api.person("acme", "lead", "admin", project="shop")
    mine, there = f"{acme.shop}/rolebindings", binding("crew", "viewer", "bob", project="shop")
    made = lead.make(mine, there)
    assert (made["metadata"]["project"], roles(bob)) == ("shop", [("viewer", "shop")])
    assert lead.put(f"{mine}/crew", binding("crew", "editor", "bob", project="shop")).status_code == 200
    assert [each["metadata"]["name"] for each in lead.get(mine).json()["items"]] == ["crew"]
    assert acme.api.get(f"{AT}/crew").json()["spec"]["role"] == "editor"  # one and the same
    assert lead.delete(f"{mine}/crew").status_code == 200
    assert bob.get(f"{acme.shop}/apps").status_code == 404


def test_a_projects_admin_gives_nothing_beyond_the_project(acme: Tenant, bob: Api) -> None:
    lead = acme.api.person("acme", "lead", "admin", project="shop")
    acme.api.make("/tenants/acme/projects", document("Project", "other"))
    acme.api.make(AT, binding("all", "viewer", "bob"))
    mine = f"{acme.shop}/rolebindings"
    for spec in ({}, {"project": "other"}):
        wider = lead.post(mine, binding("wider", "viewer", "bob", **spec))
        assert (wider.status_code, wider.json().get("problems", {}).get("spec.project")) == (
            400,
            "must be shop, the project that the address names",
        )
    assert lead.get(f"{mine}/all").status_code == 404
    assert lead.delete(f"{mine}/all").status_code == 404
    assert lead.post("/tenants/acme/projects/other/rolebindings", binding("x", "viewer", "bob", project="other")).status_code == 404
    assert lead.post(AT, binding("x", "viewer", "bob", project="shop")).status_code == 403
