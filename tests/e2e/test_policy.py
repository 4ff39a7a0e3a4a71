"""What policy refuses never reaches a cluster, and a policy that fails harms nobody else."""

import datetime as dt
import itertools
from typing import Any

from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import rules, waiting

NO_LATEST = """# METADATA
# title: No latest
# description: What runs depends on when a node pulled it.
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
LATEST = "registry.example/web:latest"
# Three nested walks over 400 numbers: minutes of work for an engine, and nothing it could refuse beforehand.
LOOP = rules.described("""package plane.rules.loop

violations contains {"message": "never said"} if {
	all := numbers.range(1, 400)
	some a in all
	some b in all
	some c in all
	((a * 7) + (b * 11)) + (c * 13) == -1
}
""")


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


def violation(app: e2e.App) -> dict[str, Any]:
    """The one that `plane app explain` shows, or nothing."""
    found = app.explain()["violations"]
    return dict(found[0]) if found else {}


def push(app: e2e.App, greeting: str) -> None:
    """Another commit that breaks the rule like the one before."""
    tenant = app.tenant
    tenant.install.git.commit(tenant.name, sources.web(greeting, image=LATEST), greeting)
    app.refresh()


def waive(app: e2e.App, **length: int) -> None:
    """For a while, and at once; of the tenant's own rule for this app."""
    spec = {"policy": "house", "rule": "T01", "apps": [app.name], "reason": "Until the image has a version", "breakGlass": True}
    body = {"apiVersion": "gitops-plane.io/v1", "kind": "Waiver", "metadata": {"name": "once"}}

    def taken() -> bool:
        """No, when its end has come before the request has."""
        end = dt.datetime.now(dt.UTC) + dt.timedelta(**length)
        return app.tenant.call("PUT", "waivers/once", json=body | {"spec": spec | {"expiresAt": end.isoformat()}}).is_success

    waiting.until(taken, lambda: "no waiver was taken")


def test_a_release_goes_the_whole_way_from_approval_to_refusal_to_waiver_to_its_end(tenant: e2e.Tenant) -> None:
    bind(tenant, NO_LATEST, mode="require-approval")
    app = tenant.app("web", tenant.repository(tenant.name, sources.web(image=LATEST)))
    app.waits("needs-approval")
    assert app.call("POST", "approve", json={}).is_success
    app.healthy()

    bind(tenant, NO_LATEST)
    push(app, "refused")
    refused = app.says("policy-refused", "house/T01")
    waive(app, hours=1)
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "refused", lambda: str(app.explain()))
    app.healthy()
    assert violation(app)["waiver"] == "main/once"

    waive(app, seconds=2)
    waiting.until(lambda: not violation(app).get("waiver"), lambda: str(app.explain()))
    push(app, "over")
    app.says("policy-refused", "house/T01")
    assert sources.greeting(tenant, app.namespace) == "refused"

    bind(tenant, NO_LATEST, mode="warn")
    waiting.until(lambda: sources.greeting(tenant, app.namespace) == "over", lambda: str(app.explain()))
    app.healthy()
    assert violation(app)["mode"] == "warn"
    _was_decided(tenant, refused["facts"]["policy decision"])


def _was_decided(tenant: e2e.Tenant, refused: str) -> None:
    """Every decision is kept, and any of them is made again to the same digest."""
    place = f"/api/v1/tenants/{tenant.name}/decisions"
    words = [one["verdict"] for one in reversed(tenant.call("GET", place).json()["items"])]
    assert [word for word, _ in itertools.groupby(words)] == ["needs-approval", "denied", "allowed", "denied", "warned"]
    again = tenant.call("GET", f"{place}/{refused}/replay").json()
    assert (again["identical"], again["verdict"]) == (True, "denied")
    (traced,) = tenant.call("GET", f"{place}/{refused}/explanation").json()["items"]
    assert [line["held"] for line in traced["definitions"][0]["lines"]] == [1, 1, 1]


def test_a_policy_that_does_not_compile_is_refused_with_its_line(tenant: e2e.Tenant) -> None:
    body = {"apiVersion": "gitops-plane.io/v1", "kind": "PolicySet", "metadata": {"name": "house"}, "spec": {}}
    broken = NO_LATEST.replace("sprintf(", "sprintff(")
    answer = tenant.call("PUT", f"/api/v1/tenants/{tenant.name}/policies/house", json=body | {"files": {"rule.rego": broken}})
    assert answer.status_code == 422
    assert "rule.rego:14" in answer.json()["detail"]


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
