"""Logging in at a real identity provider: from a command line, a browser, another machine; and machines by what vouches for them."""

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any
from urllib import parse

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from plane.domain.granting import login as domain
from plane.server import context, login
from tests.support import identity, planes, recorded
from tests.support.planes import MovableClock
from tests.support.rest import V1, Api, Tenant, document

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
BACK = "http://127.0.0.1:8000/"
BEGIN = {"back": BACK, "challenge": domain.challenge(VERIFIER)}
Given = dict[str, Any]


@pytest.fixture
def settings() -> Given:
    """What a test changes of the provider and the rule."""
    return {}


@pytest.fixture
def nobody(platform: Api, plane: context.Plane, provider: identity.Provider, settings: Given) -> Api:
    """A caller without a token, of a plane that knows the provider."""
    house = {"name": "house", "issuer": provider.issuer, "clientId": "plane", "algorithms": ["RS256"]} | settings.get("provider", {})
    rule = {"name": "deploy", "issuer": provider.issuer, "audience": "plane-ci", "claims": {"sub": "repo:acme/*:ref:main"}, "service": "ci"}
    found = {"url": identity.PLANE, "providers": [house], "trust": [rule | settings.get("rule", {})]}
    logins = msgspec.convert(found, domain.Settings)
    assert domain.check(logins) == {}
    platform.client.app.state.plane = msgspec.structs.replace(plane, logins=logins)
    platform.client.cookies.clear()
    return platform.with_token("")


@pytest.fixture
def ana() -> Iterator[identity.Browser]:
    browser = identity.Browser("ana")
    yield browser
    browser.close()


def visit(api: Api, url: str, **headers: str) -> httpx.Response:
    """A browser's request to the plane, which follows nothing."""
    parts = parse.urlsplit(url)
    return api.client.get(f"{parts.path}?{parts.query}", headers=headers, follow_redirects=False)


