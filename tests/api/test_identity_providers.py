"""Identity providers as documents, with log-ins at a real one."""

from collections.abc import Iterator
from typing import Any
from urllib import parse

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain.granting import login as domain
from plane.server import context
from tests.support import identity, planes
from tests.support.rest import V1, Api, Tenant, document

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BEGIN = {"back": "http://127.0.0.1:8000/", "challenge": domain.challenge(VERIFIER)}
SECRET = {"clientSecret": "only-the-plane-knows"}
Json = dict[str, Any]


@pytest.fixture
def nobody(platform: Api, plane: context.Plane) -> Api:
    """A caller without a token, of a plane whose file of log-ins names its address alone."""
    platform.client.app.state.plane = msgspec.structs.replace(plane, logins=domain.Settings(url=identity.PLANE))
    platform.client.cookies.clear()
    return platform.with_token("")


@pytest.fixture
def ana() -> Iterator[identity.Browser]:
    browser = identity.Browser("ana")
    yield browser
    browser.close()


def house(provider: identity.Provider, name: str = "house", **more: object) -> Json:
    data = more.pop("data", None)
    spec = {"issuer": provider.issuer, "clientId": "closed" if data else "plane", "title": "The house's"} | more
    return document("IdentityProvider", name, spec, **({"data": data} if data else {}))


def begun(nobody: Api, browser: identity.Browser, called: str) -> str:
    """What the browser brings back to the command line."""
    url = nobody.post(f"/login/{called}/begin", BEGIN).json()["url"]
    back = parse.urlsplit(browser.follow(url))
    answer = nobody.client.get(f"{back.path}?{back.query}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return parse.parse_qs(parse.urlsplit(answer.headers["Location"]).query)["code"][0]


def ended(nobody: Api, code: str) -> Api | None:
    answer = nobody.post("/login/end", {"code": code, "verifier": VERIFIER})
    return nobody.with_token(answer.json()["token"]) if answer.status_code == 200 else None


def log_in(nobody: Api, browser: identity.Browser, called: str = "house") -> Api:
    inside = ended(nobody, begun(nobody, browser, called))
    assert inside
    return inside


def test_people_log_in_at_a_provider_that_a_document_declares(
    nobody: Api, platform: Api, provider: identity.Provider, ana: identity.Browser
) -> None:
    made = platform.make("/identityproviders", house(provider, data=SECRET))
    assert (made["status"]["called"], made.get("data")) == ("house", None)
    assert nobody.get("/login").json()["items"] == [{"name": "house", "title": "The house's"}]
    assert log_in(nobody, ana).get("/me").json()["name"] == "ana"


def test_a_tenants_own_provider_makes_people_of_that_tenant_alone(
    nobody: Api, platform: Api, acme: Tenant, globex: Tenant, provider: identity.Provider, ana: identity.Browser
) -> None:
    for tenant in (acme, globex):
        tenant.api.make(f"/tenants/{tenant.name}/rolebindings", binding("tenant-owner"))
    platform.make("/rolebindings", binding("platform-admin"))
    acme.api.make("/tenants/acme/identityproviders", house(provider, "okta"))
    url = nobody.post("/login/acme.okta/begin", BEGIN).json()["url"]
    assert parse.parse_qs(parse.urlsplit(url).query)["redirect_uri"] == [f"{identity.PLANE}/api/v1/login/acme.okta/callback"]
    code = begun(nobody, ana, "acme.okta")
    inside = ended(nobody, code)
    assert inside
    assert inside.get("/tenants/acme").status_code == 200
    assert [inside.get(path).status_code for path in ("/tenants/globex", "/identityproviders", "/sinks")] == [404, 403, 403]


def binding(role: str) -> Json:
    return document("RoleBinding", "crew", {"role": role, "subjects": [{"kind": "Group", "name": "team-a"}]})


def test_where_a_tenants_people_log_in_is_listed_for_whoever_names_the_tenant(
    nobody: Api, acme: Tenant, provider: identity.Provider
) -> None:
    acme.api.make("/tenants/acme/identityproviders", house(provider, "okta"))
    acme.api.make("/tenants/acme/identityproviders", house(provider, "off", enabled=False))
    assert nobody.get("/login").json()["items"] == nobody.get("/login?tenant=none").json()["items"] == []
    assert nobody.get("/login?tenant=acme").json()["items"] == [{"name": "acme.okta", "title": "The house's"}]
    absent = [nobody.post(f"/login/{called}/begin", BEGIN) for called in ("acme.off", "acme.none", "none.okta", "none")]
    assert {(one.status_code, one.json()["type"]) for one in absent} == {(404, absent[0].json()["type"])}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"title": "Another word"}, 200),
        ({"hours": 1}, 401),
        ({"enabled": False}, 401),
        ({"require": {"email": "bo@acme.example"}}, 401),
        ({"issuer": "https://login.example"}, 401),
    ],
    ids=str,
)
def test_a_change_ends_what_log_ins_began(
    nobody: Api, platform: Api, provider: identity.Provider, ana: identity.Browser, change: Json, left: int
) -> None:
    platform.make("/identityproviders", house(provider))
    inside = log_in(nobody, ana)
    changed = platform.put("/identityproviders/house", house(provider, **change))
    assert (changed.status_code, inside.get("/me").status_code) == (200, left), changed.text
    assert bool(platform.get("/users/ana").json()["spec"]["groups"]) == (left == 200)


