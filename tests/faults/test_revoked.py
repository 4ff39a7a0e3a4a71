"""A cluster that is shut out."""

from collections.abc import Iterator

import pytest

from plane.run.devcluster import clusters
from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.faults import conftest as faults

MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture(scope="module")
def install(cluster: clusters.DevCluster) -> Iterator[e2e.Install]:
    """Its own: the cluster stays shut."""
    with e2e.installed({"east": cluster}) as running:
        yield running


def test_a_revoked_agent_is_refused_at_its_next_request_and_explain_says_so(install: e2e.Install, tenant: e2e.Tenant) -> None:
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")))
    app.healthy()
    admin = e2e.Tenant("", install.made.token_file.read_text(), install)
    assert admin.call("POST", "/api/v1/clusters/east/revoke", json={}).is_success
    log = faults.child(install, "agent-east").log
    e2e.until(lambda: "agent.revoked" in log.read_text(), lambda: log.read_text()[-2000:])
    install.git.commit(tenant.name, sources.web("later"), "Later")
    app.refresh()
    assert app.says("cluster-revoked", "the agent of cluster east was revoked", "plane cluster join east")["since"]
    path = f"/api/v1/namespaces/{app.namespace}/configmaps/web"
    install.kubes["east"].patch(path, headers=MERGE, content='{"data":{"greeting":"bye"}}').raise_for_status()
    assert sources.greeting(tenant, app.namespace) == "bye"
