"""Who hears of a change of a cluster."""

import pytest
import sqlalchemy as sa

from tests.support.rest import Api, Json, Tenant, app_document, document

ACME: Json = {"tenant": "acme", "namespaces": ["shop", "acme-*"]}
GLOBEX: Json = {"tenant": "globex", "namespaces": ["shop", "globex-*"]}


@pytest.fixture
def apps(acme: Tenant, globex: Tenant, owner: sa.Engine) -> sa.Engine:
    """An app of each tenant on cluster east, none of them due."""
    for tenant in (acme, globex):
        tenant.api.make(f"{tenant.shop}/apps", app_document("web"))
    with owner.begin() as tx:
        tx.execute(sa.text("UPDATE apps SET due_at = NULL"))
    return owner


def due(owner: sa.Engine) -> set[str]:
    """Tenants whose app is."""
    with owner.begin() as tx:
        return set(tx.execute(sa.text("SELECT t.name FROM apps a JOIN tenants t ON t.id = a.tenant_id WHERE due_at IS NOT NULL")).scalars())


@pytest.mark.parametrize(
    ("spec", "touched"),
    [
        ({"grants": [ACME, GLOBEX | {"namespaces": ["other"]}]}, {"globex"}),
        ({"grants": [ACME | {"clusterKinds": ["Namespace"]}, GLOBEX]}, {"acme"}),
        ({"grants": [GLOBEX, ACME]}, set()),
        ({"grants": [ACME]}, {"globex"}),
        ({"grants": [ACME, GLOBEX], "labels": {"tier": "prod"}}, {"acme", "globex"}),
    ],
    ids=["namespaces", "kinds", "order", "taken away", "labels"],
)
def test_a_change_of_a_cluster_makes_due_whom_it_can_touch(platform: Api, apps: sa.Engine, spec: Json, touched: set[str]) -> None:
    assert platform.put("/clusters/east", document("Cluster", "east", spec)).status_code == 200
    assert due(apps) == touched


def test_an_app_whose_grant_was_taken_away_is_untied(platform: Api, apps: sa.Engine) -> None:
    platform.put("/clusters/east", document("Cluster", "east", {"grants": [ACME]}))
    with apps.begin() as tx:
        tied = tx.execute(sa.text("SELECT t.name FROM apps a JOIN tenants t ON t.id = a.tenant_id WHERE cluster_id IS NOT NULL")).scalars()
        assert list(tied) == ["acme"]


GOLD: Json = {"selector": "tier=gold", "namespaces": ["{tenant}-*"], "capacity": {"apps": 1}}


def label(platform: Api, tenant: str, **labels: str) -> int:
    wish = document("Tenant", tenant)
    wish["metadata"]["labels"] = labels
    return platform.put(f"/tenants/{tenant}", wish).status_code


def may_use(tenant: Tenant) -> dict[str, list[str]]:
    """Namespaces by cluster, as the tenant's own people see it."""
    items = tenant.api.get(f"/tenants/{tenant.name}/clusters").json()["items"]
    return {each["metadata"]["name"]: each["spec"]["grants"][0]["namespaces"] for each in items}


def test_a_grant_by_label_follows_the_tenants_labels(platform: Api, acme: Tenant, globex: Tenant) -> None:
    assert label(platform, "acme", tier="gold") == 200
    platform.make("/clusters", document("Cluster", "west", {"grants": [GOLD]}))
    assert (may_use(acme).get("west"), may_use(globex).get("west")) == (["acme-*"], None)
    assert [label(platform, "acme", tier="free"), label(platform, "globex", tier="gold")] == [200, 200]
    assert (may_use(acme).get("west"), may_use(globex).get("west")) == (None, ["globex-*"])


def test_a_grant_by_label_that_goes_unties_the_apps_and_is_told_in_the_tenants_log(platform: Api, acme: Tenant, owner: sa.Engine) -> None:
    platform.make("/clusters", document("Cluster", "west", {"grants": [GOLD]}))
    label(platform, "acme", tier="gold")
    acme.api.make(f"{acme.shop}/apps", app_document("web", destination={"cluster": "west", "namespace": "acme-web"}))
    label(platform, "acme")
    with owner.begin() as tx:
        assert tx.execute(sa.text("SELECT cluster_id FROM apps")).scalar_one() is None
        told = tx.execute(
            sa.text("SELECT e.type FROM audit_events e JOIN tenants t ON t.id = e.tenant_id WHERE e.type LIKE 'cluster.%' ORDER BY e.id")
        )
        assert list(told.scalars())[-2:] == ["cluster.granted", "cluster.withdrawn"]


def test_a_part_by_label_has_its_capacity(platform: Api, acme: Tenant) -> None:
    platform.make("/clusters", document("Cluster", "west", {"grants": [GOLD]}))
    label(platform, "acme", tier="gold")
    first, second = (app_document(name, destination={"cluster": "west", "namespace": "acme-web"}) for name in ("web", "db"))
    acme.api.make(f"{acme.shop}/apps", first)
    refused = acme.api.post(f"{acme.shop}/apps", second)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:gitops-plane:problem:quota-exceeded")


def test_no_tenant_comes_into_anothers_namespaces_by_a_label(platform: Api, acme: Tenant) -> None:
    """Neither by the grant nor by a label that comes later."""
    platform.make("/clusters", document("Cluster", "west", {"grants": [GOLD]}))
    label(platform, "acme", tier="gold")
    wish = document("Tenant", "acme-corp")
    wish["metadata"]["labels"] = {"tier": "gold"}
    refused = platform.post("/tenants", wish)
    assert refused.status_code == 400
    assert "gives acme-* to acme and acme-corp-* to acme-corp" in refused.text
    platform.make("/tenants", document("Tenant", "acme-corp"))
    assert label(platform, "acme-corp", tier="gold") == 400


@pytest.mark.parametrize("grant", [{"namespaces": ["x"]}, GOLD | {"namespaces": ["shop"]}, {"tenant": "nobody", "namespaces": ["x"]}])
def test_a_grant_that_means_nothing_is_refused(platform: Api, grant: Json) -> None:
    assert platform.post("/clusters", document("Cluster", "west", {"grants": [grant]})).status_code == 400
