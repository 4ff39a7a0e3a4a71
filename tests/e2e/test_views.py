"""What people see of live objects: asked of the agent at that moment, masked, and nothing that is not the app's."""

import pytest

from tests.e2e import conftest as e2e
from tests.e2e import sources

NEVER = "example.org/never"  # a label that no node has


@pytest.fixture(scope="module")
def seen(install: e2e.Install) -> e2e.App:
    """A healthy app, and a Secret that a controller made for its Deployment."""
    tenant = install.tenant()
    files = {
        "web/service.yaml": b"{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}"
    }
    app = tenant.app("web", tenant.repository(tenant.name, sources.web() | files))
    app.healthy()
    with install.kube("east") as kube:
        place = f"/api/v1/namespaces/{app.namespace}"
        owner = kube.get(f"/apis/apps/v1/namespaces/{app.namespace}/deployments/web").raise_for_status().json()
        reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner["metadata"]["uid"]}
        made = {"metadata": {"name": "made", "ownerReferences": [reference]}, "stringData": {"key": "made-by-a-controller"}}
        kube.post(f"{place}/secrets", json=made).raise_for_status()
        kube.post(f"{place}/secrets", json={"metadata": {"name": "strangers"}, "stringData": {"key": "strangers"}}).raise_for_status()
    return app


def test_the_tree_leads_from_the_service_and_the_deployment_to_the_pod(seen: e2e.App) -> None:
    tree = seen.call("GET", "tree").raise_for_status().json()
    uids = {node["kind"]: node["uid"] for node in tree["nodes"]}
    parents = {node["kind"]: node.get("parents") for node in tree["nodes"]}
    assert parents["ReplicaSet"] == [uids["Deployment"]]
    assert parents["Pod"] == [uids["ReplicaSet"]]
    assert {"source": uids["Service"], "target": uids["Pod"]} in tree["edges"]
    assert "strangers" not in str(tree)


def test_a_live_secret_is_masked_and_a_strangers_is_not_there(seen: e2e.App) -> None:
    made = seen.call("GET", "live", params={"kind": "secret", "name": "made"}).raise_for_status()
    assert made.json()["items"][0]["data"] == {"key": "••••"}
    strangers = seen.call("GET", "live", params={"kind": "secret", "name": "strangers"})
    assert (strangers.status_code, strangers.json()["type"]) == (404, "urn:gitops-plane:problem:object-not-found")
    assert seen.call("GET", "live", params={"kind": "secret"}).status_code == 400


def test_events_say_why_a_pod_does_not_run(tenant: e2e.Tenant) -> None:
    unplaced = sources.deployment().decode().replace("      containers:", f"      nodeSelector: {{{NEVER}: 'yes'}}\n      containers:")
    app = tenant.app("web", tenant.repository(tenant.name, {"web/deployment.yaml": unplaced.encode()}))

    def told() -> bool:
        answer = app.call("GET", "kube-events", params={"kind": "Deployment", "name": "web"})
        return answer.is_success and any(item["kind"] == "Pod" and "FailedScheduling" in item["reason"] for item in answer.json()["items"])

    e2e.until(told, lambda: app.call("GET", "kube-events").text)
