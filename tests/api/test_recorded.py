"""Every write there is leaves its event with what was before and after, or is undone with it: the list is the OpenAPI document's."""

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from plane.api import awaiting
from plane.store.layout import tables
from tests.api import stock
from tests.api.test_tenancy import fill, fit
from tests.support.rest import Api, Json, Tenant, document

# What is no fact: how often a token is used or a password tried, what renders took, how far a journal or a sink is
# read, answers kept to be given again.
ASIDE = {
    "tokens",
    "login_attempts",
    "render_hours",
    "idempotency_keys",
    "audit_events",
    "audit_personal",
    "audit_leaves",
    "audit_heads",
    "audit_nodes",
    "audit_checkpoints",
}

LOOK = "it changes nothing"
PROVIDER = "there is no identity provider here: tests/api/test_login.py"
ASKED = "it asks an agent first; what is then kept or done has its event: tests/server/test_kept_plans.py, tests/api/test_actions.py"
ELSEWHERE = {  # writes that come to no event here, and why
    ("POST", "/tenants/{tenant}/projects/{project}/apps/{app}/diff-local"): ASKED,
    ("POST", "/tenants/{tenant}/projects/{project}/repositories/{repository}/test"): LOOK,
    **{("POST", f"{above}/identityproviders/{{identityprovider}}/test"): LOOK for above in ("", "/tenants/{tenant}")},
    ("POST", "/tenants/{tenant}/projects/{project}/apps/{app}/plans"): ASKED,
    ("POST", "/tenants/{tenant}/projects/{project}/apps/{app}/patches"): ASKED,
    ("POST", "/login/device"): PROVIDER,
    ("POST", "/login/local/session"): "it is for browsers: tests/api/test_local_login.py",
    ("POST", "/login/end"): PROVIDER,
    ("POST", "/login/exchange"): PROVIDER,
    ("POST", "/login/{provider}/begin"): PROVIDER,
    ("POST", "/login/{provider}/device"): PROVIDER,
}


def writes(api: Api) -> list[tuple[str, str, Any]]:
    """(method, path template, example body) of everything that is not a look."""
    found = api.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), path.removeprefix("/api/v1"), _example(operation))
        for path, operations in found.items()
        for method, operation in operations.items()
        if method != "get"
    ]


def _example(operation: Json) -> Any:  # noqa: ANN401 - plain JSON
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")


def collections(api: Api) -> list[tuple[str, Json]]:
    """(path template, document) for every place that documents are made in."""
    found = [(path, example) for method, path, example in writes(api) if method == "POST" and isinstance(example, dict)]
    return [(path, example) for path, example in found if "metadata" in example]


def bare(told: Json) -> Json:
    """Without place and labels of a kind that is logged whole: they stand beside it as every kind's."""
    for side in ("before", "after"):
        if "metadata" in told.get(side, {}):
            told[side]["metadata"] = {"name": told[side]["metadata"]["name"]}
    return told


def events(owner: sa.Engine, kind: str) -> list[Json]:
    with owner.begin() as tx:
        rows = tx.execute(sa.text("SELECT body FROM audit_events WHERE type = :type ORDER BY xid, id"), {"type": kind})
        return [msgspec.json.decode(bytes(row.body)) for row in rows]


def test_every_kind_of_document_tells_what_was_and_what_is(platform: Api, acme: Tenant, owner: sa.Engine) -> None:
    wrong: list[object] = []
    for api, above in ((platform, ""), (acme.api, "/tenants/acme")):
        api.make(f"{above}/policies", {**stock.BODIES["PolicySet"], "metadata": {"name": "house"}})
        api.make(f"{above}/users", document("User", "ci", {"type": "service"}))
    for template, example in collections(platform):
        kind, level = example["kind"], template.count("{")
        noun = "policy" if kind == "PolicySet" else kind.lower()
        body = fit(stock.BODIES.get(kind, example) if level else stock.PLATFORM.get(kind, stock.BODIES.get(kind, example)), "recorded")
        assert isinstance(body, dict)
        path = fill(template, "acme", "")
        caller = acme.api if level and kind != "Tenant" else platform
        before = {verb: len(events(owner, f"{noun}.{verb}")) for verb in ("created", "updated", "deleted")}
        made = caller.post(path, body)
        turned = caller.put(f"{path}/recorded", body | {"metadata": {"name": "recorded", "labels": {"tier": "front"}}})
        gone = caller.delete(f"{path}/recorded")
        if (made.status_code, turned.status_code) != (201, 200) or gone.status_code not in {200, 202}:
            wrong.append((template, made.text, turned.text, gone.text))
            continue
        told = {verb: events(owner, f"{noun}.{verb}")[count:] for verb, count in before.items()}
        after = {verb: [bare(one["details"]) for one in found] for verb, found in told.items()}
        [created], [updated] = after["created"], after["updated"]
        deleted = after["deleted"] if kind != "App" else [{"before": created["after"]}]  # an app goes when its objects are gone
        expected = (
            created["after"],
            {"before": created["after"], "after": created["after"], "labels_before": {}, "labels_after": {"tier": "front"}},
        )
        same = {name: value for name, value in updated.items() if not name.startswith("secrets")} == expected[1]
        if "before" in created or not same or [one.get("after") for one in deleted] != [None] or deleted[0]["before"] != expected[0]:
            wrong.append((template, created, updated, deleted))
        if told["created"][0]["target"] != f"{noun}/recorded" or "written, never" in str(told):
            wrong.append((template, told))
    assert wrong == []


