"""A tenant's log is its own: nothing on any audit endpoint there is tells of another's events, or how many they are."""

import json
import re

import pytest
import sqlalchemy as sa

from plane.domain.auditing import audit
from plane.server import authorise, context
from plane.server.auditing import audit_log
from plane.wire import audit as wire
from tests.support import planes, verifying
from tests.support.rest import Tenant, app_document, document

WORD = "wombat"  # in everything that acme does
FORMS = ("jsonl", "csv", "ocsf", "cloudevents", "manifest")
ASKED = {"inclusion": "seq=0", "consistency": "old=1", "at": "time=2999-01-01", "audit": "since=1970-01-01&limit=500"}


def acts(tenant: Tenant, word: str) -> None:
    """Something of many kinds."""
    tenant.api.make(f"{tenant.shop}/apps", app_document(word))
    tenant.api.make(f"{tenant.shop}/repositories", document("Repository", word, {"url": f"https://git.example/{word}/deploy.git"}))
    viewer = tenant.api.person(tenant.name, word, "viewer")
    assert viewer.call("DELETE", f"{tenant.shop}/apps/{word}").status_code == 403
    tenant.api.call("PUT", f"{tenant.shop}/apps/{word}/hold", {"reason": word})


def places(tenant: Tenant) -> list[str]:
    """Every GET below …/audit that ends by itself, with what it must be asked for."""
    paths = tenant.api.get("/openapi.json").json()["paths"]
    found = []
    for path, operations in paths.items():
        if re.search(r"^/api/v1/tenants/\{tenant\}/audit(/|$)", path) and "get" in operations:
            content = operations["get"]["responses"]["200"]["content"]
            asked = ASKED.get(path.rpartition("/")[2], "")
            at = path.removeprefix("/api/v1").replace("{tenant}", tenant.name)
            if at.endswith("/export"):
                found += [f"{at}?since=1970-01-01&format={form}" for form in FORMS]
            elif "text/event-stream" not in content:
                found.append(f"{at}?{asked}")
    return found


def own(owner: sa.Engine, tenant: str) -> int:
    with owner.begin() as tx:
        query = "SELECT count(*) FROM audit_leaves l JOIN tenants t ON t.id = l.tenant_id WHERE t.name = :name"
        return int(tx.execute(sa.text(query), {"name": tenant}).scalar_one())


@pytest.fixture
def both(plane: context.Plane, owner: sa.Engine, acme: Tenant, globex: Tenant) -> tuple[Tenant, Tenant]:
    acts(acme, WORD)
    acts(globex, "quokka")
    planes.seal(plane, owner)
    return acme, globex


def test_no_audit_endpoint_tells_of_another_tenants_events(both: tuple[Tenant, Tenant], owner: sa.Engine) -> None:
    _, globex = both
    with owner.begin() as tx:
        ids = tx.execute(
            sa.text("SELECT l.event_id, l.tenant_id FROM audit_leaves l JOIN tenants t ON t.id = l.tenant_id WHERE t.name = 'acme'")
        )
        theirs = {str(one) for row in ids for one in row}
    asked = places(globex)
    assert len(asked) >= 10, asked
    told = {path: globex.api.get(path) for path in asked}
    assert {path: answer.status_code for path, answer in told.items()} == dict.fromkeys(asked, 200)
    assert [path for path, answer in told.items() if WORD in answer.text or any(one in answer.text for one in theirs)] == []
    assert "quokka" in globex.api.get(next(path for path in asked if "jsonl" in path)).text  # it does tell of its own
    for event in theirs:
        assert globex.api.get(f"/tenants/globex/audit/inclusion?event={event}").status_code == 404


