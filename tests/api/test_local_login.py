"""Local admins: a password for a token or a session, and how little a wrong one tells."""

import datetime as dt

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from plane.domain.granting import login, passwords
from plane.server import bootstrap, context
from tests.support import planes, web
from tests.support.planes import MovableClock
from tests.support.rest import V1, Api

PASSWORD = "correct horse battery staple"
OWN = {"Origin": web.ORIGIN, "Host": "plane.example", "Sec_Fetch_Site": "same-origin"}


@pytest.fixture
def nobody(platform: Api, plane: context.Plane) -> Api:
    bootstrap.password(plane.engine, plane.clock, plane.passwords.hashed(PASSWORD))
    platform.client.cookies.clear()
    return platform.with_token("")


def attempt(api: Api, password: str = PASSWORD, name: str = "admin") -> httpx.Response:
    return api.post("/login/local", {"name": name, "password": password})


def later(plane: context.Plane, **time: float) -> None:
    assert isinstance(plane.clock, MovableClock)
    plane.clock.ahead += dt.timedelta(**time)


def in_browser(api: Api, **headers: str) -> httpx.Response:
    return api.post("/login/local/session", {"name": "admin", "password": PASSWORD}, **OWN | headers)


def cookie(answer: httpx.Response) -> str:
    [found] = answer.headers.get_list("Set-Cookie")
    assert all(word in found for word in ("__Host-plane-session=gp_session_", "HttpOnly", "Secure", "Path=/", "SameSite=lax"))
    return str(found).partition(";")[0].partition("=")[2]


def test_a_password_is_good_for_a_token(nobody: Api) -> None:
    assert nobody.get("/login").json()["local"]
    assert nobody.with_token(attempt(nobody).json()["token"]).get("/me").json()["roles"] == [{"role": "platform-admin"}]


def test_a_password_is_good_for_a_session(nobody: Api) -> None:
    answer = in_browser(nobody)
    assert answer.json()["token"] == ""
    assert web.Browser(nobody, cookie(answer)).call("GET", "/me").json()["name"] == "admin"


def test_a_log_in_makes_another_session_and_ends_the_one_before(nobody: Api) -> None:
    before = cookie(in_browser(nobody))
    after = cookie(in_browser(nobody, Cookie=f"__Host-plane-session={before}"))
    assert after != before
    said = [web.Browser(nobody, secret).call("GET", "/me").status_code for secret in (before, after)]
    assert said == [401, 200]


@pytest.mark.parametrize("planted", ["gp_session_planted", "x", "gp_user_x", "", '"; Path=/'])
def test_a_session_that_somebody_planted_is_not_the_one_that_begins(nobody: Api, planted: str) -> None:
    assert cookie(in_browser(nobody, Cookie=f"__Host-plane-session={planted}")) != planted


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}])
def test_another_site_logs_nobody_in(nobody: Api, headers: dict[str, str]) -> None:
    answer = in_browser(nobody, **headers)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)


def test_every_refusal_says_the_same(nobody: Api, platform: Api, acme: object) -> None:
    platform.make("/people", {"name": "eve"})
    platform.make("/people", {"name": "robot", "kind": "service"})
    names = ["admin", "eve", "robot", "ada", "nobody", "ADMIN", "admin ", "' or 1=1 --", "é"]
    said = [attempt(nobody, "wrong", name) for name in names]
    assert {(one.status_code, one.json()["detail"]) for one in said} == {(401, str(login.Refused("x")))}, acme


def test_who_was_disabled_stays_out(nobody: Api, platform: Api) -> None:
    platform.make("/people", {"name": "other"})
    platform.make("/people/other/roles", {"role": "platform-admin"})
    other = platform.with_token(platform.make("/people/other/tokens", {"name": "x"})["token"])
    assert other.post("/people/admin/disable").status_code == 200
    assert attempt(nobody).status_code == 401


def test_it_can_be_turned_off_and_what_it_began_ends(nobody: Api, platform: Api, plane: context.Plane) -> None:
    inside = nobody.with_token(attempt(nobody).json()["token"])
    assert inside.get("/me").status_code == 200
    nobody.client.app.state.plane = msgspec.structs.replace(plane, logins=login.Settings(local=False))
    assert not nobody.get("/login").json()["local"]
    assert attempt(nobody).status_code == 401
    assert (inside.get("/me").status_code, platform.get("/me").status_code) == (401, 200)


