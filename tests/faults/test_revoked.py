"""A cluster that is shut out."""

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import waiting

MERGE = {"Content-Type": "application/merge-patch+json"}


def test_a_revoked_agent_is_refused_at_its_next_request_and_explain_says_so(install: e2e.Install, tenant: e2e.Tenant) -> None:
    agent = e2e.join(install, "shut", install.clusters["east"])  # an agent and a name of its own: the name stays shut
    destination = {"cluster": "shut", "namespace": f"{tenant.name}-web"}
    app = tenant.app("web", tenant.repository(tenant.name, sources.web("hello")), destination=destination)
    app.healthy()
    admin = e2e.Tenant("", install.made.token_file.read_text(), install)
    assert admin.call("POST", "/api/v1/clusters/shut/revoke", json={}).is_success
    waiting.until(lambda: "agent.revoked" in agent.log.read_text(), lambda: agent.log.read_text()[-2000:])
    install.git.commit(tenant.name, sources.web("later"), "Later")
    app.refresh()
    assert app.says("cluster-revoked", "the agent of cluster shut was revoked", "plane cluster join shut")["since"]
    path = f"/api/v1/namespaces/{app.namespace}/configmaps/web"
    install.kubes["east"].patch(path, headers=MERGE, content='{"data":{"greeting":"bye"}}').raise_for_status()
    assert sources.greeting(tenant, app.namespace) == "bye"
