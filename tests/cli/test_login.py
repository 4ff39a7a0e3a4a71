"""`plane login` at an identity provider, as somebody at a terminal sees it."""

import os
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from plane.cli import failures, sso
from plane.domain.granting import login
from tests.cli import conftest
from tests.support import browser, identity, waiting


@pytest.fixture
def house(api: str, served: Litestar, provider: identity.Provider) -> Iterator[Callable[..., str]]:
    """The plane knows the provider; gives its address."""
    before = served.state.plane

    def known(client: str) -> str:
        one = {"name": "house", "issuer": provider.issuer, "clientId": client}
        rule = {"name": "deploy", "issuer": provider.issuer, "audience": "ci", "claims": {"sub": "job"}, "service": "ci"}
        served.state.plane = msgspec.structs.replace(
            before, logins=msgspec.convert({"url": api, "providers": [one], "trust": [rule]}, login.Settings)
        )
        return api

    yield known
    served.state.plane = before


def test_somebody_logs_in_in_a_browser(
    house: Callable[..., str], environment: dict[str, Any], run: conftest.Run, tmp_path: pathlib.Path
) -> None:
    config = str(tmp_path / "contexts")
    own = {"PLANE_CONFIG": config, "TEST_USER": "ana", "BROWSER": f"{sys.executable} {browser.__file__} %s", "PATH": os.environ["PATH"]}
    words = [str(pathlib.Path(sys.executable).parent / "plane"), "login", house("desk"), "--provider", "house", "--context", "sso"]
    done = subprocess.run(words, env=own, capture_output=True, text=True, timeout=waiting.PATIENCE_S, check=False)
    assert (done.returncode, "as ana; context 'sso' is current" in done.stdout) == (0, True), done.stderr
    environment |= {"PLANE_URL": "", "PLANE_TOKEN": "", "PLANE_CONFIG": config}
    assert "ana" in run("me").output


def test_somebody_logs_in_on_another_machine(house: Callable[..., str], tmp_path: pathlib.Path) -> None:
    words = [str(pathlib.Path(sys.executable).parent / "plane"), "login", house("plane"), "--provider", "house", "--device"]
    own = {"PLANE_CONFIG": str(tmp_path / "contexts"), "PATH": os.environ["PATH"]}
    with subprocess.Popen(words, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr
        said = child.stderr.readline().split()
        ana = identity.Browser("ana")
        ana.type_code(f"{said[1]}?user_code={said[-1]}")
        ana.close()
        assert "as ana" in child.communicate(timeout=waiting.PATIENCE_S)[0]


def test_a_job_logs_in_with_what_vouches_for_it(
    house: Callable[..., str], run: conftest.Run, provider: identity.Provider, tmp_path: pathlib.Path
) -> None:
    run("user", "create", "ci", "--service", "-T", "-")
    at = int(time.time())
    file = tmp_path / "token"
    file.write_text(provider.sign({"aud": "ci", "sub": "job", "iat": at, "exp": at + 60}))
    assert "as ci" in run("login", house("plane"), "--rule", "deploy", "--token-file", str(file), "--context", "job").output


@pytest.mark.parametrize("way", [["--device"], ["--provider", "a", "--rule", "b"]])
def test_ways_that_exclude_each_other_are_refused(run: conftest.Run, way: list[str]) -> None:
    assert "give --provider" in run("login", "https://plane.example", *way, code=2).stderr


def test_a_local_admin_logs_in_with_a_password_and_changes_it(
    api: str, environment: dict[str, Any], run: conftest.Run, database_url: str, tmp_path: pathlib.Path
) -> None:
    environment |= {"PLANE_CONFIG": str(tmp_path / "contexts"), "DATABASE_URL": database_url}
    first, second = "correct horse battery staple", "four other words altogether"
    assert "12 to 256 characters" in run("db", "password", typed="short\n", code=1).output
    assert "0 log-ins with the one before ended" in run("db", "password", typed=f"{first}\n").output
    environment |= {"PLANE_URL": "", "PLANE_TOKEN": ""}
    assert "refused" in run("login", api, "--local", "admin", typed="wrong\n", code=3).stderr
    assert "as admin" in run("login", api, "--local", "admin", typed=f"{first}\n").output
    assert "two lines" in run("auth", "password", typed=f"{first}\n", code=2).stderr
    assert "changed; 0 other" in run("auth", "password", typed=f"{first}\n{second}\n").output
    assert "as admin" in run("login", api, "--local", "admin", typed=f"{second}\n").output
    assert run("db", "password", "--remove").output == "the password is gone\n"
    assert run("me", code=3).stderr


def test_a_device_asks_more_rarely_once_it_is_told_to() -> None:
    pauses = [5]
    for said in ({}, {"slowDown": True}, {"slowDown": False}, {"slowDown": True}):
        pauses.append(sso.slower(pauses[-1], said))
    assert pauses == [5, 5, 10, 10, 15]


def come_back(back: Any, *paths: str) -> None:  # noqa: ANN401 - the end of the command line
    """A browser of this machine asks for them."""
    for path in paths:
        httpx.get(f"http://127.0.0.1:{back.server_port}{path}", trust_env=False)


@pytest.mark.parametrize("query", ["code=theirs", "error=access_denied"])
def test_another_page_of_the_browser_does_not_end_a_log_in(query: str) -> None:
    with sso.Back() as back:
        browser = threading.Thread(target=come_back, args=(back, f"/?{query}", f"/favicon.ico?{query}", f"{back.path}?code=ours"))
        browser.start()
        assert back.wait(30) == "ours"
        browser.join()


def test_a_refusal_ends_the_waiting_at_once() -> None:
    with sso.Back() as back:
        browser = threading.Thread(target=come_back, args=(back, f"{back.path}?error=access_denied"))
        browser.start()
        with pytest.raises(failures.Failed, match="was refused"):
            back.wait(30)
        browser.join()


def test_nobody_who_came_back_is_told_of_the_other_way() -> None:
    with sso.Back() as back, pytest.raises(failures.Failed, match="--device"):
        back.wait(0)


@pytest.mark.parametrize(
    ("environment", "there"),
    [
        ({"SSH_CONNECTION": "x"}, False),
        ({"SSH_CONNECTION": "x", "BROWSER": "lynx"}, True),
        ({"SSH_CONNECTION": "x", "DISPLAY": ":10"}, True),
    ],
)
def test_a_shell_from_afar_has_no_browser_to_come_back(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    monkeypatch.setenv("BROWSER", "true")  # what Python itself would find, wherever the tests run
    assert sso.has_browser(environment) == there
