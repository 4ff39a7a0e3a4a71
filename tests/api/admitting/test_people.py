"""Who may do what: roles, tokens, and the rule that nobody gives more than they hold."""

import datetime as dt

import pytest
import sqlalchemy as sa

from plane.server import authorise, context
from tests.support import planes
from tests.support.planes import MovableClock
from tests.support.rest import Api, Tenant, app_document, document


def test_a_request_without_a_token_is_refused(acme: Tenant) -> None:
    answer = acme.api.client.get("/api/v1/me")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="gitops-plane"')


@pytest.mark.parametrize("token", ["x", "gp_user_AAAA_000000", "gp_user_é_1", ""])
def test_a_made_up_token_is_refused(acme: Tenant, token: str) -> None:
    assert acme.api.client.get("/api/v1/me", headers=[(b"Authorization", b"Bearer " + token.encode())]).status_code == 401


def test_a_well_formed_but_unknown_token_is_refused(acme: Tenant) -> None:
    assert acme.api.with_token(authorise.new_secret("user")).get("/me").json()["detail"].startswith("the token is unknown")


def test_an_expired_token_is_refused_and_told_when(acme: Tenant, plane: context.Plane) -> None:
    assert isinstance(plane.clock, MovableClock)
    plane.clock.ahead = dt.timedelta(days=91)
    answer = acme.api.get("/me")
    assert answer.status_code == 401
    assert "the token expired at" in answer.json()["detail"]


def test_a_revoked_token_is_refused_at_once(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    [token] = acme.api.get("/tenants/acme/people/bob/tokens").json()["items"]
    assert bob.get("/me").status_code == 200
    assert acme.api.delete(f"/tenants/acme/people/bob/tokens/{token['id']}").status_code == 200
    assert bob.get("/me").json()["detail"].startswith("the token was revoked")


def test_a_disabled_person_is_out_at_once_and_can_come_back(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    acme.api.post("/tenants/acme/people/bob/disable")
    assert bob.get("/me").status_code == 401
    acme.api.post("/tenants/acme/people/bob/enable")
    assert bob.get("/me").status_code == 200


def test_a_role_ends_when_it_is_taken(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    assert acme.api.delete("/tenants/acme/people/bob/roles?role=viewer").status_code == 200
    assert bob.get("/tenants/acme").status_code == 404


def test_me_names_the_roles(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "editor", project="shop")
    me = bob.get("/me").json()
    assert (me["name"], me["roles"]) == ("bob", [{"role": "editor", "tenant": "acme", "project": "shop"}])


def test_a_viewer_reads_and_is_told_what_is_lacking(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    assert bob.get(f"{acme.shop}/apps").status_code == 200
    refused = bob.post(f"{acme.shop}/apps", app_document("web"))
    assert (refused.status_code, refused.json()["permission"]) == (403, "app:create")


def test_refused_writing_is_in_the_audit_log(acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    acme.api.person("acme", "bob", "viewer").delete(f"{acme.shop}/apps/web")
    planes.seal(plane, owner)
    events = [item["event"] for item in acme.api.get("/tenants/acme/audit").json()["items"]]
    assert [(each["actor"]["name"], each["message"]) for each in events if each["type"] == "access.denied"] == [
        ("bob", "app:delete on acme/shop/web")
    ]


def test_somebody_of_one_project_sees_that_project_alone(acme: Tenant) -> None:
    acme.api.make("/tenants/acme/projects", document("Project", "backoffice"))
    bob = acme.api.person("acme", "bob", "editor", project="shop")
    assert [item["metadata"]["name"] for item in bob.get("/tenants/acme/projects").json()["items"]] == ["shop"]
    assert bob.get("/tenants/acme/projects/backoffice").json()["detail"] == "project 'backoffice' was not found"
    assert bob.get("/tenants/acme/projects/backoffice/apps").status_code == 404
    assert bob.post(f"{acme.shop}/apps", app_document("web")).status_code == 201


def test_nobody_gives_a_role_above_their_own(acme: Tenant) -> None:
    acme.api.make("/tenants/acme/people", {"name": "eve"})
    lead = acme.api.person("acme", "lead", "admin", project="shop")
    assert lead.post("/tenants/acme/people/eve/roles", {"role": "viewer", "project": "shop"}).status_code == 201
    assert lead.post("/tenants/acme/people/eve/roles", {"role": "viewer"}).status_code == 403
    assert acme.api.post("/tenants/acme/people/eve/roles", {"role": "platform-admin"}).status_code == 400


def test_an_editor_gives_no_roles_and_makes_no_tokens(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "editor")
    assert bob.post("/tenants/acme/people/ada/tokens", {"name": "stolen"}).status_code == 403
    assert bob.post("/tenants/acme/people/bob/roles", {"role": "admin"}).status_code == 403


def test_tenants_are_listed_to_their_people_only(platform: Api, acme: Tenant, globex: Tenant) -> None:
    assert [item["metadata"]["name"] for item in platform.get("/tenants").json()["items"]] == ["acme", "globex"]
    assert [item["metadata"]["name"] for item in globex.api.get("/tenants").json()["items"]] == ["globex"]


def test_a_tenant_sees_its_part_of_a_cluster(acme: Tenant, globex: Tenant) -> None:
    [east] = acme.api.get("/tenants/acme/clusters").json()["items"]
    assert (east["metadata"]["name"], [grant["tenant"] for grant in east["spec"]["grants"]]) == ("east", ["acme"])
    assert acme.api.get("/clusters").status_code == 403


def test_a_deleted_tenants_people_are_gone(platform: Api, acme: Tenant) -> None:
    acme.api.delete("/tenants/acme/projects/shop")
    platform.put("/clusters/east", document("Cluster", "east"))
    assert platform.delete("/tenants/acme").status_code == 200
    assert acme.api.get("/me").status_code == 401
