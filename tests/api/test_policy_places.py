"""Policy bindings and waivers over the API: what is refused, who may agree, and what the log keeps."""

import concurrent.futures
import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support import rules
from tests.support.rest import Api, Tenant, document

BINDINGS, WAIVERS = "/tenants/acme/policybindings", "/tenants/acme/projects/shop/waivers"
RULE = rules.described('package plane.rules.W01\n\nviolations contains {"message": "no"} if input.manifest.kind == "Pod"\n')
DAY = dt.timedelta(days=1)


def ahead(length: dt.timedelta) -> str:
    return (dt.datetime.now(dt.UTC) + length).isoformat(timespec="seconds")


def policy_set(name: str = "house") -> dict[str, Any]:
    return document("PolicySet", name, {"mode": "off"}) | {"files": {"rule.rego": RULE}}


def binding(**spec: object) -> dict[str, Any]:
    return document("PolicyBinding", "strict", {"policySet": "house", "mode": "deny"} | spec)


def waiver(**spec: object) -> dict[str, Any]:
    return document("Waiver", "once", {"policy": "house", "rule": "W01", "reason": "for now", "expiresAt": ahead(DAY)} | spec)


@pytest.fixture
def house(acme: Tenant, platform: Api) -> Tenant:
    """A tenant with a set of its own, and one of the platform's."""
    acme.api.make("/tenants/acme/policies", policy_set())
    platform.make("/policies", policy_set("rules"))
    return acme


@pytest.mark.parametrize(
    ("spec", "field", "rule"),
    [
        ({"policySet": "nothing"}, "spec.policySet", "there is no policy set 'nothing'"),
        ({"policySet": "rules"}, "spec.policySet", "there is no policy set 'rules'; a tenant names one of the platform's as platform/NAME"),
        ({"policySet": "platform/house"}, "spec.policySet", "the platform has no policy set"),
        ({"policySet": ""}, "spec.policySet", "name the policy set"),
        ({"enforceAfter": "soon"}, "spec.enforceAfter", "must be a time like"),
        ({"clusters": "a in b"}, "spec.clusters", ""),
    ],
)
def test_a_wrong_binding_is_refused_by_field(house: Tenant, spec: dict[str, Any], field: str, rule: str) -> None:
    wrong = house.api.post(BINDINGS, binding(**spec))
    assert wrong.status_code == 400
    assert wrong.json()["problems"][field].startswith(rule)


def test_a_set_that_is_bound_stays(house: Tenant, platform: Api) -> None:
    house.api.make(BINDINGS, binding(policySet="platform/rules"))
    house.api.make("/tenants/acme/projects/shop/policybindings", binding())
    for api, path in ((platform, "/policies/rules"), (house.api, "/tenants/acme/policies/house")):
        refused = api.delete(path)
        assert (refused.status_code, "still named by 1 policy binding" in refused.json()["detail"]) == (409, True)
    assert house.api.delete(f"{BINDINGS}/strict").status_code == 200
    assert platform.delete("/policies/rules").status_code == 200


WAITING = """SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE datname = current_database() AND NOT granted AND locktype = :kind"""


def until_one_waits(owner: sa.Engine, kind: str, *, beside: concurrent.futures.Future[Any]) -> None:
    """For a lock of this kind; or until the other is through, which should have waited."""
    while not beside.done():
        with owner.begin() as tx:
            if tx.execute(sa.text(WAITING), {"kind": kind}).scalar_one():
                return


@pytest.mark.parametrize("policy", ["house", "platform/rules"])
def test_a_set_that_is_being_bound_is_not_deleted_at_the_same_moment(house: Tenant, platform: Api, owner: sa.Engine, policy: str) -> None:
    remover, path = (platform, "/policies/rules") if "/" in policy else (house.api, "/tenants/acme/policies/house")
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        with owner.begin() as tx:  # between the binding's look at the set and its row
            tx.execute(sa.text("LOCK TABLE policy_bindings IN SHARE ROW EXCLUSIVE MODE"))
            bound = threads.submit(house.api.post, BINDINGS, binding(policySet=policy))
            until_one_waits(owner, "relation", beside=bound)
            removed = threads.submit(remover.delete, path)
            until_one_waits(owner, "advisory", beside=removed)
        assert (bound.result().status_code, removed.result().status_code) == (201, 409)


def test_a_projects_binding_lies_apart_and_names_no_projects(house: Tenant) -> None:
    shop = "/tenants/acme/projects/shop/policybindings"
    assert "spec.projects" in house.api.post(shop, binding(projects=["shop"])).json()["problems"]
    house.api.make(shop, binding())
    assert house.api.get(f"{BINDINGS}/strict").status_code == 404
    assert [one["metadata"]["project"] for one in house.api.get(shop).json()["items"]] == ["shop"]


