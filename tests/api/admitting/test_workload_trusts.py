"""Trust rules as documents: machines that come in without a secret, and go out with the rule."""

import time
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import errors
from plane.server import authorise, context
from plane.server import documents as generic
from plane.server.keeping import workload_trusts
from plane.wire import documents
from tests.support import identity, planes, web
from tests.support.rest import Api, Tenant, document

Json = dict[str, Any]
CLAIMS = {"repository_id": "7", "ref": "refs/heads/main"}
AUDIENCE = "https://plane.example"


@pytest.fixture
def nobody(platform: Api) -> Api:
    platform.client.cookies.clear()
    return platform.with_token("")


def rule(provider: identity.Provider, name: str = "deploy", **more: object) -> Json:
    spec = {"issuer": provider.issuer, "audience": AUDIENCE, "claims": CLAIMS, "service": "ci"} | more
    return document("WorkloadTrust", name, spec)


def trusting(acme: Tenant, provider: identity.Provider, **more: Any) -> Json:  # noqa: ANN401 - fields of the spec
    """A service that may look at apps, and the rule that lets machines be it."""
    acme.api.make("/tenants/acme/people", {"name": "ci", "kind": "service"})
    acme.api.make("/tenants/acme/people/ci/roles", {"role": "viewer"})
    return acme.api.make("/tenants/acme/workloadtrusts", rule(provider, **more))


def show(nobody: Api, provider: identity.Provider, called: str = "acme.deploy", **claims: object) -> httpx.Response:
    now = int(time.time())
    said = {"aud": AUDIENCE, "sub": "repo:acme/web:ref:refs/heads/main", "iat": now, "exp": now + 300, **CLAIMS, **claims}
    return nobody.post("/login/exchange", {"rule": called, "token": provider.sign(said)})


def inside(nobody: Api, provider: identity.Provider) -> Api:
    answer = show(nobody, provider)
    assert answer.status_code == 200, answer.text
    return nobody.with_token(answer.json()["token"])


def told(platform: Api, plane: context.Plane, owner: sa.Engine, acme: Tenant, kind: str) -> list[Json]:
    planes.seal(plane, owner)
    found = acme.api.get("/tenants/acme/audit?limit=200").json()["items"]
    return [one["event"] for one in found if one["event"]["type"] == kind]


def test_a_tenant_lets_its_jobs_in_itself(nobody: Api, acme: Tenant, globex: Tenant, provider: identity.Provider) -> None:
    made = trusting(acme, provider)
    assert (made["status"]["called"], made["status"].get("advice")) == ("acme.deploy", None)
    job = inside(nobody, provider)
    assert job.get("/me").json()["kind"] == "service"
    assert [job.get(path).status_code for path in (f"{acme.shop}/apps", f"{globex.shop}/apps", "/clusters")] == [200, 404, 403]


@pytest.mark.parametrize(
    "claims",
    [{"repository_id": "8"}, {"ref": "refs/heads/main2"}, {"ref": None}, {"aud": "plane-ci"}, {"iss": "https://x.example"}, {"exp": 1}],
    ids=str,
)
def test_a_machine_that_the_rule_does_not_speak_of_stays_out(nobody: Api, acme: Tenant, provider: identity.Provider, claims: Json) -> None:
    trusting(acme, provider)
    assert show(nobody, provider, **claims).status_code == 401


def test_a_rule_that_is_not_there_looks_like_one_that_refuses(nobody: Api, acme: Tenant, provider: identity.Provider) -> None:
    trusting(acme, provider, enabled=False)
    said = [show(nobody, provider, called) for called in ("acme.deploy", "acme.none", "none.deploy", "deploy", "a.b.c", "..")]
    assert {(one.status_code, one.json()["detail"]) for one in said} == {(401, said[0].json()["detail"])}


def test_removal_ends_what_a_rule_gave(
    nobody: Api, platform: Api, acme: Tenant, provider: identity.Provider, plane: context.Plane, owner: sa.Engine
) -> None:
    trusting(acme, provider)
    job = inside(nobody, provider)
    assert acme.api.delete("/tenants/acme/workloadtrusts/deploy").status_code == 200
    assert (job.get("/me").status_code, show(nobody, provider).status_code) == (401, 401)
    [ended] = told(platform, plane, owner, acme, "access.logins.ended")
    assert (ended["target"], ended["details"]) == ("workloadtrust/deploy", {"tokens": 1, "people": 0})


@pytest.mark.parametrize(("change", "left"), [({"description": "of the shop"}, 200), ({"minutes": 5}, 401), ({"enabled": False}, 401)])
def test_a_change_of_the_rule_ends_what_it_gave(nobody: Api, acme: Tenant, provider: identity.Provider, change: Json, left: int) -> None:
    trusting(acme, provider)
    job = inside(nobody, provider)
    assert acme.api.put("/tenants/acme/workloadtrusts/deploy", rule(provider, **change)).status_code == 200
    assert job.get("/me").status_code == left


