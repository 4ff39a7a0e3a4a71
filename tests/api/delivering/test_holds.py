"""Holding apps and projects over the API: who may, what is asked for, what is shown and what is recorded."""

import pytest
import sqlalchemy as sa

from plane.server import context
from tests.support import planes
from tests.support.rest import Tenant, app_document

HOLD = {"reason": "migration"}


def with_app(acme: Tenant) -> str:
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    return f"{acme.shop}/apps/web"


def test_an_app_is_held_by_whoever_says_so_and_released(acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    web = with_app(acme)
    held = acme.api.put(f"{web}/hold", HOLD)
    assert held.status_code == 200, held.text
    told = held.json()["status"]["hold"]
    assert (told["reason"], told["owner"], bool(told["since"])) == ("migration", "ada", True)
    assert [item["status"]["hold"]["reason"] for item in acme.api.get(f"{acme.shop}/apps").json()["items"]] == ["migration"]
    released = acme.api.delete(f"{web}/hold")
    assert (released.status_code, "hold" in released.json()["status"]) == (200, False)
    assert acme.api.delete(f"{web}/hold").status_code == 409
    planes.seal(plane, owner)
    events = [item["event"] for item in acme.api.get("/tenants/acme/audit?project=shop").json()["items"]]
    assert [(event["type"], event["target"]) for event in events[1:]] == [("app.held", "app/web"), ("app.released", "app/web")]


def test_a_project_holds_all_its_apps(acme: Tenant) -> None:
    web = with_app(acme)
    held = acme.api.put(f"{acme.shop}/hold", HOLD | {"owner": "payments team", "until": "2099-01-01T00:00:00Z"})
    assert held.json()["status"]["hold"]["owner"] == "payments team"
    told = acme.api.get(web).json()["status"]["hold"]
    assert (told["over"], told["until"]) == ("project", "2099-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "x", "until": "tomorrow"}, "until"),
        ({"reason": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
    ],
)
def test_what_is_wrong_with_a_hold_is_said_by_its_field(acme: Tenant, body: dict[str, str], field: str) -> None:
    answer = acme.api.put(f"{with_app(acme)}/hold", body)
    assert (answer.status_code, list(answer.json()["problems"])) == (400, [field])


def test_editors_hold_apps_and_admins_projects(acme: Tenant) -> None:
    web = with_app(acme)
    viewer, editor = (acme.api.person("acme", role, role) for role in ("viewer", "editor"))
    assert (viewer.put(f"{web}/hold", HOLD).status_code, editor.put(f"{web}/hold", HOLD).status_code) == (403, 200)
    assert editor.put(f"{acme.shop}/hold", HOLD).status_code == 403
    lead = acme.api.person("acme", "lead", "admin", project="shop")
    assert lead.put(f"{acme.shop}/hold", HOLD).status_code == 200


def test_a_hold_is_no_part_of_the_document(acme: Tenant) -> None:
    web = with_app(acme)
    acme.api.put(f"{web}/hold", HOLD)
    assert acme.api.put(web, app_document("web", revisionHistoryLimit=3)).json()["status"]["hold"]["reason"] == "migration"


def test_a_rollback_says_in_which_words_a_length_is_written(acme: Tenant) -> None:
    wrong = app_document("api", syncPolicy={"rollback": {"onDegraded": "five minutes"}})
    problems = acme.api.post(f"{acme.shop}/apps", wrong).json()["problems"]
    assert problems == {"spec.syncPolicy.rollback.onDegraded": "'five minutes' is not a length of time; write it as 30s, 5m or 1h30m"}
