"""Users as documents: what is written is read back, what they hold is told, and who goes is gone at once."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from plane.server import context
from tests.support import planes
from tests.support.planes import MovableClock
from tests.support.rest import Api, Tenant, document

Json = dict[str, Any]
LAST = "this would leave the platform without an admin who may log in; make somebody else platform-admin first"


def user(name: str, **spec: object) -> Json:
    return document("User", name, spec)


def binding(name: str, role: str, *names: str, **more: object) -> Json:
    return document("RoleBinding", name, {"role": role, "subjects": [{"kind": "User", "name": each} for each in names], **more})


def events(caller: Api, path: str) -> list[tuple[str, Json]]:
    found = [item["event"] for item in caller.get(path).json()["items"]]
    return [(each["type"], each.get("details", {})) for each in found]


def test_a_user_is_read_back_with_what_it_holds(acme: Tenant) -> None:
    made = acme.api.make("/tenants/acme/users", user("ci", type="service", description="Builds images"))
    assert (made["metadata"], made["spec"]) == (
        {"name": "ci", "tenant": "acme"},
        {"type": "service", "disabled": False, "description": "Builds images", "groups": []},
    )
    acme.api.make("/tenants/acme/people/ci/roles", {"role": "viewer"})
    acme.api.make("/tenants/acme/rolebindings", binding("deployers", "editor", "ci", project="shop"))
    token = acme.api.make("/tenants/acme/people/ci/tokens", {"name": "runner", "days": 30})
    status = acme.api.get("/tenants/acme/users/ci").json()["status"]
    assert status["roles"] == [
        {"role": "viewer", "tenant": "acme"},
        {"role": "editor", "tenant": "acme", "project": "shop", "binding": "deployers"},
    ]
    assert (status["tokens"], status["tokensExpire"], status["version"]) == (1, token["expiresAt"], 1)


def test_a_person_made_by_hand_is_a_document_too(acme: Tenant) -> None:
    acme.api.make("/tenants/acme/people", {"name": "bob"})
    assert [each["metadata"]["name"] for each in acme.api.get("/tenants/acme/users").json()["items"]] == ["ada", "bob"]
    changed = acme.api.put("/tenants/acme/users/bob", user("bob", description="Bob"), If_Match='"1"')
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert acme.api.put("/tenants/acme/users/bob", user("bob"), If_Match='"1"').status_code == 412


def test_tokens_that_ended_do_not_count(acme: Tenant) -> None:
    acme.api.person("acme", "bob", "viewer")
    [token] = acme.api.get("/tenants/acme/people/bob/tokens").json()["items"]
    acme.api.delete(f"/tenants/acme/people/bob/tokens/{token['id']}")
    assert "tokens" not in acme.api.get("/tenants/acme/users/bob").json()["status"]


def test_labels_select_users(acme: Tenant) -> None:
    acme.api.make("/tenants/acme/users", user("bob") | {"metadata": {"name": "bob", "labels": {"team": "web"}}})
    assert [each["metadata"]["name"] for each in acme.api.get("/tenants/acme/users?labels=team=web").json()["items"]] == ["bob"]


def test_who_is_disabled_by_a_document_is_out_at_once(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    acme.api.put("/tenants/acme/users/bob", user("bob", disabled=True))
    assert bob.get("/me").status_code == 401
    assert acme.api.get("/tenants/acme/people").json()["items"][1]["disabled"] is True
    acme.api.put("/tenants/acme/users/bob", user("bob"))
    assert bob.get("/me").status_code == 200


def test_disabling_by_hand_is_a_new_version(acme: Tenant) -> None:
    acme.api.make("/tenants/acme/users", user("bob"))
    acme.api.post("/tenants/acme/people/bob/disable")
    found = acme.api.get("/tenants/acme/users/bob")
    assert (found.json()["spec"]["disabled"], found.headers["ETag"]) == (True, '"2"')


def test_a_deleted_users_tokens_and_roles_end_and_never_come_back(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    acme.api.make("/tenants/acme/rolebindings", binding("editors", "editor", "ada", "bob"))
    assert acme.api.delete("/tenants/acme/users/bob").status_code == 200
    assert bob.get("/me").status_code == 401
    left = acme.api.get("/tenants/acme/rolebindings/editors")
    assert ([each["name"] for each in left.json()["spec"]["subjects"]], left.headers["ETag"]) == (["ada"], '"2"')
    acme.api.make("/tenants/acme/users", user("bob"))
    assert "roles" not in acme.api.get("/tenants/acme/users/bob").json()["status"]


def test_the_record_keeps_a_deleted_users_name(acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    acme.api.make("/tenants/acme/users", user("bob"))
    acme.api.put("/tenants/acme/users/bob", user("bob", description="Bob"))
    acme.api.make("/tenants/acme/rolebindings", binding("editors", "editor", "bob"))
    acme.api.delete("/tenants/acme/users/bob")
    planes.seal(plane, owner)
    told = dict(events(acme.api, "/tenants/acme/audit"))
    assert (told["user.updated"]["before"]["description"], told["user.updated"]["after"]["description"]) == ("", "Bob")
    assert told["user.deleted"]["before"]["description"] == "Bob"
    assert [each["name"] for each in told["rolebinding.updated"]["before"]["subjects"]] == ["bob"]
    assert told["rolebinding.updated"]["after"]["subjects"] == []


def test_the_record_names_the_roles_that_end_with_a_user(acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    acme.api.make("/tenants/acme/users", user("bob"))
    acme.api.make("/tenants/acme/people/bob/roles", {"role": "viewer", "project": "shop"})
    acme.api.delete("/tenants/acme/users/bob")
    planes.seal(plane, owner)
    found = [item["event"] for item in acme.api.get("/tenants/acme/audit").json()["items"]]
    taken = [(each["target"], each["project"], each["details"]) for each in found if each["type"] == "access.role.taken"]
    assert taken == [("user/bob", "shop", {"role": "viewer"})]


def test_the_last_admin_of_the_platform_stays(platform: Api) -> None:
    gone = platform.delete("/users/admin")
    assert (gone.status_code, gone.json()["detail"]) == (409, LAST)
    for refused in (
        platform.put("/users/admin", user("admin", disabled=True)),
        platform.post("/people/admin/disable"),
        platform.delete("/people/admin/roles?role=platform-admin"),
    ):
        assert (refused.status_code, refused.json()["detail"]) == (409, LAST)
    assert platform.get("/me").status_code == 200


def test_an_admin_may_go_when_another_is_there(platform: Api) -> None:
    platform.make("/users", user("ana"))
    platform.make("/rolebindings", binding("admins", "platform-admin", "ana"))
    ana = platform.with_token(platform.make("/people/ana/tokens", {"name": "test"})["token"])
    assert ana.delete("/users/admin").status_code == 200
    for refused in (ana.delete("/rolebindings/admins"), ana.put("/rolebindings/admins", binding("admins", "platform-admin"))):
        assert (refused.status_code, refused.json()["detail"]) == (409, LAST)


def test_a_disabled_admin_does_not_count(platform: Api) -> None:
    platform.make("/users", user("ana", disabled=True))
    platform.make("/people/ana/roles", {"role": "platform-admin"})
    assert platform.delete("/users/admin").json()["detail"] == LAST


def test_a_viewer_changes_no_users(acme: Tenant) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    assert bob.get("/tenants/acme/users").status_code == 403
    refused = bob.put("/tenants/acme/users/bob", user("bob", description="me"))
    assert (refused.status_code, refused.json()["permission"]) == (403, "access:update")


def test_nobody_of_a_tenant_reaches_the_platforms_users(acme: Tenant) -> None:
    assert acme.api.get("/users").status_code == 403
    assert acme.api.delete("/users/admin").status_code == 403


def test_an_expired_token_does_not_count(acme: Tenant, plane: context.Plane) -> None:
    assert isinstance(plane.clock, MovableClock)
    plane.clock.ahead = dt.timedelta(days=-60)
    acme.api.make("/tenants/acme/users", user("bob"))
    acme.api.make("/tenants/acme/people/bob/tokens", {"name": "old", "days": 30})
    plane.clock.ahead = dt.timedelta()
    assert "tokens" not in acme.api.get("/tenants/acme/users/bob").json()["status"]