def test_nobody_stays_in_when_the_provider_goes(
    nobody: Api, platform: Api, provider: identity.Provider, ana: identity.Browser, plane: context.Plane, owner: sa.Engine
) -> None:
    platform.make("/identityproviders", house(provider))
    inside, code = log_in(nobody, ana), begun(nobody, ana, "house")
    assert platform.delete("/identityproviders/house").status_code == 200
    assert inside.get("/me").status_code == 401
    assert ended(nobody, code) is None
    planes.seal(plane, owner)
    [told] = [one["event"] for one in platform.get("/audit?limit=200").json()["items"] if one["event"]["type"] == "access.logins.ended"]
    assert told["details"] == {"tokens": 1, "people": 1}


def test_a_log_in_under_way_ends_with_a_change(nobody: Api, platform: Api, provider: identity.Provider, ana: identity.Browser) -> None:
    platform.make("/identityproviders", house(provider))
    code = begun(nobody, ana, "house")
    platform.put("/identityproviders/house", house(provider, hours=1))
    assert ended(nobody, code) is None


def test_whoever_comes_back_after_the_document_was_made_anew_is_the_same(
    nobody: Api, platform: Api, provider: identity.Provider, ana: identity.Browser
) -> None:
    platform.make("/identityproviders", house(provider))
    before = log_in(nobody, ana).get("/me").json()["id"]
    platform.delete("/identityproviders/house")
    platform.make("/identityproviders", house(provider))
    assert log_in(nobody, ana).get("/me").json()["id"] == before


def test_another_issuers_subject_of_the_same_name_is_somebody_else(
    nobody: Api, platform: Api, provider: identity.Provider, ana: identity.Browser, owner: sa.Engine
) -> None:
    platform.make("/identityproviders", house(provider))
    before = log_in(nobody, ana).get("/me").json()["id"]
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE identities SET provider = 'house@https://other.example'"))
    assert log_in(nobody, ana).get("/me").json()["id"] != before


def test_a_provider_of_the_file_is_shown_as_such_and_changed_there(
    nobody: Api, platform: Api, plane: context.Plane, provider: identity.Provider, ana: identity.Browser
) -> None:
    own = domain.Provider(name="house", issuer=provider.issuer, client_id="plane")
    platform.client.app.state.plane = msgspec.structs.replace(plane, logins=domain.Settings(url=identity.PLANE, providers=(own,)))
    platform.make("/identityproviders", house(provider, "aaa"))
    platform.make("/identityproviders", house(provider, "zzz"))
    listed = platform.get("/identityproviders?total=true&limit=2").json()
    assert [one["metadata"]["name"] for one in listed["items"]] == ["aaa", "house"]
    assert (listed["items"][1]["status"]["source"], listed["total"]) == ("file", 3)
    assert platform.get(f"/identityproviders?cursor={listed['next']}").json()["items"][0]["metadata"]["name"] == "zzz"
    refused = platform.put("/identityproviders/house", house(provider))
    assert (refused.status_code, "operator's file" in refused.text) == (400, True)
    assert platform.post("/identityproviders/house/test").json()["ok"]
    assert log_in(nobody, ana).get("/me").json()["name"] == "ana"


