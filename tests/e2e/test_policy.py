"""What policy refuses never reaches a cluster, and a policy that fails harms nobody else."""

from tests.e2e import conftest as e2e
from tests.e2e import sources

NO_LATEST = """# METADATA
# custom: {id: T01, severity: high, remedy: Name a version.}
package plane.rules.latest

import data.plane.lib

about := lib.about(rego.metadata.chain())

violations contains {"message": message} if {
	some container in lib.containers(input.manifest)
	endswith(container.spec.image, ":latest")
	message := sprintf("container %s runs %s", [container.spec.name, container.spec.image])
}
"""
# Three nested walks over 400 numbers: minutes of work for an engine, and nothing it could refuse beforehand.
LOOP = """package plane.rules.loop

violations contains {"message": "never said"} if {
	all := numbers.range(1, 400)
	some a in all
	some b in all
	some c in all
	((a * 7) + (b * 11)) + (c * 13) == -1
}
"""


def bind(tenant: e2e.Tenant, text: str, *, mode: str = "deny") -> None:
    """The tenant's own policy set."""
    place = f"/api/v1/tenants/{tenant.name}/policies"
    tenant.put("PolicySet", place, "house", spec={"mode": mode}, files={"rule.rego": text})


def test_a_bad_push_is_refused_and_what_runs_keeps_running(tenant: e2e.Tenant) -> None:
    bind(tenant, NO_LATEST)
    app = tenant.app("web", tenant.repository(tenant.name, sources.web()))
    app.healthy()
    tenant.install.git.commit(tenant.name, sources.web(image="registry.example/web:latest"), "Newest")
    app.refresh()
    told = app.says("policy-refused", "house/T01", "Deployment", "web/deployment.yaml", "registry.example/web:latest", "Name a version.")
    assert told["since"]
    assert told["violations"][0]["mode"] == "deny"
    found = sources.live(tenant, f"/apis/apps/v1/namespaces/{app.namespace}/deployments/web")
    assert '"registry.example/web:1"' in str(found).replace("'", '"')
    assert app.status()["health"] == "Healthy"


def test_what_policy_refused_goes_out_as_soon_as_it_is_mended(tenant: e2e.Tenant) -> None:
    bind(tenant, NO_LATEST)
    app = tenant.app("web", tenant.repository(tenant.name, sources.web(image="registry.example/web:latest")))
    app.says("policy-refused")
    tenant.install.git.commit(tenant.name, sources.web(image="registry.example/web:2"), "Mend it")
    app.refresh()
    app.healthy()


def test_a_policy_in_warn_mode_lets_through_and_tells(tenant: e2e.Tenant) -> None:
    bind(tenant, NO_LATEST, mode="warn")
    app = tenant.app("web", tenant.repository(tenant.name, sources.web(image="registry.example/web:latest")))
    app.healthy()
    assert [found["mode"] for found in app.explain()["violations"]] == ["warn"]


def test_a_stricter_mode_holds_from_the_next_release_on_and_a_laxer_one_frees(tenant: e2e.Tenant) -> None:
    bind(tenant, NO_LATEST)
    app = tenant.app("web", tenant.repository(tenant.name, sources.web(image="registry.example/web:latest")))
    app.says("policy-refused")
    bind(tenant, NO_LATEST, mode="audit")
    app.healthy()


def test_a_policy_that_does_not_compile_is_refused_with_its_line(tenant: e2e.Tenant) -> None:
    body = {"apiVersion": "gitops-plane.io/v1", "kind": "PolicySet", "metadata": {"name": "house"}, "spec": {}}
    broken = NO_LATEST.replace("sprintf(", "sprintff(")
    answer = tenant.call("PUT", f"/api/v1/tenants/{tenant.name}/policies/house", json=body | {"files": {"rule.rego": broken}})
    assert answer.status_code == 422
    assert "rule.rego:12" in answer.json()["detail"]


def test_a_policy_that_loops_is_a_denial_and_other_tenants_go_on(install: e2e.Install, tenant: e2e.Tenant) -> None:
    bind(tenant, LOOP)
    app = tenant.app("web", tenant.repository(tenant.name, sources.web()))
    other = install.tenant()
    beside = other.app("web", other.repository(other.name, sources.web()))
    beside.healthy()
    assert app.says("policy-refused", "counts as a denial", "no answer within 10 s", "loops")["since"]
    assert sources.live(tenant, f"/api/v1/namespaces/{app.namespace}") == {}
    assert tenant.call("DELETE", f"/api/v1/tenants/{tenant.name}/policies/house").is_success
    app.healthy()
