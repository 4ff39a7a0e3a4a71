"""What holds on every endpoint before it sees a request, and in every answer: the list is the OpenAPI document's."""

import re
from typing import Any

import httpx
import msgspec
import pytest

from plane.api import app, calls, safety
from plane.server import context
from plane.store import engine
from tests.support.rest import Api

FOUND = msgspec.json.decode(app.description())["paths"]
EVERY = [(method.upper(), re.sub(r"\{\w+\}", "web", path)) for path, item in FOUND.items() for method in item]
WRITES = [(method, path) for method, path in EVERY if method != "GET"]
OPEN = [("GET", "/health"), ("GET", "/ready"), ("GET", "/api/v1/none"), ("GET", "/"), ("POST", "/health"), ("GET", "/api/v1/openapi.json")]
LEAKS = re.compile(r"litestar|uvicorn|python|postgres|psycopg|msgspec|traceback|\b\d+\.\d+\.\d+\b", re.IGNORECASE)


def ask(api: Api, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes it
    headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    return api.client.request(method, path, headers=headers | more.pop("headers", {}), follow_redirects=False, **more)


def test_every_answer_to_a_stranger_is_safe_and_tells_nothing_of_what_runs_here(platform: Api) -> None:
    nobody, wrong = platform.with_token(""), []
    for method, path in [*EVERY, *OPEN]:
        answer = ask(nobody, method, path)
        missing = [name for name, value in safety.HEADERS.items() if answer.headers.get(name) != value]
        told = LEAKS.findall(answer.text) + [name for name in ("Server", "X-Powered-By", "Via") if name in answer.headers]
        if missing or told or answer.status_code >= 500:
            wrong.append((method, path, answer.status_code, missing, told))
    assert wrong == []


def test_a_stranger_learns_that_a_server_is_not_ready_and_not_why(platform: Api, plane: context.Plane) -> None:
    assert platform.client.get("/ready").json() == {"status": "ready"}
    away = engine.connect("postgresql://nobody@127.0.0.1:1/none")
    platform.client.app.state.plane = msgspec.structs.replace(plane, engine=away)
    answer = platform.client.get("/ready")
    platform.client.app.state.plane = plane
    away.dispose()
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})


def test_a_stranger_does_not_read_the_description(platform: Api) -> None:
    assert platform.with_token("").get("/openapi.json").status_code == 401
    assert platform.get("/openapi.json").json()["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    "media",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/jsonp",
        "application/json5",
    ],
)
def test_every_write_reads_json_alone(platform: Api, media: str) -> None:
    said = {
        (method, path): ask(platform, method, path, content=b"{}", headers={"Content-Type": media}).status_code for method, path in WRITES
    }
    assert {one for one, status in said.items() if status != 415} == set()


def test_every_write_refuses_a_body_without_a_type(platform: Api) -> None:
    said = {(method, path): ask(platform, method, path, content=b"{}").status_code for method, path in WRITES}
    assert {one for one, status in said.items() if status != 415} == set()


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/tenants"), ("POST", "/api/v1/login/local"), ("PUT", "/api/v1/clusters/east")]
)
def test_a_body_is_bounded_before_it_is_read(platform: Api, method: str, path: str) -> None:
    answer = ask(platform, method, path, content=b" " * (calls.BODY_BYTES + 1), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_a_strangers_body_is_not_read_at_all(platform: Api) -> None:
    answer = ask(platform.with_token(""), "POST", "/api/v1/tenants", content=b"[" * 1000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401
