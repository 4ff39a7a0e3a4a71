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