def test_nobody_agrees_to_their_own_waiver(house: Tenant, owner: sa.Engine) -> None:
    ann, bo = (house.api.person("acme", name, role) for name, role in (("ann", "admin"), ("bo", "admin")))
    made = ann.make(WAIVERS, waiver())
    assert (made["status"]["state"], made["status"]["requestedBy"]) == ("requested", "ann")
    own = ann.post(f"{WAIVERS}/once/approve")
    assert (own.status_code, own.json()["detail"]) == (409, "you asked for waiver 'once' yourself; somebody else has to approve it")
    agreed = bo.post(f"{WAIVERS}/once/approve").json()["status"]
    assert (agreed["state"], agreed["approvedBy"]) == ("in-force", "bo")
    assert bo.post(f"{WAIVERS}/once/approve").status_code == 409
    assert bo.post(f"{WAIVERS}/once/revoke").json()["status"]["state"] == "revoked"
    with owner.begin() as tx:
        kept = tx.execute(sa.text("SELECT type FROM audit_events WHERE type LIKE 'waiver.%' ORDER BY type")).scalars()
        assert list(kept) == ["waiver.approved", "waiver.created", "waiver.revoked"]


def test_another_wording_is_another_request(house: Tenant) -> None:
    ann, bo = (house.api.person("acme", name, "admin") for name in ("ann", "bo"))
    ann.make(WAIVERS, waiver())
    bo.post(f"{WAIVERS}/once/approve")
    changed = bo.put(f"{WAIVERS}/once", waiver(reason="for longer", expiresAt=ahead(2 * DAY))).json()["status"]
    assert (changed["state"], changed["requestedBy"], "approvedBy" in changed) == ("requested", "bo", False)
    assert bo.post(f"{WAIVERS}/once/approve").status_code == 409


@pytest.mark.parametrize(
    "spec", [{"policy": "platform/rules"}, {"expiresAt": ahead(91 * DAY)}], ids=["the platform's rule", "three months"]
)
def test_what_is_above_a_tenant_only_the_platform_agrees_to(house: Tenant, platform: Api, spec: dict[str, Any]) -> None:
    house.api.person("acme", "ann", "editor").make(WAIVERS, waiver(**spec))
    assert house.api.post(f"{WAIVERS}/once/approve").status_code == 403
    assert platform.post(f"{WAIVERS}/once/approve").json()["status"]["state"] == "in-force"


def test_break_glass_counts_at_once_for_those_who_may(house: Tenant) -> None:
    glass = waiver(breakGlass=True, expiresAt=ahead(dt.timedelta(hours=3)))
    assert house.api.person("acme", "ann", "editor").post(WAIVERS, glass).status_code == 403
    assert house.api.make(WAIVERS, glass)["status"]["state"] == "in-force"
    long = house.api.put(f"{WAIVERS}/once", waiver(breakGlass=True, expiresAt=ahead(dt.timedelta(hours=5))))
    assert long.json()["problems"]["spec.expiresAt"] == "must lie in the next 4 hours"


def test_a_viewer_reads_waivers_and_asks_for_none(house: Tenant) -> None:
    house.api.make(WAIVERS, waiver())
    viewer = house.api.person("acme", "vi", "viewer")
    assert len(viewer.get(WAIVERS).json()["items"]) == 1
    assert viewer.post(WAIVERS, waiver()).status_code == 403
    assert viewer.post(f"{WAIVERS}/once/approve").status_code == 403


CONFTEST = {"pods.rego": 'package pods\n\ndeny contains "no"\n', "data/teams.yaml": "teams: [red]\n"}


def test_a_set_says_how_its_files_are_written(acme: Tenant) -> None:
    style = {"kind": "conftest", "namespaces": ["pods"]}
    acme.api.make("/tenants/acme/policies", document("PolicySet", "theirs", {"style": style}) | {"files": CONFTEST})
    kept = acme.api.get("/tenants/acme/policies/theirs").json()
    assert (kept["spec"]["style"], kept["files"]) == (style, CONFTEST)


@pytest.mark.parametrize(
    ("style", "status", "words"),
    [
        ({"kind": "conftest"}, 422, "no rule deny, violation or warn in package main; its packages are pods"),
        ({"kind": "conftest", "namespaces": ["a-b"]}, 400, "'a-b' is no package"),
        ({"kind": "gatekeeper"}, 400, "ends in .json or .yaml"),
        ({"namespaces": ["pods"]}, 400, "are about conftest's modules"),
        ({}, 400, "ends in .rego"),
    ],
)
def test_files_that_are_written_otherwise_are_refused(acme: Tenant, style: dict[str, Any], status: int, words: str) -> None:
    wrong = acme.api.post("/tenants/acme/policies", document("PolicySet", "theirs", {"style": style}) | {"files": CONFTEST})
    assert (wrong.status_code, words in wrong.text.replace('\\"', '"')) == (status, True), wrong.text
