"""What an app is asked to do becomes a wish in its row, once, and an event in the log."""

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain.deciding import decide
from plane.domain.planning import terms
from plane.server import context
from tests.support import counting, planes
from tests.support.rest import Tenant, app_document, document

MOST = 24  # statements for an app: declaring a thousand is mostly these


def row(owner: sa.Engine, columns: str, table: str = "apps") -> tuple[object, ...]:
    with owner.begin() as tx:
        return tuple(tx.execute(sa.text(f"SELECT {columns} FROM {table}")).one())  # noqa: S608 - both are literals below


def with_app(acme: Tenant, **spec: object) -> str:
    acme.api.make(f"{acme.shop}/apps", app_document("web", **spec))
    return f"{acme.shop}/apps/web"


def test_a_sync_is_taken_on_with_an_operation_to_follow(acme: Tenant, owner: sa.Engine) -> None:
    web = with_app(acme)
    answer = acme.api.post(f"{web}/sync", {"prune": True})
    assert (answer.status_code, answer.json()["events"]) == (202, f"/api/v1{web}/events")
    [request] = row(owner, "request")
    assert msgspec.convert(request, decide.Request) == decide.Request(actor="ada", prune=True)


@pytest.mark.parametrize(
    ("spec", "body", "status", "word"),
    [
        ({}, {"revision": "v1.2.3"}, 202, ""),
        ({}, {"revision": "--upload-pack=x"}, 400, "must be a branch, tag or commit"),
        ({"syncPolicy": {"automated": {}}}, {"revision": "v1.2.3"}, 409, "syncs by itself to HEAD and would undo a sync to v1.2.3"),
        ({"syncPolicy": {"automated": {}}}, {"revision": "HEAD"}, 202, ""),
    ],
)
def test_a_sync_to_another_revision_is_for_apps_that_sync_by_hand(
    acme: Tenant, owner: sa.Engine, spec: dict[str, object], body: dict[str, str], status: int, word: str
) -> None:
    answer = acme.api.post(f"{with_app(acme, **spec)}/sync", body)
    assert (answer.status_code, word in answer.text) == (status, True), answer.text
    [request] = row(owner, "request")
    wanted = "" if body["revision"] == "HEAD" else body["revision"]
    assert (request is None) if status != 202 else (msgspec.convert(request, decide.Request).revision == wanted)


def test_a_sync_of_chosen_objects_keeps_its_choice(acme: Tenant, owner: sa.Engine) -> None:
    chosen = {"resources": [":ConfigMap:web", "!:Secret:*"], "labels": "tier=front", "strategy": "apply", "syncOptions": ["Replace=true"]}
    assert acme.api.post(f"{with_app(acme)}/sync", chosen).status_code == 202
    [request] = row(owner, "request")
    wanted = terms.Terms((":ConfigMap:web", "!:Secret:*"), "tier=front", "apply", ("Replace=true",))
    assert msgspec.convert(request, decide.Request).terms == wanted


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"resources": ["web"]}, "resources[0]"),
        ({"labels": "a b"}, "labels"),
        ({"syncOptions": ["Prun=true"]}, "syncOptions[0]"),
        ({"strategy": "hooks"}, "strategy"),
    ],
)
def test_a_choice_that_cannot_be_read_is_refused_by_its_field(acme: Tenant, owner: sa.Engine, body: dict[str, object], field: str) -> None:
    answer = acme.api.post(f"{with_app(acme)}/sync", body)
    assert (answer.status_code, field in answer.text) == (400, True), answer.text
    assert row(owner, "request") == (None,)


def test_a_second_sync_waits_for_the_first(acme: Tenant) -> None:
    web = with_app(acme)
    acme.api.post(f"{web}/sync")
    again = acme.api.post(f"{web}/sync")
    assert (again.status_code, "asked for by ada" in again.json()["detail"]) == (409, True)


def test_the_same_key_asks_once(acme: Tenant) -> None:
    web = with_app(acme)
    first, second = (acme.api.post(f"{web}/sync", {}, Idempotency_Key="k1") for _ in range(2))
    assert (first.status_code, second.status_code, second.json()) == (202, 202, first.json())
    assert second.headers["Idempotency-Replayed"] == "true"


def test_a_key_is_good_for_one_request(acme: Tenant) -> None:
    web = with_app(acme)
    acme.api.post(f"{web}/sync", {}, Idempotency_Key="k1")
    other = acme.api.post(f"{web}/sync", {"prune": True}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["type"]) == (409, "urn:gitops-plane:problem:idempotency-key-reused")


def test_a_refused_request_may_be_repeated_with_its_key(acme: Tenant) -> None:
    sent = document("Project", "new", {"destinations": [{"cluster": "east"}]})
    wrong = acme.api.call("POST", "/tenants/acme/projects", sent | {"metadata": {"name": "New"}}, Idempotency_Key="k2")
    right = acme.api.call("POST", "/tenants/acme/projects", sent, Idempotency_Key="k2")
    assert (wrong.status_code, right.status_code) == (400, 201)