def test_numbers_are_those_of_the_own_log(both: tuple[Tenant, Tenant], plane: context.Plane, owner: sa.Engine) -> None:
    acme, globex = both
    acts(acme, f"{WORD}-again")
    planes.seal(plane, owner)
    mine = own(owner, "globex")
    assert own(owner, "acme") != mine
    assert globex.api.get("/tenants/globex/audit/checkpoint").json()["size"] == mine
    assert globex.api.get("/tenants/globex/audit/check").json()["looked"] == mine
    exported = globex.api.get("/tenants/globex/audit/export?since=1970-01-01&type=app.*")
    manifest = json.loads(exported.text.splitlines()[-1])["manifest"]
    assert manifest["end"] == own(owner, "globex")  # with the export itself
    assert manifest["events"] == int(exported.headers["Audit-Events"]) == exported.text.count('{"event":')
    assert globex.api.get(f"/tenants/globex/audit/consistency?old={mine + 50}").status_code == 400


def test_whoever_follows_a_log_hears_of_no_other(both: tuple[Tenant, Tenant], plane: context.Plane) -> None:
    _, globex = both
    caller = authorise.Caller(authorise.actor(plane, globex.api.token))
    heard = audit_log.follow(plane, caller, authorise.Names("globex"), wire.Follow(after=0, limit=500), begun=True)
    assert heard.found
    assert {one.event.tenant for one in heard.found} == {heard.tenant}


def test_the_platforms_log_and_anothers_are_not_there(both: tuple[Tenant, Tenant]) -> None:
    _, globex = both
    for path in places(globex):
        theirs, none = (globex.api.get(path.replace("/tenants/globex/", f"/tenants/{name}/")) for name in ("acme", "no-such"))
        assert (theirs.status_code, none.status_code) == (404, 404)
        assert globex.api.get(path.replace("/tenants/globex/", "/")).status_code in {403, 404}


def test_who_may_read_one_project_sees_its_events_alone(both: tuple[Tenant, Tenant], plane: context.Plane, owner: sa.Engine) -> None:
    acme, _ = both
    acme.api.make("/tenants/acme/projects", document("Project", "secret"))
    acme.api.make("/tenants/acme/projects/secret/apps", app_document("hidden"))
    bob = acme.api.person("acme", "bob", "admin", project="shop")
    planes.seal(plane, owner)
    events = [one["event"] for one in bob.get("/tenants/acme/audit?project=shop&since=1970-01-01&limit=500").json()["items"]]
    assert {event["project"] for event in events} == {"shop"}
    assert bob.get("/tenants/acme/audit?project=secret").status_code == 404
    assert bob.get("/tenants/acme/audit").status_code == 403
    for form in FORMS:
        assert "hidden" not in bob.get(f"/tenants/acme/audit/export?project=shop&since=1970-01-01&format={form}").text


def test_who_reads_one_project_gets_no_counts_of_the_others(acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    acme.api.make("/tenants/acme/projects", document("Project", "bank"))
    part = acme.api.person("acme", "pat", "auditor", project="shop")
    whole = acme.api.person("acme", "wil", "auditor")
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    acme.api.make("/tenants/acme/projects/bank/apps", app_document("vault"))
    planes.seal(plane, owner)
    mine, theirs = (caller.get("/tenants/acme/audit/export?since=1970-01-01&project=shop").text for caller in (part, whole))
    hidden = [audit.facet_key(name, value) for name, value in (("target", "app/vault"), ("project", "bank"), ("type", "app.created"))]
    assert [key in theirs for key in hidden] == [True] * 3
    assert [key in mine for key in hidden] == [False] * 3
    assert "app/web" in mine
    found, known = (verifying.verified(text.splitlines()) for text in (mine, theirs))
    assert (found.findings, known.findings) == ([], [])
    assert "gets no counts, so rows of that part may be missing" in found.complete
    assert known.complete.startswith("the signed counts say")
    told = next(json.loads(line)["checkpoint"] for line in mine.splitlines() if line.startswith('{"checkpoint"'))
    forged = mine.replace(told["counts_hash"], audit.b64(bytes(32)))
    assert any("signature" in one for one in verifying.verified(forged.splitlines()).findings)
