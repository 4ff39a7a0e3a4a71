"""What a tenant marks, nobody does alone."""

import functools
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from plane.server import context
from plane.store.layout import tables
from tests.api.test_access import APPS, given, user
from tests.api.test_access import login as handed
from tests.support import web
from tests.support.rest import Api, Tenant, app_document, document

AT = "/tenants/acme/approvals"
DELETE = f"{APPS}/web"


@pytest.fixture
def acme(acme: Tenant, plane: context.Plane) -> Tenant:
    """Its owner logged in herself."""
    return Tenant(acme.name, web.login(acme.api, plane, "ada", tenant="acme"))


@pytest.fixture
def login(acme: Tenant, plane: context.Plane) -> Callable[[str], Api]:
    """Somebody who logs in themselves."""
    return lambda name: web.login(acme.api, plane, name, tenant="acme")


@pytest.fixture
def marked(acme: Tenant, bob: Api, platform: Api) -> Tenant:
    """Acme wants two people for deletions of apps and for roles."""
    del bob
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:delete", "access:*"]}))
    return acme


@pytest.fixture
def bob(acme: Tenant, login: Callable[[str], Api]) -> Api:
    """A maintainer; eve is a viewer."""
    for name, role in (("bob", "maintainer"), ("eve", "viewer")):
        acme.api.make("/tenants/acme/users", user(name))
        acme.api.make("/tenants/acme/rolebindings", document("RoleBinding", name, {"role": role, "subjects": [{"name": name}]}))
    acme.api.make(APPS, app_document("web"))
    return login("bob")


def test_an_order_waits_for_a_second_person_and_is_done_once(
    acme: Tenant, bob: Api, platform: Api, owner: sa.Engine, login: Callable[[str], Api]
) -> None:
    eve = login("eve")
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:delete"]}))
    first, again = bob.delete(DELETE), bob.delete(DELETE)
    assert (first.status_code, first.json()["permission"], first.json()["approval"]) == (409, "app:delete", again.json()["approval"])
    yes = f"{AT}/{first.json()['approval']}"
    assert [caller.post(yes, {}).status_code for caller in (bob, eve)] == [409, 403]
    assert acme.api.post(yes, {}).json()["order"] == f"DELETE /api/v1{DELETE}"
    assert acme.api.post(yes, {}).status_code == 409
    assert bob.delete(f"{DELETE}?cascade=false").status_code == 409  # another order than the one that was allowed
    assert acme.api.delete(DELETE).status_code == 409  # somebody else's order
    assert bob.delete(DELETE).status_code == 202
    assert bob.delete(DELETE).status_code == 409
    assert [each["person"] for each in eve.get(AT).json()["items"]] == []
    assert any("usedAt" in each for each in bob.get(AT).json()["items"])
    with owner.begin() as tx:
        assert (
            tx.execute(sa.select(sa.func.count()).select_from(tables.apps).where(tables.apps.c.deleted_at.is_not(None))).scalar_one() == 1
        )


def test_a_sync_knows_the_second_person_who_agreed_to_it(acme: Tenant, bob: Api, platform: Api, owner: sa.Engine) -> None:
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:sync"]}))
    approval = bob.post(f"{APPS}/web/sync", {}).json()["approval"]
    assert acme.api.post(f"{AT}/{approval}", {}).status_code == 200
    assert bob.post(f"{APPS}/web/sync", {}).status_code == 202
    with owner.begin() as tx:
        [agreed] = tx.execute(sa.select(tables.apps.c.request)).scalar_one()["agreed"]
        who = tx.execute(sa.select(tables.principals.c.name).where(tables.principals.c.id == agreed["by_id"])).scalar_one()
    assert (agreed["to"], agreed["by"], agreed["approval"]) == ("order", who, approval)


def test_what_is_not_marked_needs_nobody(marked: Tenant) -> None:
    refused = marked.api.post("/tenants/acme/rolebindings", given("x", "viewer"))
    assert (refused.status_code, refused.json()["permission"]) == (409, "access:create")
    assert marked.api.post(f"{APPS}/web/refresh", {}).status_code == 202


def test_a_mark_is_a_permission_that_there_is(platform: Api, acme: Tenant) -> None:
    del acme
    refused = platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:fly"]}))
    assert (refused.status_code, list(refused.json()["problems"])) == (400, ["spec.twoPerson[0]"])


