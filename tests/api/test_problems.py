"""One table from error types to statuses, without a gap, and nothing of ours in a body but the sentence and public fields."""

import importlib
import pkgutil
import posixpath
from collections.abc import Iterator

import pytest

import plane.server
import plane.store
import plane.wire
from plane import domain
from plane.api import problems
from plane.domain import access, errors
from plane.wire import rest
from tests.support.rest import Tenant, app_document


def below(kind: type[errors.PlaneError]) -> Iterator[type[errors.PlaneError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def test_every_error_that_a_use_case_may_raise_has_a_status() -> None:
    for package in (domain, plane.wire, plane.store, plane.server):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    rooms = ("plane.domain", "plane.wire", "plane.store", "plane.server", "plane.api")
    ours = [kind for kind in below(errors.PlaneError) if kind.__module__.startswith(rooms)]
    assert [kind.__qualname__ for kind in ours if problems.status_of(kind) is None] == []


def test_codes_are_not_shared() -> None:
    codes = [kind.code for kind in below(errors.PlaneError) if "code" in vars(kind)]
    assert sorted({code for code in codes if codes.count(code) > 1}) == []


def test_a_refusal_is_a_problem_document(acme: Tenant) -> None:
    answer = acme.api.get(f"{acme.shop}/apps/none")
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body.pop("instance").startswith("urn:gitops-plane:request:")
    assert body == {
        "type": "urn:gitops-plane:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "app 'none' was not found",
        "kind": "app",
        "name": "none",
    }


def test_an_unknown_path_is_a_problem_too(acme: Tenant) -> None:
    answer = acme.api.get("/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:gitops-plane:problem:route-unknown")


EDGE = "9" * 25  # no number of ours, and more than the database takes as one
CURSOR = rest.cursor(EDGE)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/apps/web/plans/" + EDGE, 404),
        (f"/apps/web/history?cursor={CURSOR}", 400),
        (f"/apps/web/health?cursor={CURSOR}", 400),
        (f"/../../audit?cursor={CURSOR}", 400),
        (f"/../../audit/check?cursor={rest.cursor(f'{EDGE} {access.SYSTEM.id}')}", 400),
        (f"/../../audit/export?end={EDGE}", 400),
        ("/../../audit?since=0001-01-01T00:00:00%2B14:00", 400),
        ("/../../audit?until=9999-12-31T23:59:59-14:00", 400),
    ],
)
def test_a_number_or_a_time_beyond_all_others_is_refused(acme: Tenant, path: str, status: int) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    assert acme.api.get(posixpath.normpath(acme.shop + path.partition("?")[0]) + "?" + path.partition("?")[2]).status_code == status


def test_a_rollback_beyond_all_numbers_is_refused(acme: Tenant) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    assert acme.api.post(f"{acme.shop}/apps/web/rollback", {"number": int(EDGE)}).status_code == 400


def test_an_answer_says_nothing_about_its_server(acme: Tenant) -> None:
    headers = acme.api.get("/me").headers
    assert "server" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Request-Id"]