def test_a_provider_of_the_same_name_goes_without_the_jobs(nobody: Api, acme: Tenant, provider: identity.Provider) -> None:
    trusting(acme, provider)
    acme.api.make(
        "/tenants/acme/identityproviders", document("IdentityProvider", "deploy", {"issuer": provider.issuer, "clientId": "plane"})
    )
    job = inside(nobody, provider)
    assert acme.api.delete("/tenants/acme/identityproviders/deploy").status_code == 200
    assert job.get("/me").status_code == 200


def test_nobody_lets_a_machine_in_as_more_than_they_are(acme: Tenant, provider: identity.Provider) -> None:
    acme.api.make("/tenants/acme/people", {"name": "ci", "kind": "service"})
    acme.api.make("/tenants/acme/people/ci/roles", {"role": "maintainer"})
    acme.api.make("/tenants/acme/roles", document("Role", "doorman", {"permissions": ["workloadtrust:*", "app:get"]}))
    door = acme.api.person("acme", "dora", "doorman")
    assert door.post("/tenants/acme/workloadtrusts", rule(provider)).status_code == 403
    assert door.post("/tenants/acme/workloadtrusts", rule(provider, scopes=["app:get"])).status_code == 201
    assert door.put("/tenants/acme/workloadtrusts/deploy", rule(provider, scopes=["app:get", "app:sync"])).status_code == 403


def test_a_token_of_one_network_makes_no_rule_for_all(plane: context.Plane, acme: Tenant, provider: identity.Provider) -> None:
    trusting(acme, provider)
    who = msgspec.structs.replace(authorise.actor(plane, acme.api.token), networks=("10.0.0.0/8",))
    near, names = authorise.Caller(who), authorise.Names("acme")
    wide, narrow = (
        msgspec.convert(rule(provider, "near", networks=networks), documents.WorkloadTrust) for networks in ([], ["10.1.0.0/16"])
    )
    with pytest.raises(errors.Invalid, match=r"spec\.networks"):
        generic.create(plane, near, workload_trusts.KIND, names, wide)
    assert generic.create(plane, near, workload_trusts.KIND, names, narrow).spec.networks == ("10.1.0.0/16",)


def test_what_the_rule_narrows_the_token_is_narrowed_to(nobody: Api, acme: Tenant, provider: identity.Provider) -> None:
    trusting(acme, provider, networks=["192.0.2.0/24"])
    assert inside(nobody, provider).get("/me").status_code == 401
    acme.api.put("/tenants/acme/workloadtrusts/deploy", rule(provider, scopes=["cluster:get"]))
    assert inside(nobody, provider).get(f"{acme.shop}/apps").status_code == 403


def test_a_rule_that_cannot_be_is_refused_by_its_fields(acme: Tenant, provider: identity.Provider) -> None:
    refused = acme.api.post("/tenants/acme/workloadtrusts", rule(provider, claims={"sub": "repo:acme*"}, service="nobody"))
    assert (refused.status_code, sorted(refused.json()["problems"])) == (400, ["spec.claims", "spec.service"])


def test_the_platforms_rules_are_the_platforms(nobody: Api, platform: Api, acme: Tenant, provider: identity.Provider) -> None:
    platform.make("/people", {"name": "ci", "kind": "service"})
    platform.make("/people/ci/roles", {"role": "platform-auditor"})
    platform.make("/workloadtrusts", rule(provider))
    assert nobody.with_token(show(nobody, provider, "deploy").json()["token"]).get("/tenants/acme").status_code == 200
    assert acme.api.get("/workloadtrusts").status_code == 403


def test_a_tenants_rules_do_not_outlive_it(platform: Api, acme: Tenant, provider: identity.Provider, owner: sa.Engine) -> None:
    trusting(acme, provider)
    acme.api.delete(acme.shop)
    assert platform.delete("/tenants/acme").status_code == 200
    with owner.begin() as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM workload_trusts")).scalar_one() == 0


def test_whoever_wrote_a_rule_is_no_second_person_for_its_jobs(
    nobody: Api, platform: Api, acme: Tenant, provider: identity.Provider, plane: context.Plane
) -> None:
    acme.api.make("/tenants/acme/people", {"name": "bob"})
    acme.api.make("/tenants/acme/people/bob/roles", {"role": "tenant-owner"})
    ada, bob = (web.login(acme.api, plane, name, tenant="acme") for name in ("ada", "bob"))
    ada.make("/tenants/acme/people", {"name": "ci", "kind": "service"})
    ada.make("/tenants/acme/people/ci/roles", {"role": "tenant-owner"})
    ada.make("/tenants/acme/workloadtrusts", rule(provider))
    platform.put("/tenants/acme", document("Tenant", "acme", {"twoPerson": ["project:delete"]}))
    job = inside(nobody, provider)
    yes = f"/tenants/acme/approvals/{job.delete(acme.shop).json()['approval']}"
    assert [one.post(yes).status_code for one in (ada, bob)] == [409, 200]
    assert job.delete(acme.shop).status_code == 200
