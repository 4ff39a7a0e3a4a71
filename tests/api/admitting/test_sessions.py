"""Browsers' sessions: what one is good for, with what it is shown, and how it ends."""

import datetime as dt

import pytest
import sqlalchemy as sa

from plane.api import calls
from plane.api.delivering import streams
from plane.domain import errors
from plane.server import authorise, context
from tests.support import planes, web
from tests.support.planes import MovableClock
from tests.support.rest import Api, Tenant, app_document, document


@pytest.fixture
def ada(acme: Tenant, plane: context.Plane) -> web.Browser:
    return web.session(acme.api, plane, "ada", tenant="acme")


def later(plane: context.Plane, **time: float) -> None:
    assert isinstance(plane.clock, MovableClock)
    plane.clock.ahead += dt.timedelta(**time)


def test_a_session_is_as_good_as_its_owner(ada: web.Browser) -> None:
    assert ada.call("GET", "/me").json()["name"] == "ada"
    assert ada.call("POST", "/tenants/acme/projects", document("Project", "new")).status_code == 201


def test_a_page_learns_what_it_must_show(ada: web.Browser) -> None:
    said = ada.call("GET", "/session").json()
    assert ada.call("POST", "/tenants/acme/projects", document("Project", "new"), X_CSRF_Token=said["csrfToken"]).status_code == 201


def test_a_change_that_another_site_may_have_made_is_refused(ada: web.Browser, acme: Tenant) -> None:
    body = document("Project", "stolen")
    for wrong in ({"X_CSRF_Token": None}, {"Origin": None}, {"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        answer = ada.call("POST", "/tenants/acme/projects", body, **wrong)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "cross-site"), wrong
    assert acme.api.get("/tenants/acme/projects/stolen").status_code == 404


def test_another_sessions_proof_is_none(ada: web.Browser, acme: Tenant, plane: context.Plane) -> None:
    other = web.session(acme.api, plane, "ada", tenant="acme")
    proof = other.call("GET", "/session").json()["csrfToken"]
    assert ada.call("POST", "/tenants/acme/projects", document("Project", "new"), X_CSRF_Token=proof).status_code == 403


def test_a_session_is_no_token_and_a_token_no_session(ada: web.Browser, acme: Tenant) -> None:
    assert acme.api.with_token(ada.secret).get("/me").status_code == 401
    assert web.Browser(acme.api, acme.api.token).call("GET", "/me").status_code == 401
    assert acme.api.get("/session").status_code == 404


def test_a_token_that_does_not_hold_is_not_saved_by_a_cookie(ada: web.Browser) -> None:
    assert ada.call("GET", "/me", Authorization="Bearer gp_user_x_000000").status_code == 401
    assert ada.call("GET", "/me", Authorization="Basic YTpi").status_code == 401


def test_a_session_that_is_not_used_ends(ada: web.Browser, plane: context.Plane) -> None:
    for _ in range(3):
        later(plane, minutes=50)
        assert ada.call("GET", "/me").status_code == 200
    later(plane, minutes=61)
    assert ada.call("GET", "/me").status_code == 401


def test_a_session_ends_however_much_it_is_used(ada: web.Browser, plane: context.Plane) -> None:
    for _ in range(26):
        later(plane, minutes=55)
        assert ada.call("GET", "/me").status_code == 200
    later(plane, minutes=30)
    assert ada.call("GET", "/me").status_code == 401


def test_who_logs_out_is_out_and_the_browser_forgets(ada: web.Browser) -> None:
    answer = ada.call("POST", "/logout")
    [cookie] = answer.headers.get_list("Set-Cookie")
    assert all(word in cookie for word in ("__Host-plane-session=", "Max-Age=0", "Secure", "HttpOnly", "Path=/", "SameSite=lax"))
    assert ada.call("GET", "/me").status_code == 401


def test_somebody_ends_their_own_session_from_another(ada: web.Browser, acme: Tenant, plane: context.Plane) -> None:
    lost = web.session(acme.api, plane, "ada", tenant="acme")
    listed = ada.call("GET", "/sessions").json()["items"]
    [gone] = [one for one in listed if not one["this"]]
    assert (len(listed), gone["address"], gone["browser"]) == (2, "192.0.2.7", "Browser/1.0")
    assert ada.call("DELETE", f"/sessions/{gone['id']}").status_code == 200
    assert (lost.call("GET", "/me").status_code, ada.call("GET", "/me").status_code) == (401, 200)
    assert len(ada.call("GET", "/sessions").json()["items"]) == 1


def test_ones_own_are_nobody_elses(ada: web.Browser, globex: Tenant, platform: Api) -> None:
    [mine] = ada.call("GET", "/sessions").json()["items"]
    for caller in (globex.api, platform):
        assert caller.delete(f"/sessions/{mine['id']}").status_code == 404
        assert caller.get("/sessions").json()["items"] == []


def test_an_admin_ends_somebodys_session(ada: web.Browser, acme: Tenant, globex: Tenant) -> None:
    place = "/tenants/acme/people/ada/sessions"
    [found] = acme.api.get(place).json()["items"]
    assert globex.api.delete(f"{place}/{found['id']}").status_code == 404
    assert acme.api.delete(f"{place}/{found['id']}").status_code == 200
    assert ada.call("GET", "/me").status_code == 401


def test_a_session_is_not_listed_rotated_or_ended_as_a_token(ada: web.Browser, acme: Tenant) -> None:
    tokens, [found] = "/tenants/acme/people/ada/tokens", ada.call("GET", "/sessions").json()["items"]
    assert found["id"] not in acme.api.get(tokens).text
    assert acme.api.post(f"{tokens}/{found['id']}/rotate").status_code == 404
    assert acme.api.delete(f"{tokens}/{found['id']}").status_code == 404


def test_who_was_shut_out_has_no_session(ada: web.Browser, platform: Api, acme: Tenant, plane: context.Plane) -> None:
    bob = acme.api.person("acme", "bob", "viewer")
    assert bob.get("/me").status_code == 200
    open_ = web.session(acme.api, plane, "bob", tenant="acme")
    acme.api.post("/tenants/acme/people/bob/disable")
    assert open_.call("GET", "/me").status_code == 401
    assert platform.get("/me").status_code == ada.call("GET", "/me").status_code == 200


def test_a_stream_ends_with_its_session_and_does_not_keep_it_open(ada: web.Browser, acme: Tenant, plane: context.Plane) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    who = authorise.Caller(authorise.actor(plane, ada.secret))
    watching = streams.Watching(calls.Call(plane, who, {}, {}), ada.secret, -1)
    later(plane, minutes=40)
    watching = streams.again(watching)
    later(plane, minutes=30)
    with pytest.raises(errors.Unauthenticated, match="not used"):
        streams.again(watching)


def test_the_log_tells_of_a_sessions_begin_and_end(ada: web.Browser, acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    ada.call("POST", "/logout")
    planes.seal(plane, owner)
    told = [one["event"]["type"] for one in acme.api.get("/tenants/acme/audit?limit=100").json()["items"]]
    assert {"login.succeeded", "access.session.ended"} <= set(told)
