"""What a tenant marks, nobody does alone."""

import pytest
import sqlalchemy as sa

from plane.store.layout import tables
from tests.api.test_access import APPS, given, login, user
from tests.support.rest import Api, Tenant, app_document, document

AT = "/tenants/acme/approvals"
DELETE = f"{APPS}/web"


@pytest.fixture
def marked(acme: Tenant, bob: Api, platform: Api) -> Tenant:
    """Acme wants two people for deletions of apps and for roles."""
    del bob
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:delete", "access:*"]}))
    return acme


@pytest.fixture
def bob(acme: Tenant) -> Api:
    """A maintainer; eve is a viewer."""
    for name, role in (("bob", "maintainer"), ("eve", "viewer")):
        acme.api.make("/tenants/acme/users", user(name))
        acme.api.make("/tenants/acme/rolebindings", document("RoleBinding", name, {"role": role, "subjects": [{"name": name}]}))
    acme.api.make(APPS, app_document("web"))
    return login(acme, "bob")


def test_an_order_waits_for_a_second_person_and_is_done_once(acme: Tenant, bob: Api, platform: Api, owner: sa.Engine) -> None:
    eve = login(acme, "eve")
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


def test_what_is_not_marked_needs_nobody(marked: Tenant) -> None:
    refused = marked.api.post("/tenants/acme/rolebindings", given("x", "viewer"))
    assert (refused.status_code, refused.json()["permission"]) == (409, "access:create")
    assert marked.api.post(f"{APPS}/web/refresh", {}).status_code == 202


def test_a_mark_is_a_permission_that_there_is(platform: Api, acme: Tenant) -> None:
    del acme
    refused = platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["app:fly"]}))
    assert (refused.status_code, list(refused.json()["problems"])) == (400, ["spec.twoPerson[0]"])
