"""Every write there is leaves its event with what was before and after, or is undone with it: the list is the OpenAPI document's."""

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from plane.store.layout import tables
from tests.api.test_policy_places import DAY, RULE, ahead
from tests.api.test_tenancy import fill, fit
from tests.support.rest import Api, Json, Tenant, app_document, document

BODIES: dict[str, Json] = {  # examples that stand on nothing else
    "App": app_document("web"),
    "PolicySet": document("PolicySet", "web", {"mode": "off"}, files={"rule.rego": RULE}),
    "Repository": document("Repository", "web", {"url": "https://git.example/x/y"}),
    "RoleBinding": document("RoleBinding", "web", {"role": "viewer", "project": "shop", "subjects": [{"name": "ada"}]}),
}
PLATFORM: dict[str, Json] = {
    "RoleBinding": document("RoleBinding", "web", {"role": "platform-admin", "subjects": [{"name": "admin"}]}),
    "PolicyBinding": document("PolicyBinding", "web", {"policySet": "house", "mode": "warn"}),
}
# What is no fact: how often a token is used, how far a journal or a sink is read, answers that are kept to be given again.
ENOUGH = 40  # writes that got as far as their event; the others have nothing to write to
ASIDE = {"tokens", "idempotency_keys", "audit_events", "audit_personal", "audit_leaves", "audit_heads", "audit_nodes", "audit_checkpoints"}


def writes(api: Api) -> list[tuple[str, str, Any]]:
    """(method, path template, example body) of everything that is not a look."""
    found = api.client.get("/api/v1/openapi.json").json()["paths"]
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
    platform.make("/policies", {**BODIES["PolicySet"], "metadata": {"name": "house"}})
    for template, example in collections(platform):
        kind, level = example["kind"], template.count("{")
        noun = "policy" if kind == "PolicySet" else kind.lower()
        if kind == "Waiver":
            example["spec"]["expiresAt"] = ahead(DAY)
        body = fit(BODIES.get(kind, example) if level else PLATFORM.get(kind, BODIES.get(kind, example)), "recorded")
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
        same = {name: value for name, value in updated.items() if name != "secrets"} == expected[1]
        if "before" in created or not same or [one.get("after") for one in deleted] != [None] or deleted[0]["before"] != expected[0]:
            wrong.append((template, created, updated, deleted))
        if told["created"][0]["target"] != f"{noun}/recorded" or "written, never" in str(told):
            wrong.append((template, told))
    assert wrong == []


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


def test_a_write_whose_event_cannot_be_written_is_undone(platform: Api, acme: Tenant, owner: sa.Engine) -> None:
    """On every endpoint, with a thing of its kind there and without one."""
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    acme.api.make(f"{acme.shop}/repositories", BODIES["Repository"])
    acme.api.make("/tenants/acme/users", document("User", "web"))
    acme.api.make("/tenants/acme/rolebindings", BODIES["RoleBinding"])
    acme.api.get(acme.shop)
    platform.get("/tenants")
    before, wrong, undone = facts(owner), [], set()
    with without_a_log(owner):
        for method, template, example in writes(platform):
            caller = acme.api if "{tenant}/" in template else platform
            for name in ("web", "new"):
                body = fit(BODIES.get(example["kind"], example) if isinstance(example, dict) and "kind" in example else example, name)
                said = caller.call(method, fill(template, "acme", name), body)
                undone |= {(method, template)} if said.status_code == 503 else set()
                if (after := facts(owner)) != before:
                    changed = [table for table in before if before[table] != after[table]]
                    wrong.append((method, template, name, said.status_code, changed))
                    before = after
    assert wrong == []
    assert len(undone) > ENOUGH