def test_a_put_that_makes_something_needs_whom_its_making_needs(platform: Api, acme: Tenant) -> None:
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:create"]}))
    refused = acme.api.put(f"{APPS}/web", app_document("web"))
    assert (refused.status_code, refused.json()["permission"]) == (409, "app:create")
    assert platform.post(f"{AT}/{refused.json()['approval']}", {}).status_code == 200
    assert [acme.api.put(f"{APPS}/web", app_document("web")).status_code for _ in range(2)] == [201, 200]


def test_an_answer_is_given_again_without_another_yes(platform: Api, acme: Tenant, bob: Api) -> None:
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:refresh"]}))
    refresh = functools.partial(bob.post, f"{APPS}/web/refresh", {}, Idempotency_Key="once")
    assert acme.api.post(f"{AT}/{refresh().json()['approval']}", {}).status_code == 200
    assert [refresh().status_code for _ in range(2)] == [202, 202]
    assert refresh().headers["Idempotency-Replayed"] == "true"
    assert bob.post(f"{APPS}/web/refresh", {}, Idempotency_Key="twice").status_code == 409


def test_a_yes_counts_once_also_where_a_late_sink_blocks_nothing(platform: Api, acme: Tenant) -> None:
    sink = document("Sink", "siem", {"webhook": {"url": "https://siem.example/"}}, data={"hmacKey": "k" * 44})
    acme.api.make("/tenants/acme/sinks", sink)
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["sink:delete"]}))
    refused = acme.api.delete("/tenants/acme/sinks/siem")
    assert platform.post(f"{AT}/{refused.json()['approval']}", {}).status_code == 200
    assert acme.api.delete("/tenants/acme/sinks/siem").status_code == 200
    acme.api.make("/tenants/acme/sinks", sink)
    assert acme.api.delete("/tenants/acme/sinks/siem").status_code == 409


def test_who_may_change_one_app_says_yes_to_no_other(platform: Api, acme: Tenant, bob: Api, login: Callable[[str], Api]) -> None:
    acme.api.make("/tenants/acme/roles", document("Role", "changer", {"permissions": ["app:get", "app:update"]}))
    acme.api.make("/tenants/acme/users", user("kim"))
    over_web = {"role": "changer", "project": "shop", "app": "web", "subjects": [{"name": "kim"}]}
    acme.api.make("/tenants/acme/rolebindings", document("RoleBinding", "kim", over_web))
    kim = login("kim")
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:update"]}))
    answers = {name: kim.post(f"{AT}/{_wanted(bob, name)}", {}).status_code for name in ("web", "other")}
    assert answers == {"web": 200, "other": 403}


def test_nobody_is_both_persons_by_a_token_of_somebody_elses(platform: Api, acme: Tenant, bob: Api, login: Callable[[str], Api]) -> None:
    """Ada asks, or says yes, in the name of an owner whom she made herself, of her robot, of bob; and through one on the way."""
    for name, spec in (("twin", {}), ("robot", {"type": "service"})):
        acme.api.make("/tenants/acme/users", user(name, **spec))
        acme.api.make("/tenants/acme/rolebindings", document("RoleBinding", name, {"role": "tenant-owner", "subjects": [{"name": name}]}))
    twin, robot, as_bob = (handed(acme, name) for name in ("twin", "robot", "bob"))
    third = handed(Tenant("acme", twin), "bob")
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:delete"]}))
    pairs = [(acme.api, twin), (acme.api, third), (robot, acme.api), (as_bob, acme.api), (twin, as_bob), (third, acme.api), (robot, twin)]
    for asks, agrees in pairs:
        yes = f"{AT}/{asks.delete(DELETE).json()['approval']}"
        assert agrees.post(yes, {}).status_code == 409
        assert asks.delete(DELETE).status_code == 409
    assert login("twin").post(f"{AT}/{bob.delete(DELETE).json()['approval']}", {}).status_code == 200
    assert bob.delete(DELETE).status_code == 202


def _wanted(who: Api, app: str) -> str:
    refused = who.put(f"{APPS}/{app}", app_document(app))
    assert refused.status_code == 409, refused.text
    return str(refused.json()["approval"])
