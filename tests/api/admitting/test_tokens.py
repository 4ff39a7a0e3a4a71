"""What a token is good for: less than its owner, from some networks, for a time; and that nobody makes a better one than their own."""

import datetime as dt
import uuid

import pytest

from plane.server import context
from plane.store.people import tokens
from tests.support.planes import MovableClock
from tests.support.rest import Api, Tenant, document

TOKENS = "/tenants/acme/people/bob/tokens"


@pytest.fixture
def bob(acme: Tenant) -> Api:
    return acme.api.person("acme", "bob", "editor")


def narrow(acme: Tenant, **wish: object) -> Api:
    return acme.api.with_token(acme.api.make(TOKENS, {"name": "narrow", **wish})["token"])


def ahead(plane: context.Plane, hours: float) -> None:
    assert isinstance(plane.clock, MovableClock)
    plane.clock.ahead = dt.timedelta(hours=hours)


@pytest.mark.usefixtures("bob")
def test_a_token_gives_no_more_than_its_scopes(acme: Tenant) -> None:
    reading = narrow(acme, scopes=["project:get", "tenant:get"])
    assert reading.get(acme.shop).status_code == 200
    assert reading.get(f"{acme.shop}/apps").status_code == 403
    assert reading.post(f"{acme.shop}/repositories", document("Repository", "x", {"url": "https://git.example/x.git"})).status_code == 403


@pytest.mark.usefixtures("bob")
def test_a_scope_gives_nothing_that_the_owner_lacks(acme: Tenant) -> None:
    admin = acme.api.with_token(acme.api.make("/tenants/acme/people/ada/tokens", {"name": "wide"})["token"])
    assert admin.post(TOKENS, {"name": "x", "scopes": ["*"]}).status_code == 201
    assert narrow(acme, scopes=["*"]).post("/tenants/acme/projects", document("Project", "new")).status_code == 403


@pytest.mark.usefixtures("bob")
def test_a_narrow_token_makes_none_that_is_wider(acme: Tenant) -> None:
    body = {"name": "maker", "scopes": ["access:create", "app:get"]}
    maker = acme.api.with_token(acme.api.make("/tenants/acme/people/ada/tokens", body)["token"])
    assert maker.post(TOKENS, {"name": "same", "scopes": ["app:get"]}).status_code == 201
    for scopes in ([], ["*"], ["app:get", "app:sync"], ["action:apps/*/restart"]):
        assert maker.post(TOKENS, {"name": "wider", "scopes": scopes}).status_code == 403


def test_a_narrow_token_makes_none_with_what_somebody_holds_in_tenants(platform: Api, acme: Tenant) -> None:
    platform.make("/people", {"name": "rob"})
    owner = {"role": "tenant-owner", "subjects": [{"name": "rob", "platform": True}]}
    assert platform.post("/tenants/acme/rolebindings", document("RoleBinding", "rob", owner)).status_code == 201
    maker = acme.api.with_token(platform.make("/people/admin/tokens", {"name": "maker", "scopes": ["access:create"]})["token"])
    assert maker.post("/people/rob/tokens", {"name": "wider"}).status_code == 403
    assert platform.post("/people/rob/tokens", {"name": "as-wide"}).status_code == 201


def test_a_token_is_good_from_its_networks_only(acme: Tenant, bob: Api) -> None:
    refused = narrow(acme, networks=["192.0.2.0/24"]).get("/me")
    assert (refused.status_code, "address" in refused.json()["detail"]) == (401, True)
    assert bob.get("/me").status_code == 200


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"scopes": ["app:fly"]}, "scopes[0]"),
        ({"scopes": ["app:get", "app:get"]}, "scopes[1]"),
        ({"networks": ["192.0.2.1/24"]}, "networks[0]"),
        ({"networks": ["192.0.2.0/24"] * 33}, "networks"),
        ({"days": 366}, "days"),
        ({"days": 0}, "days"),
    ],
)
@pytest.mark.usefixtures("bob")
def test_a_wish_that_is_none_is_told_field_by_field(acme: Tenant, wish: dict[str, object], path: str) -> None:
    answer = acme.api.post(TOKENS, {"name": "x", **wish})
    assert (answer.status_code, path in answer.json()["problems"]) == (400, True)


def test_a_rotated_token_ends_after_the_overlap(acme: Tenant, bob: Api, plane: context.Plane) -> None:
    [old] = acme.api.get(TOKENS).json()["items"]
    new = acme.api.with_token(acme.api.make(f"{TOKENS}/{old['id']}/rotate", {"overlapHours": 2})["token"])
    ahead(plane, 1)
    assert (bob.get("/me").status_code, new.get("/me").status_code) == (200, 200)
    ahead(plane, 3)
    assert (bob.get("/me").status_code, new.get("/me").status_code) == (401, 200)
    assert acme.api.post(f"{TOKENS}/{old['id']}/rotate").status_code == 409


@pytest.mark.usefixtures("bob")
def test_a_rotated_token_is_as_narrow_as_before(acme: Tenant) -> None:
    narrow(acme, scopes=["app:get"], networks=["192.0.2.0/24"])
    old = next(one for one in acme.api.get(TOKENS).json()["items"] if one["name"] == "narrow")
    made = acme.api.make(f"{TOKENS}/{old['id']}/rotate", {})
    new = next(one for one in acme.api.get(TOKENS).json()["items"] if one["id"] == made["id"])
    assert (new["scopes"], new["networks"]) == (["app:get"], ["192.0.2.0/24"])


@pytest.mark.usefixtures("bob")
def test_no_token_is_rotated_that_is_not_there(acme: Tenant, globex: Tenant) -> None:
    [theirs] = globex.api.get("/tenants/globex/people/ada/tokens").json()["items"]
    for token in (theirs["id"], str(uuid.uuid4()), "x"):
        assert acme.api.post(f"{TOKENS}/{token}/rotate").status_code == 404


def test_the_last_use_is_kept_to_within_a_minute(acme: Tenant, bob: Api, plane: context.Plane) -> None:
    def used() -> str:
        [one] = acme.api.get(TOKENS).json()["items"]
        return str(one["usedAt"])

    assert used() == ""
    bob.get("/me")
    first = used()
    assert first
    ahead(plane, 0.9 * tokens.USED_S / 3600)
    bob.get("/me")
    assert used() == first
    ahead(plane, 1)
    bob.get("/me")
    assert used() > first


def test_a_services_token_says_so(acme: Tenant) -> None:
    acme.api.make("/tenants/acme/people", {"name": "ci", "kind": "service"})
    assert acme.api.make("/tenants/acme/people/ci/tokens", {"name": "x"})["token"].startswith("gp_service_")


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize("cursor", ["YWJj", "AA", "OTk5"])
def test_a_cursor_that_is_no_id_is_refused_or_begins_anew(acme: Tenant, cursor: str) -> None:
    for path in (TOKENS, "/tenants/acme/people/bob/sessions", "/sessions", "/tenants/acme/people", f"{acme.shop}/apps"):
        assert acme.api.get(f"{path}?cursor={cursor}").status_code in {200, 400}