def test_who_logged_in_before_issuers_were_kept_is_still_the_same(
    nobody: Api, platform: Api, plane: context.Plane, provider: identity.Provider, ana: identity.Browser, owner: sa.Engine
) -> None:
    own = domain.Provider(name="house", issuer=provider.issuer, client_id="plane")
    platform.client.app.state.plane = msgspec.structs.replace(plane, logins=domain.Settings(url=identity.PLANE, providers=(own,)))
    before = log_in(nobody, ana).get("/me").json()["id"]
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE identities SET provider = 'house'"))
    assert log_in(nobody, ana).get("/me").json()["id"] == before


def test_a_test_says_why_log_ins_would_fail(nobody: Api, platform: Api, provider: identity.Provider) -> None:
    wrong: dict[str, Json] = {
        "": {},
        "it does not know galaxy among its scopes": {"scopes": ["openid", "galaxy"]},
        "the provider cannot be reached": {"issuer": "https://127.0.0.1:1"},
        "10.0.0.1 is the address 10.0.0.1, which is not public; an operator may allow its network": {"issuer": "https://10.0.0.1"},
        "calls itself": {"issuer": f"{provider.issuer}/"},
    }
    for problem, change in wrong.items():
        platform.put("/identityproviders/house", house(provider, **change))
        said = platform.post("/identityproviders/house/test").json()
        assert said["ok"] == (not problem), said
        assert problem in "; ".join(said["problems"])
    assert nobody.get("/login").json()["items"]


def test_a_secret_is_shown_by_its_fingerprint_alone_and_stays_with_its_issuer(
    platform: Api, provider: identity.Provider, plane: context.Plane, owner: sa.Engine
) -> None:
    platform.make("/identityproviders", house(provider, data=SECRET))
    moved = house(provider, clientId="closed", issuer="https://evil.example")
    refused = platform.put("/identityproviders/house", moved)
    assert (refused.status_code, "has its own secret" in refused.text) == (400, True)
    planes.seal(plane, owner)
    [made] = [
        one["event"] for one in platform.get("/audit?limit=200").json()["items"] if one["event"]["type"] == "identityprovider.created"
    ]
    assert made["details"]["secrets_after"].keys() == {"clientSecret"}
    assert SECRET["clientSecret"] not in str(made)


def test_a_provider_that_cannot_be_is_refused_by_its_field(platform: Api, provider: identity.Provider) -> None:
    refused = platform.post("/identityproviders", house(provider, issuer="http://login.example"))
    assert (refused.status_code, list(refused.json()["problems"])) == (400, ["spec.issuer"]), refused.text


def test_nobody_makes_a_provider_who_does_not_hold_what_its_people_may_come_to_hold(acme: Tenant, provider: identity.Provider) -> None:
    """A provider of one's own could say that oneself is in every group."""
    acme.api.make("/tenants/acme/roles", document("Role", "doorman", {"permissions": ["identityprovider:*", "app:get"]}))
    door = acme.api.person("acme", "dora", "doorman")
    assert door.post("/tenants/acme/identityproviders", house(provider)).status_code == 403
    acme.api.make("/tenants/acme/identityproviders", house(provider))
    assert door.get("/tenants/acme/identityproviders/house").status_code == 200
    assert door.put("/tenants/acme/identityproviders/house", house(provider, hours=2)).status_code == 403
    assert door.delete("/tenants/acme/identityproviders/house").status_code == 403


def test_a_tenants_provider_does_not_outlive_it(platform: Api, acme: Tenant, provider: identity.Provider, owner: sa.Engine) -> None:
    acme.api.make("/tenants/acme/identityproviders", house(provider))
    acme.api.delete(acme.shop)
    assert platform.delete("/tenants/acme").status_code == 200
    with owner.begin() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM identity_providers")).scalar_one() == 0


def test_a_browser_logs_in_at_a_document_too(nobody: Api, platform: Api, provider: identity.Provider, ana: identity.Browser) -> None:
    platform.make("/identityproviders", house(provider))
    begin = nobody.client.get(f"{V1}/login/house/web", follow_redirects=False)
    back = parse.urlsplit(ana.follow(begin.headers["Location"]))
    cookie = begin.headers["Set-Cookie"].partition(";")[0]
    answer = nobody.client.get(f"{back.path}?{back.query}", headers={"Cookie": cookie}, follow_redirects=False)
    assert "__Host-plane-session=" in str(answer.headers.get_list("Set-Cookie"))
