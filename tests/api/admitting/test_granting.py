"""Who may do what, asked of the plane; break-glass roles."""

import pytest
import sqlalchemy as sa

from plane.store.layout import audit_tables, tables
from tests.api.test_access import APPS, AT, given, login, user
from tests.support.rest import Api, Json, Tenant, app_document, document

CAN = "/tenants/acme/can-i"
GLASS = f"{AT}/rescue/glass"
LOGGED = "access.glass.taken"
REASON = {"reason": "The shop is down", "minutes": 30}


@pytest.fixture
def bob(acme: Tenant) -> Api:
    """Viewer of the shop, deployer of its app web, and of devs."""
    acme.api.make("/tenants/acme/users", user("bob", groups=["devs"]))
    acme.api.make(APPS, app_document("web"))
    acme.api.make(APPS, app_document("api"))
    acme.api.make(AT, given("shop", "viewer", project="shop"))
    acme.api.make(AT, given("web", "deployer", project="shop", app="web"))
    return login(acme, "bob")


def ask(caller: Api, words: str) -> Json:
    verb, resource, place, *rest = words.split()
    project, _, app = place.partition("/")
    who = f"&who={rest[0]}" if rest else ""
    found: Json = caller.get(f"{CAN}?verb={verb}&resource={resource}&project={project.strip('-')}&app={app}{who}").json()
    return found


ANSWERS: list[tuple[str, bool, str]] = [
    ("get app shop/web", True, "rolebinding shop gives viewer over acme/shop, which holds app:get"),
    ("sync app shop/web", True, "rolebinding web gives deployer over acme/shop/one app, which holds app:sync"),
    (
        "sync app shop/api",
        False,
        "nothing gives bob app:sync over acme/shop/api; rolebinding shop gives viewer over acme/shop, which does not hold app:sync",
    ),
    ("list repositories shop", True, "rolebinding shop gives viewer over acme/shop, which holds repository:get"),
    ("create project -", False, "nothing gives bob project:create over acme"),
]


def test_one_may_ask_for_oneself(bob: Api) -> None:
    found = [(words, said["allowed"], said["because"]) for words, _, _ in ANSWERS if (said := ask(bob, words))]
    assert found == ANSWERS


def test_what_is_answered_is_what_is_done(bob: Api) -> None:
    for app in ("web", "api"):
        said = ask(bob, f"refresh app shop/{app}")["allowed"]
        assert (bob.post(f"{APPS}/{app}/refresh", {}).status_code == 202) is said


def test_for_others_asks_who_may_read_people(acme: Tenant, bob: Api) -> None:
    assert ask(acme.api, "sync app shop/web bob")["allowed"]
    assert ask(bob, "sync app shop/web ada")["permission"] == "access:get"
    assert bob.get("/tenants/acme/who-can?verb=sync&resource=app").status_code == 403
    assert ask(acme.api, "sync app shop/web nobody")["detail"] == "user 'nobody' was not found"


def test_who_can_names_people_groups_and_what_they_wait_for(acme: Tenant, bob: Api) -> None:
    del bob
    acme.api.make(AT, document("RoleBinding", "devs", {"role": "deployer", "subjects": [{"kind": "Group", "name": "devs"}]}))
    acme.api.make(AT, given("rescue", "tenant-owner", breakGlass=True))
    found = acme.api.get("/tenants/acme/who-can?verb=sync&resource=app&project=shop&app=web").json()["items"]
    assert [(each["kind"], each["name"], each["role"], each.get("now", False)) for each in found] == [
        ("User", "ada", "admin", True),
        ("User", "bob", "deployer", True),
        ("User", "bob", "tenant-owner", False),
        ("Group", "devs", "deployer", True),
    ]


def test_explain_shows_all_that_was_weighed(bob: Api) -> None:
    found = bob.get("/tenants/acme/explain-access?verb=sync&resource=app&project=shop&app=web").json()
    assert [each["verdict"] for each in found["weighed"]] == ["allows", "lacks"]


def test_an_app_that_one_may_not_know_is_absent_here_too(acme: Tenant, bob: Api) -> None:
    acme.api.delete(f"{AT}/shop")
    theirs, none = ask(bob, "get app shop/api"), ask(bob, "get app shop/none")
    assert theirs["detail"].replace("api", "none") == none["detail"] == "app 'none' was not found"


