"""The log as it grows, over REST; one stream shows what comes, and ends with the rights of whoever reads it."""

import contextlib
import json
from collections.abc import Iterator

import httpx

from tests.cli import conftest
from tests.support import planes


@contextlib.contextmanager
def stream(address: str, token: str, **asked: object) -> Iterator[Iterator[str]]:
    headers = {"Authorization": f"Bearer {token}"}
    place = f"{address}/api/v1/tenants/acme/audit/events"
    with httpx.Client(timeout=30) as client, client.stream("GET", place, headers=headers, params=asked) as answer:  # type: ignore[arg-type]  # texts and numbers
        assert answer.status_code == 200, answer.read()
        yield answer.iter_lines()


def test_what_happens_is_seen_by_whoever_follows(
    shop: planes.Fleet, run: conftest.Run, api: str, environment: dict[str, str | None]
) -> None:
    run("user", "create", "eve", "--role", "viewer")
    planes.seal(shop.plane, shop.owner)
    with stream(api, str(environment["PLANE_TOKEN"]), after=0, type="access.*") as lines:
        assert told(lines)["event"]["type"] == "access.role.granted"
        run("user", "create", "bob", "--role", "viewer")
        planes.seal(shop.plane, shop.owner)
        assert told(lines)["event"]["target"] == "person/bob"


def told(lines: Iterator[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(next(line for line in lines if line.startswith("data:")).removeprefix("data:"))
    return found