def test_the_log_shows_which_secret_field_was_changed_and_no_value(platform: Api, acme: Tenant, owner: sa.Engine) -> None:
    """Of every kind that has some: each field has a fingerprint before and after, equal where the value is the same."""
    found = [(template, example) for template, example in collections(platform) if "data" in example]
    assert {example["kind"] for _, example in found} == {"Credential", "IdentityProvider", "Sink"}
    for template, example in found:
        caller, path = acme.api if template.count("{") else platform, fill(template, "acme", "")
        body, noun = example | {"metadata": {"name": "secret"}}, example["kind"].lower()
        already = {verb: len(events(owner, f"{noun}.{verb}")) for verb in ("created", "updated", "deleted")}
        caller.make(path, body)
        written = [{field: f"{value}, another" for field, value in body["data"].items()}, body["data"], None]
        for number, data in enumerate(written):
            changed = body | {"metadata": {"name": "secret", "labels": {"n": str(number)}}, "data": data}
            assert caller.put(f"{path}/secret", changed).status_code == 200
        caller.delete(f"{path}/secret")
        told = [event["details"] for verb, count in already.items() for event in events(owner, f"{noun}.{verb}")[count:]]
        first, other = told[0]["secrets_after"], told[1]["secrets_after"]
        prints = [(one.get("secrets_before"), one.get("secrets_after")) for one in told]
        assert prints == [(None, first), (first, other), (other, first), (first, first), (first, None)]
        assert first.keys() == body["data"].keys()
        assert all(first[field] != other[field] for field in first)
        assert "written, never" not in str(told)


def test_equal_secrets_of_two_documents_have_different_fingerprints(acme: Tenant, owner: sa.Engine) -> None:
    for name in ("one", "two"):
        acme.api.make(f"{acme.shop}/credentials", document("Credential", name, {"kind": "git-password"}, data={"password": "the same"}))
    one, two = (event["details"]["secrets_after"]["password"] for event in events(owner, "credential.created"))
    assert one != two


@contextlib.contextmanager
def without_a_log(owner: sa.Engine) -> Iterator[None]:
    """No event can be written: the log's disk is full."""
    full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$"
    with owner.begin() as tx:
        tx.execute(sa.text(full))
        tx.execute(sa.text("CREATE TRIGGER full_disk BEFORE INSERT ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"))
    try:
        yield
    finally:
        with owner.begin() as tx:
            tx.execute(sa.text("DROP TRIGGER full_disk ON audit_events"))
            tx.execute(sa.text("DROP FUNCTION full_disk()"))


def facts(owner: sa.Engine) -> dict[str, str]:
    """What every table holds, as a digest."""
    names = [table.name for table in tables.METADATA.sorted_tables if table.name not in ASIDE]
    held = "md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), ''))"
    parts = [f"SELECT '{name}' AS name, {held} AS held FROM {name} t" for name in names]  # noqa: S608 - our own names
    with owner.begin() as tx:
        return {row.name: row.held for row in tx.execute(sa.text(" UNION ALL ".join(parts)))}


def test_a_write_whose_event_cannot_be_written_is_undone(
    platform: Api, acme: Tenant, owner: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On every endpoint: with a thing of its kind there, without one, and with one in the state that orders want."""
    monkeypatch.setattr(awaiting, "WAIT_S", 0.0)
    there = stock.fill_up(platform, acme, owner)
    before, wrong, reached = facts(owner), [], set()
    with without_a_log(owner):
        for method, template, example in writes(platform):
            caller = acme.api if "{tenant}/" in template else platform
            for name in stock.names(template):
                said = caller.call(method, there.path(template, name), stock.body(template, example, name))
                reached |= {(method, template)} if "disk is full" in said.text else set()
            if (after := facts(owner)) != before and ELSEWHERE.get((method, template)) != ASKED:
                wrong.append((method, template, [table for table in before if before[table] != after[table]]))
            before = after
    assert wrong == []
    assert sorted({(method, template) for method, template, _ in writes(platform)} - reached) == sorted(ELSEWHERE)
