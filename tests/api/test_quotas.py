"""What a tenant uses of each of its quotas, and the rate at which it takes its log away."""

import sqlalchemy as sa

from plane.server import context
from tests.support import planes
from tests.support.rest import Api, Tenant, app_document, document

QUOTAS = {"projects": 3, "apps": 5, "objects": 100, "concurrentSyncs": 2, "repositoryMib": 64, "auditExports": 2, "renderMemoryMib": 256}


def test_a_tenant_reads_its_use_of_every_quota(platform: Api, acme: Tenant) -> None:
    platform.put("/tenants/acme", document("Tenant", "acme", {"quotas": QUOTAS}))
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    assert acme.api.get("/tenants/acme/audit/export").status_code == 200
    found = {one["quota"]: (one["used"], one.get("limit")) for one in acme.api.get("/tenants/acme").json()["status"]["quotas"]}
    assert found == {
        "projects": (1, 3),
        "apps": (1, 5),
        "clusters": (0, None),
        "objects": (0, 100),
        "concurrentSyncs": (0, 2),
        "repositoryMib": (0, 64),
        "auditExports": (1, 2),
        "renderSecondsPerHour": (0, None),
        "renderMemoryMib": (0, 256),
    }


def test_a_tenants_use_of_its_quotas_is_there_for_prometheus(platform: Api, acme: Tenant, globex: Tenant) -> None:
    platform.put("/tenants/acme", document("Tenant", "acme", {"quotas": QUOTAS}))
    answer = acme.api.get("/tenants/acme/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'plane_quota_used{quota="projects",tenant="acme"} 1.0' in lines
    assert 'plane_quota_limit{quota="projects",tenant="acme"} 3.0' in lines
    assert not [line for line in lines if line.startswith('plane_quota_limit{quota="clusters"')]
    assert globex.api.get("/tenants/acme/metrics").status_code == 404


def test_exports_of_the_log_within_an_hour_are_bounded(platform: Api, acme: Tenant) -> None:
    platform.put("/tenants/acme", document("Tenant", "acme", {"quotas": QUOTAS}))
    answers = [acme.api.get("/tenants/acme/audit/export") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 409]
    assert "the tenant's quota is 2 audit exports an hour, 2 are in use; wait a while" in answers[2].json()["detail"]
    assert platform.get("/audit/export").status_code == 200


def test_the_log_hears_once_of_a_quota_that_refuses(platform: Api, acme: Tenant, plane: context.Plane, owner: sa.Engine) -> None:
    platform.put("/tenants/acme", document("Tenant", "acme", {"quotas": {"apps": 1}}))
    acme.api.make(f"{acme.shop}/apps", app_document("web"))
    refused = [acme.api.post(f"{acme.shop}/apps", app_document(name)) for name in ("second", "third")]
    assert [one.status_code for one in refused] == [409, 409]
    planes.seal(plane, owner)
    [told] = [one["event"] for one in acme.api.get("/tenants/acme/audit?type=tenant.quota.reached").json()["items"]]
    assert (told["target"], told["outcome"], told["message"]) == ("quota/apps", "denied", refused[0].json()["detail"])