def code(api: Api, browser: identity.Browser) -> str:
    """What a browser brings back to the command line."""
    url = api.post("/login/house/begin", BEGIN).json()["url"]
    back = visit(api, browser.follow(url))
    assert back.status_code == 303, back.text
    place = parse.urlsplit(back.headers["Location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == BACK
    return parse.parse_qs(place.query)["code"][0]


def log_in(api: Api, browser: identity.Browser) -> Api:
    answer = api.post("/login/end", {"code": code(api, browser), "verifier": VERIFIER})
    assert answer.status_code == 200, answer.text
    return api.with_token(answer.json()["token"])


def test_a_browser_logs_a_command_line_in(nobody: Api, ana: identity.Browser) -> None:
    assert nobody.get("/login").json()["items"] == [{"name": "house", "title": "house"}]
    me = log_in(nobody, ana).get("/me").json()
    assert (me["name"], me["kind"], me["roles"]) == ("ana", "user", [])


@pytest.mark.parametrize("settings", [{"provider": {"clientId": "closed"}}])
def test_a_client_with_a_secret_logs_in(
    nobody: Api, ana: identity.Browser, plane: context.Plane, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("oidc") / "secret"
    file.write_text("only-the-plane-knows\n")
    found = nobody.client.app.state.plane.logins
    house = msgspec.structs.replace(found.providers[0], client_secret_file=str(file))
    nobody.client.app.state.plane = msgspec.structs.replace(plane, logins=msgspec.structs.replace(found, providers=(house,)))
    assert log_in(nobody, ana).get("/me").status_code == 200


def test_groups_of_the_provider_bring_their_roles(nobody: Api, platform: Api, ana: identity.Browser) -> None:
    spec = {"role": "platform-auditor", "subjects": [{"kind": "Group", "name": "team-a"}]}
    assert platform.put("/rolebindings/auditors", document("RoleBinding", "auditors", spec)).status_code == 201
    assert log_in(nobody, ana).get("/me").json()["roles"] == [{"role": "platform-auditor"}]


@pytest.mark.parametrize("settings", [{"provider": {"tenant": "acme", "groups": {"team-a": "crew"}}}])
def test_a_tenants_own_provider_makes_people_of_the_tenant(nobody: Api, acme: Tenant, ana: identity.Browser) -> None:
    log_in(nobody, ana)
    user = acme.api.get("/tenants/acme/users/ana").json()
    assert user["spec"]["groups"] == ["crew"]


def test_an_account_of_the_plane_is_never_taken_over_by_its_name(nobody: Api, platform: Api) -> None:
    browser = identity.Browser("bo")
    me = log_in(nobody, browser).get("/me").json()
    browser.close()
    assert me["name"].startswith("admin-")
    assert me["id"] != platform.get("/me").json()["id"]


def test_who_comes_again_is_the_same(nobody: Api, ana: identity.Browser) -> None:
    assert log_in(nobody, ana).get("/me").json()["id"] == log_in(nobody, ana).get("/me").json()["id"]


def test_who_was_shut_out_stays_out(nobody: Api, platform: Api, ana: identity.Browser) -> None:
    inside = log_in(nobody, ana)
    platform.post("/people/ana/disable")
    assert inside.get("/me").status_code == 401
    url = nobody.post("/login/house/begin", BEGIN).json()["url"]
    assert refused(visit(nobody, ana.follow(url)))


def refused(back: httpx.Response) -> bool:
    """Whether the command line hears at once that there is nothing to wait for."""
    return (back.status_code, back.headers.get("Location")) == (303, f"{BEGIN['back']}?error=access_denied")


def test_who_logged_out_is_out(nobody: Api, ana: identity.Browser) -> None:
    inside = log_in(nobody, ana)
    assert inside.post("/logout").status_code == 200
    assert inside.get("/me").status_code == 401


def test_a_code_is_good_once_and_for_its_verifier_alone(nobody: Api, ana: identity.Browser) -> None:
    got = code(nobody, ana)
    assert nobody.post("/login/end", {"code": got, "verifier": VERIFIER[::-1]}).status_code == 401
    assert nobody.post("/login/end", {"code": got, "verifier": VERIFIER}).status_code == 401


def test_a_state_is_good_once(nobody: Api, ana: identity.Browser) -> None:
    back = ana.follow(nobody.post("/login/house/begin", BEGIN).json()["url"])
    assert [visit(nobody, back).status_code for _ in range(2)] == [303, 401]


def test_every_refusal_says_the_same(nobody: Api, ana: identity.Browser) -> None:
    refuses = identity.Browser("")
    begun = [nobody.post("/login/house/begin", BEGIN).json()["url"] for _ in range(2)]
    said = [
        visit(nobody, f"{identity.CALLBACK}?state=forged&code=x"),
        nobody.post("/login/end", {"code": "x" * 43, "verifier": VERIFIER}),
        nobody.post("/login/device", {"handle": "x" * 43}),
        nobody.post("/login/exchange", {"rule": "none", "token": "x"}),
        nobody.post("/login/exchange", {"rule": "deploy", "token": "x"}),
    ]
    assert all(refused(visit(nobody, url)) for url in (refuses.follow(begun[0]), ana.follow(begun[1]).replace("code=", "code=x")))
    refuses.close()
    assert {(one.status_code, one.json()["detail"]) for one in said} == {(401, str(domain.Refused("x")))}


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "http://127.0.0.1/",
        "http://localhost.evil.example:80/",
        "http://u@127.0.0.1:1/",
        "http://127.0.0.1:99999/",
        "http://[::1",
        "x",
    ],
)
def test_a_browser_is_sent_back_to_ones_own_machine_only(nobody: Api, back: str) -> None:
    assert nobody.post("/login/house/begin", {**BEGIN, "back": back}).status_code == 400


def test_somebody_logs_in_on_another_machine(nobody: Api, ana: identity.Browser) -> None:
    begun = nobody.post("/login/house/device").json()
    ask = {"handle": begun["handle"]}
    assert nobody.post("/login/device", ask).json()["token"] == ""
    ana.type_code(begun["verificationUriComplete"])
    token = nobody.post("/login/device", ask).json()["token"]
    assert nobody.with_token(token).get("/me").json()["name"] == "ana"
    assert nobody.post("/login/device", ask).status_code == 401


def test_whoever_waits_on_a_device_hears_that_it_was_refused(nobody: Api, ana: identity.Browser) -> None:
    begun = nobody.post("/login/house/device").json()
    ana.type_code(begun["verificationUriComplete"], answer="abort")
    said = [nobody.post("/login/device", {"handle": begun["handle"]}) for _ in range(2)]
    assert [one.status_code for one in said] == [401, 401]
    assert "refused at the provider" in said[0].json()["detail"]
    assert said[1].json()["detail"] == str(domain.Refused("x"))


def test_strangers_begin_no_more_log_ins_of_devices_than_there_is_room_for(
    nobody: Api, platform: Api, plane: context.Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each makes the plane ask the provider."""
    monkeypatch.setattr(login, "DEVICES_OF_ADDRESS", 2)
    begun = [nobody.post("/login/house/device") for _ in range(3)]
    assert [one.status_code for one in begun] == [200, 200, 429]
    assert 0 < int(begun[-1].headers["Retry-After"]) <= 1800
    assert isinstance(plane.clock, MovableClock)
    plane.clock.ahead += dt.timedelta(hours=1)
    assert nobody.post("/login/house/device").status_code == 200
    monkeypatch.setattr(login, "DEVICES", 1)
    monkeypatch.setattr(login, "DEVICES_OF_ADDRESS", 9)
    assert nobody.post("/login/house/device").status_code == 429


def web(api: Api, browser: identity.Browser) -> httpx.Response:
    """A browser's own log-in, to its session."""
    begun = visit(api, f"{V1}/login/house/web")
    [cookie] = begun.headers.get_list("Set-Cookie")
    assert all(word in cookie for word in ("__Host-plane-login=", "HttpOnly", "Secure", "Path=/", "SameSite=lax"))
    return visit(api, browser.follow(begun.headers["Location"]), Cookie=cookie.partition(";")[0])


def test_a_browser_gets_a_session_of_its_own(nobody: Api, ana: identity.Browser) -> None:
    back = web(nobody, ana)
    assert (back.status_code, back.headers["Location"]) == (303, "/")
    session = next(one for one in back.headers.get_list("Set-Cookie") if one.startswith("__Host-plane-session="))
    assert all(word in session for word in ("HttpOnly", "Secure", "Path=/", "SameSite=lax", "gp_session_"))


def test_a_browser_that_did_not_begin_is_not_logged_in(nobody: Api, ana: identity.Browser) -> None:
    """Nobody plants their own log-in on somebody else."""
    begun = visit(nobody, f"{V1}/login/house/web")
    back = ana.follow(begun.headers["Location"])
    assert visit(nobody, back, Cookie="__Host-plane-login=forged").status_code == 401


def vouched(provider: identity.Provider, **claims: object) -> str:
    now = int(time.time())
    return provider.sign({"aud": "plane-ci", "sub": "repo:acme/web:ref:main", "iat": now, "exp": now + 300, **claims})


def test_a_machine_is_let_in_by_what_its_own_provider_says(nobody: Api, platform: Api, provider: identity.Provider) -> None:
    platform.make("/people", {"name": "ci", "kind": "service"})
    answer = nobody.post("/login/exchange", {"rule": "deploy", "token": vouched(provider)})
    assert nobody.with_token(answer.json()["token"]).get("/me").json()["kind"] == "service"


def on_behalf_of(owner: sa.Engine) -> set[str]:
    """In whose name those came who logged in last, by the log."""
    actors = [one.actor for one in recorded.events(owner, "access.login")]
    return {one.on_behalf_of for one in actors if one.kind == "service"}


def test_the_log_names_whom_a_machines_provider_vouched_for(
    nobody: Api, platform: Api, provider: identity.Provider, owner: sa.Engine
) -> None:
    platform.make("/people", {"name": "ci", "kind": "service"})
    token = nobody.post("/login/exchange", {"rule": "deploy", "token": vouched(provider)}).json()["token"]
    nobody.with_token(token).get("/me")
    assert on_behalf_of(owner) == {"repo:acme/web:ref:main"}


def test_the_log_names_who_made_a_services_token(acme: Tenant, owner: sa.Engine) -> None:
    acme.api.make("/tenants/acme/people", {"name": "ci", "kind": "service"})
    made = acme.api.make("/tenants/acme/people/ci/tokens", {"name": "one"})
    me = acme.api.get("/me").json()["name"]
    acme.api.with_token(made["token"]).get("/me")
    assert on_behalf_of(owner) == {f"person/{me}"}


@pytest.mark.parametrize(
    "claims",
    [{"sub": "repo:evil/web:ref:main"}, {"sub": "repo:acme/web:ref:dev"}, {"aud": "plane"}, {"exp": 1}, {"iss": "https://x.example"}],
)
def test_a_machine_that_the_rule_does_not_speak_of_stays_out(
    nobody: Api, platform: Api, provider: identity.Provider, claims: dict[str, object]
) -> None:
    platform.make("/people", {"name": "ci", "kind": "service"})
    assert nobody.post("/login/exchange", {"rule": "deploy", "token": vouched(provider, **claims)}).status_code == 401


def logout_token(provider: identity.Provider, **claims: object) -> str:
    now = int(time.time())
    events: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}
    plain = {"aud": "plane", "sub": "ana", "iat": now, "exp": now + 120, "jti": "1", "events": events}
    return provider.sign({name: value for name, value in {**plain, **claims}.items() if value is not None})


@pytest.mark.parametrize(
    ("claims", "status", "left"),
    [({}, 200, 401), ({"sub": "bo"}, 200, 200), ({"nonce": "x"}, 401, 200), ({"events": {}}, 401, 200), ({"jti": None}, 401, 200)],
)
def test_who_logs_out_at_the_provider_is_out_here(
    nobody: Api, ana: identity.Browser, provider: identity.Provider, claims: dict[str, object], status: int, left: int
) -> None:
    inside = log_in(nobody, ana)
    form = {"logout_token": logout_token(provider, **claims)}
    assert nobody.client.post(f"{V1}/login/house/backchannel-logout", data=form).status_code == status
    assert inside.get("/me").status_code == left


def test_the_log_names_the_log_in(nobody: Api, platform: Api, ana: identity.Browser, plane: context.Plane, owner: sa.Engine) -> None:
    log_in(nobody, ana)
    planes.seal(plane, owner)
    found = platform.get("/audit?limit=100").json()["items"]
    assert "login.succeeded" in [one["event"]["type"] for one in found]