def test_a_token_is_not_kept_for_its_key(acme: Tenant, owner: sa.Engine) -> None:
    body = {"name": "laptop"}
    issued = acme.api.post("/tenants/acme/people/ada/tokens", body, Idempotency_Key="k3")
    assert issued.status_code == 201
    assert acme.api.post("/tenants/acme/people/ada/tokens", body, Idempotency_Key="k3").status_code == 409
    with owner.begin() as tx:
        kept = tx.execute(sa.text("SELECT body FROM idempotency")).scalars().all()
    assert all(issued.json()["token"].encode() not in bytes(body) for body in kept)


def test_a_refresh_looks_at_repository_and_app_now(acme: Tenant, owner: sa.Engine) -> None:
    web = with_app(acme)
    acme.api.make(f"{acme.shop}/repositories", document("Repository", "deploy", {"url": "https://git.example/acme/deploy.git"}))
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE repositories SET poll_at = NULL"))
    assert acme.api.post(f"{web}/refresh", {"hard": True}).status_code == 202
    assert row(owner, "refresh, hard, due_at IS NOT NULL") == (True, True, True)
    assert row(owner, "poll_at IS NOT NULL", "repositories") == (True,)


def test_an_automated_app_is_not_rolled_back(acme: Tenant) -> None:
    web = with_app(acme, syncPolicy={"automated": {}})
    answer = acme.api.post(f"{web}/rollback", {"number": 1})
    assert (answer.status_code, "syncs by itself" in answer.json()["detail"]) == (409, True)


def test_a_rollback_to_nothing_is_refused(acme: Tenant) -> None:
    assert acme.api.post(f"{with_app(acme)}/rollback", {"number": 1}).json()["detail"] == "history entry '1' was not found"


def test_nothing_to_stop_and_nothing_to_approve_are_conflicts(acme: Tenant) -> None:
    web = with_app(acme)
    assert acme.api.post(f"{web}/terminate").status_code == 409
    assert acme.api.post(f"{web}/approve", {}).status_code == 409


def test_a_request_that_waits_can_be_taken_back(acme: Tenant, owner: sa.Engine) -> None:
    web = with_app(acme)
    acme.api.post(f"{web}/sync")
    assert acme.api.post(f"{web}/terminate").status_code == 200
    assert row(owner, "request") == (None,)


def test_deleting_an_app_marks_it_and_the_worker_does_the_rest(acme: Tenant, owner: sa.Engine) -> None:
    web = with_app(acme)
    assert acme.api.delete(web).status_code == 202
    assert acme.api.get(web).json()["status"]["deleting"] is True
    assert acme.api.put(web, app_document("web", revisionHistoryLimit=2)).status_code == 409
    assert row(owner, "deleted_at IS NOT NULL, due_at IS NOT NULL, request") == (True, True, None)


def test_an_app_can_go_without_its_objects(acme: Tenant, owner: sa.Engine) -> None:
    acme.api.delete(f"{with_app(acme)}?cascade=false")
    [request] = row(owner, "request")
    assert isinstance(request, dict)
    assert request["trigger"] == "orphan"


def test_a_new_app_explains_that_it_waits_for_its_first_look(acme: Tenant) -> None:
    told = acme.api.get(f"{with_app(acme)}/explain").json()
    assert (told["app"], "first look" in told["sentence"]) == ("web", True)


def test_a_declared_app_takes_so_many_statements(acme: Tenant, plane: context.Plane) -> None:
    """Who asks and what they hold, where, whether two are needed, the tenant's and the project's rules, the rows, the event."""
    with_app(acme)
    with counting.statements(plane.engine) as sent:
        assert acme.api.put(f"{acme.shop}/apps/next", app_document("next")).status_code == 201
    assert len(sent) <= MOST, sent


def test_every_write_is_in_the_log_with_before_and_after(acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    web = with_app(acme)
    acme.api.put(web, app_document("web", revisionHistoryLimit=3))
    planes.seal(plane, owner)
    events = [item["event"] for item in acme.api.get("/tenants/acme/audit?project=shop").json()["items"]]
    assert [event["type"] for event in events] == ["app.created", "app.updated"]
    [before, after] = (events[1]["details"][side]["revisionHistoryLimit"] for side in ("before", "after"))
    assert (before, after, events[1]["actor"]["name"], events[1]["target"]) == (10, 3, "ada", "app/web")


def test_an_export_ends_with_its_signed_checkpoint_and_is_itself_recorded(acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    with_app(acme)
    planes.seal(plane, owner)
    text = acme.api.get("/tenants/acme/audit/export").text
    assert '"app.created"' in text
    assert text.splitlines()[-2].startswith('{"checkpoint":{"origin":"test-plane/')
    planes.seal(plane, owner)
    assert '"audit.exported"' in acme.api.get("/tenants/acme/audit/export").text