@pytest.mark.parametrize("name", ["admin", "nobody"])
def test_wrong_passwords_shut_an_account_out_whether_it_is_there_or_not(nobody: Api, plane: context.Plane, name: str) -> None:
    said = [attempt(nobody, "wrong", name) for _ in range(passwords.OF_ACCOUNT + 1)]
    assert [one.status_code for one in said] == [401] * passwords.OF_ACCOUNT + [429]
    assert 0 < int(said[-1].headers["Retry-After"]) <= 60
    assert attempt(nobody, PASSWORD, name).status_code == 429
    later(plane, seconds=61)
    assert attempt(nobody, PASSWORD, name).status_code == (200 if name == "admin" else 401)


def test_each_further_one_shuts_out_for_longer(nobody: Api, plane: context.Plane) -> None:
    for _ in range(passwords.OF_ACCOUNT):
        attempt(nobody, "wrong")
    pauses = []
    for _ in range(3):
        pauses.append(int(attempt(nobody).headers["Retry-After"]))
        later(plane, seconds=pauses[-1] + 1)
        attempt(nobody, "wrong")
    assert [round(pause / 60) for pause in pauses] == [1, 2, 4]


def test_the_right_one_wipes_the_slate(nobody: Api) -> None:
    for _ in range(3):
        assert [attempt(nobody, one).status_code for one in ("wrong", "wrong", "wrong", PASSWORD)] == [401, 401, 401, 200]


def test_one_address_tries_few_accounts(nobody: Api) -> None:
    said = [attempt(nobody, "wrong", f"user-{n}").status_code for n in range(passwords.OF_ADDRESS + 2)]
    assert said == [401] * passwords.OF_ADDRESS + [429, 429]
    assert attempt(nobody).status_code == 429


def test_another_replica_counts_the_same(nobody: Api, plane: context.Plane) -> None:
    """Nothing is kept in a process."""
    for _ in range(passwords.OF_ACCOUNT):
        attempt(nobody, "wrong")
    nobody.client.app.state.plane = msgspec.structs.replace(plane, recent=type(plane.recent)())
    assert attempt(nobody).status_code == 429


def test_a_changed_password_ends_what_the_one_before_began(nobody: Api, platform: Api) -> None:
    mine, other = (nobody.with_token(attempt(nobody).json()["token"]) for _ in range(2))
    browser = web.Browser(nobody, cookie(in_browser(nobody)))
    assert mine.post("/me/password", {"current": "wrong", "new": "four other words altogether"}).status_code == 400
    assert mine.post("/me/password", {"current": PASSWORD, "new": "short"}).status_code == 400
    said = mine.post("/me/password", {"current": PASSWORD, "new": "four other words altogether"}).json()
    assert said == {"name": "admin", "ended": 2}
    assert [one.get("/me").status_code for one in (mine, other, platform)] == [200, 401, 200]
    assert browser.call("GET", "/me").status_code == 401
    assert [attempt(nobody, one).status_code for one in (PASSWORD, "four other words altogether")] == [401, 200]


def test_who_has_no_password_changes_none(nobody: Api, platform: Api) -> None:
    eve = platform.make("/people", {"name": "eve"})
    assert eve["name"] == "eve"
    token = platform.make("/people/eve/tokens", {"name": "x"})["token"]
    body = {"current": PASSWORD, "new": "four other words altogether"}
    assert nobody.with_token(token).post("/me/password", body).status_code == 404


def test_a_password_that_is_taken_away_is_none(nobody: Api, plane: context.Plane) -> None:
    mine = nobody.with_token(attempt(nobody).json()["token"])
    assert [bootstrap.no_password(plane.engine, plane.clock) for _ in range(2)] == [True, False]
    assert (mine.get("/me").status_code, attempt(nobody).status_code) == (401, 401)


def test_the_log_tells_of_passwords_and_holds_none(nobody: Api, platform: Api, plane: context.Plane, owner: sa.Engine) -> None:
    for _ in range(passwords.OF_ACCOUNT):
        attempt(nobody, "a-password-typed-wrong", "a-password-typed-as-name")
    attempt(nobody)
    planes.seal(plane, owner)
    found = platform.get("/audit?limit=100")
    assert {"login.succeeded", "login.password.changed", "login.locked"} <= {one["event"]["type"] for one in found.json()["items"]}
    assert "a-password-typed" not in found.text
    with owner.begin() as tx:
        rows = tx.execute(sa.text("SELECT p::text FROM passwords p UNION ALL SELECT a::text FROM login_attempts a")).scalars().all()
    assert rows
    assert not any(PASSWORD in row or "a-password-typed" in row for row in rows)


@pytest.mark.parametrize("body", [{}, {"name": "admin"}, {"name": "", "password": "x"}, {"name": "admin", "password": "x" * 257}])
def test_what_is_no_log_in_is_refused_before_it_is_counted(nobody: Api, body: dict[str, str]) -> None:
    assert nobody.client.post(f"{V1}/login/local", json=body).status_code == 400
