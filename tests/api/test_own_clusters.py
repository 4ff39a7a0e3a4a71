"""Clusters that a tenant makes, joins and revokes itself, and that nobody else can see."""

import pytest
import sqlalchemy as sa

from tests.support import joining
from tests.support.rest import Api, Json, Tenant, app_document, document

MINE = "/tenants/acme/clusters"


@pytest.fixture
def west(acme: Tenant) -> Json:
    """A cluster of acme's own."""
    return acme.api.make(MINE, document("Cluster", "west", {"labels": {"env": "dev"}}))


def names(api: Api, path: str) -> list[str]:
    return [each["metadata"]["name"] for each in api.get(path).json()["items"]]


def test_a_tenants_own_cluster_is_all_its_own(acme: Tenant, west: Json) -> None:
    assert (west["metadata"]["tenant"], west["status"]["connection"]) == ("acme", "never-joined")
    assert names(acme.api, MINE) == ["east", "west"]
    assert acme.api.get(f"{MINE}/west").json()["status"]["granted"] == ["*"]


def test_nobody_else_finds_it(platform: Api, acme: Tenant, globex: Tenant, west: Json) -> None:
    assert (names(globex.api, "/tenants/globex/clusters"), names(platform, "/clusters")) == (["east"], ["east"])
    for path in ("/tenants/globex/clusters/west", f"{MINE}/west"):
        assert (globex.api.get(path).status_code, globex.api.post(f"{path}/join").status_code) == (404, 404)
    assert platform.get("/clusters/west").status_code == 404
    assert platform.get(f"{MINE}/west").status_code == 200  # the platform's people may look into a tenant


def test_a_name_is_one_tenants_and_another_tenants_and_the_platforms(
    platform: Api, acme: Tenant, globex: Tenant, west: Json, owner: sa.Engine
) -> None:
    globex.api.make("/tenants/globex/clusters", document("Cluster", "west"))
    platform.make("/clusters", document("Cluster", "west"))
    for tenant in (acme, globex):
        tenant.api.make(f"{tenant.shop}/apps", app_document("web", destination={"cluster": "west", "namespace": "shop"}))
    with owner.begin() as tx:
        tied = tx.execute(sa.text("SELECT a.tenant_id = c.tenant_id FROM apps a JOIN clusters c ON c.id = a.cluster_id")).scalars()
        assert list(tied) == [True, True]


def test_a_name_that_means_a_cluster_of_the_platforms_is_not_taken(platform: Api, acme: Tenant, west: Json) -> None:
    """Otherwise its apps would go elsewhere without anybody's word."""
    taken = acme.api.post(MINE, document("Cluster", "east"))
    assert (taken.status_code, "give your own another name" in taken.text) == (409, True)
    granted = platform.post("/clusters", document("Cluster", "west", {"grants": [{"tenant": "acme", "namespaces": ["x"]}]}))
    assert (granted.status_code, "has a cluster of its own by that name" in granted.text) == (400, True)


def test_a_grant_by_label_leaves_out_who_has_a_cluster_of_that_name(platform: Api, acme: Tenant, west: Json) -> None:
    wish = document("Tenant", "acme")
    wish["metadata"]["labels"] = {"tier": "gold"}
    platform.put("/tenants/acme", wish)
    platform.make("/clusters", document("Cluster", "west", {"grants": [{"selector": "tier", "namespaces": ["{tenant}--*"]}]}))
    assert names(acme.api, MINE) == ["east", "west"]
    assert acme.api.get(f"{MINE}/west").json()["status"]["id"] == west["status"]["id"]


@pytest.mark.parametrize("grant", [{"tenant": "globex", "namespaces": ["x"]}, {"selector": "tier", "namespaces": ["{tenant}"]}])
def test_a_tenant_shares_its_cluster_with_nobody(acme: Tenant, globex: Tenant, grant: Json) -> None:
    refused = acme.api.post(MINE, document("Cluster", "west", {"grants": [grant]}))
    assert (refused.status_code, "for the tenant alone" in refused.text) == (400, True)


def test_its_owner_may_say_which_projects_and_namespaces_it_is_for(acme: Tenant) -> None:
    only = {"tenant": "acme", "namespaces": ["bank-*"], "projects": ["bank"]}
    acme.api.make(MINE, document("Cluster", "west", {"grants": [only]}))
    refused = acme.api.post(f"{acme.shop}/apps", app_document("web", destination={"cluster": "west", "namespace": "bank-a"}))
    assert (refused.status_code, "granted to other projects of the tenant" in refused.text) == (400, True)


def test_its_agent_joins_and_is_shut_out_by_the_tenants_own_people(acme: Tenant, west: Json) -> None:
    agent = joining.joined(acme.api.client, acme.api.post(f"{MINE}/west/join").json()["token"])
    assert agent.claim().tasks == ()
    assert acme.api.get(f"{MINE}/west").json()["status"]["connection"] == "connected"
    assert acme.api.post(f"{MINE}/west/revoke").status_code == 200
    assert agent.call("POST", "/claim?wait=0&max=8", {}).status_code == 401


def test_what_becomes_of_its_agent_is_in_the_tenants_own_log(acme: Tenant, west: Json, owner: sa.Engine) -> None:
    token = acme.api.post(f"{MINE}/west/join").json()["token"]
    for _ in range(2):
        joining.enrol(acme.api.client, token)
    acme.api.post(f"{MINE}/west/revoke")
    with owner.begin() as tx:
        query = "SELECT e.type FROM audit_events e JOIN tenants t ON t.id = e.tenant_id WHERE e.type ~ '^(agent|cluster)' ORDER BY e.id"
        told = list(tx.execute(sa.text(query)).scalars())
    wanted = ["cluster.created", "cluster.join-token.issued", "agent.enrolled", "agent.enrol.refused", "agent.revoked"]
    assert [one for one in told if one != "cluster.granted"] == wanted
    assert acme.api.get(f"{MINE}/west").json()["status"]["joinRefusedAt"]


def test_it_stays_while_apps_run_there(acme: Tenant, west: Json) -> None:
    acme.api.make(f"{acme.shop}/apps", app_document("web", destination={"cluster": "west", "namespace": "shop"}))
    assert acme.api.delete(f"{MINE}/west").status_code == 409


def test_how_many_a_tenant_makes_is_bounded(platform: Api, acme: Tenant, west: Json) -> None:
    platform.put("/tenants/acme", document("Tenant", "acme", {"quotas": {"clusters": 1}}))
    refused = acme.api.post(MINE, document("Cluster", "north"))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:gitops-plane:problem:quota-exceeded")


def test_it_goes_with_its_tenant(platform: Api, acme: Tenant, west: Json, owner: sa.Engine) -> None:
    assert acme.api.delete(acme.shop).status_code == 200
    assert platform.delete("/tenants/acme").status_code == 200
    with owner.begin() as tx:
        assert list(tx.execute(sa.text("SELECT name FROM clusters")).scalars()) == ["east"]


@pytest.mark.parametrize("role", ["editor", "deployer", "viewer"])
def test_only_owners_of_the_tenant_make_or_join_clusters(acme: Tenant, west: Json, role: str) -> None:
    person = acme.api.person("acme", "bob", role)
    assert person.post(MINE, document("Cluster", "north")).status_code == 403
    assert person.post(f"{MINE}/west/join").status_code == 403


def test_a_cluster_that_is_only_granted_is_not_joined_by_the_tenant(acme: Tenant) -> None:
    for verb in ("join", "revoke", "rotate"):
        assert acme.api.post(f"{MINE}/east/{verb}").status_code == 404
    assert acme.api.delete(f"{MINE}/east").status_code == 404