def test_a_break_glass_role_is_held_while_it_is_taken(acme: Tenant, bob: Api, owner: sa.Engine) -> None:
    acme.api.make(AT, given("rescue", "maintainer", project="shop", breakGlass=True))
    assert bob.put(f"{APPS}/api", app_document("api")).status_code == 403
    taken = bob.make(GLASS, REASON)
    assert (taken["role"], taken["person"], taken["reason"]) == ("maintainer", "bob", "The shop is down")
    assert bob.put(f"{APPS}/api", app_document("api")).status_code == 200
    with owner.begin() as tx:
        assert tx.execute(sa.select(audit_tables.events.c.type).order_by(audit_tables.events.c.id.desc())).scalars().first() == LOGGED
    assert acme.api.get("/tenants/acme/glass").json()["items"][0]["reason"] == "The shop is down"
    assert bob.delete(GLASS).status_code == 200
    assert bob.put(f"{APPS}/api", app_document("api")).status_code == 403
    assert bob.delete(GLASS).status_code == 409


def test_a_service_takes_no_break_glass_role(acme: Tenant) -> None:
    acme.api.make("/tenants/acme/users", document("User", "robot", {"type": "service"}))
    wanted = document("RoleBinding", "rescue", {"role": "maintainer", "subjects": [{"name": "robot"}], "breakGlass": True})
    acme.api.make(AT, wanted)
    refused = login(acme, "robot").post(GLASS, REASON)
    assert (refused.status_code, "is taken by people, and 'robot' is a service" in refused.text) == (409, True)
    named = acme.api.put(f"{AT}/rescue", wanted | {"spec": wanted["spec"] | {"subjects": [{"kind": "ServiceAccount", "name": "robot"}]}})
    assert (named.status_code, list(named.json()["problems"])) == (400, ["spec.subjects[0].kind"])


def test_a_suspended_tenants_people_take_no_role_and_give_theirs_back(platform: Api, acme: Tenant, bob: Api) -> None:
    acme.api.make(AT, given("rescue", "maintainer", project="shop", breakGlass=True))
    bob.make(GLASS, REASON)
    platform.put("/tenants/acme", document("Tenant", "acme", {"suspended": "the contract ended"}))
    refused = bob.post(GLASS, REASON)
    assert (refused.status_code, "tenant acme is suspended" in refused.text) == (409, True)
    assert bob.delete(GLASS).status_code == 200


def test_a_taken_role_ends_with_its_time_its_binding_and_its_subject(acme: Tenant, bob: Api, owner: sa.Engine) -> None:
    wanted = given("rescue", "maintainer", project="shop", breakGlass=True)
    acme.api.make(AT, wanted)
    bob.make(GLASS, REASON)
    acme.api.put(f"{AT}/rescue", wanted | {"spec": wanted["spec"] | {"subjects": []}})
    assert bob.put(f"{APPS}/api", app_document("api")).status_code == 403
    acme.api.put(f"{AT}/rescue", wanted)
    assert bob.put(f"{APPS}/api", app_document("api")).status_code == 200
    with owner.begin() as tx:
        tx.execute(sa.update(tables.glass).values(until=sa.func.now()))
    assert bob.put(f"{APPS}/api", app_document("api")).status_code == 403


def test_glass_is_for_those_whom_its_binding_names(acme: Tenant, globex: Tenant, bob: Api) -> None:
    acme.api.make(AT, given("rescue", "maintainer", project="shop", breakGlass=True))
    for caller, status in ((acme.api, 404), (globex.api, 404)):
        assert caller.post(GLASS, REASON).status_code == status
    assert bob.post(f"{AT}/shop/glass", REASON).status_code == 404  # a binding that needs no breaking
    assert globex.api.post(GLASS, REASON).json()["detail"] == "tenant 'acme' was not found"


def test_glass_needs_a_reason_and_ends_within_hours(acme: Tenant, bob: Api) -> None:
    acme.api.make(AT, given("rescue", "maintainer", breakGlass=True))
    bodies: list[Json] = [{"reason": "short"}, REASON | {"minutes": 241}, {"minutes": 5}]
    assert [bob.post(GLASS, body).status_code for body in bodies] == [400, 400, 400]


def test_what_was_taken_for_a_time_is_not_given_for_longer(acme: Tenant, bob: Api) -> None:
    acme.api.make(AT, given("rescue", "tenant-owner", breakGlass=True))
    bob.make(GLASS, REASON)
    refused = bob.post(AT, given("mine", "tenant-owner"))
    assert (refused.status_code, refused.json()["permission"]) == (403, "access:create")
    assert bob.post("/tenants/acme/people/bob/roles", {"role": "tenant-owner"}).status_code == 403
    assert bob.post("/tenants/acme/people/ada/tokens", {"name": "x"}).status_code == 403
    assert bob.post(AT, given("mine", "viewer", project="shop")).status_code == 201
