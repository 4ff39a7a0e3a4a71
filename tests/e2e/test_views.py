"""What people see of live objects: asked of the agent at that moment, masked, and nothing that is not the app's."""

import json
import pathlib

import pytest

from plane.cli import client
from tests.e2e import conftest as e2e
from tests.e2e import sources
from tests.support import waiting

NEVER = "example.org/never"  # a label that no node has


@pytest.fixture(scope="module")
def seen(install: e2e.Install) -> e2e.App:
    """A healthy app, and a Secret that a controller made for its Deployment."""
    tenant = install.tenant()
    growing = sources.deployment().decode().replace("- name: web", "- {name: growing, image: registry.example/side:1}\n        - name: web")
    files = {
        "web/deployment.yaml": growing.encode(),
        "web/service.yaml": b"{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}",
    }
    app = tenant.app("web", tenant.repository(tenant.name, sources.web() | files))
    app.healthy()
    kube = install.kubes["east"]
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

    waiting.until(told, lambda: app.call("GET", "kube-events").text)


def said(app: e2e.App, **params: str) -> list[str]:
    """Lines of a log that is not followed."""
    answer = app.call("GET", "logs", params=params).raise_for_status()
    events = list(client.parse_events(answer.iter_lines()))
    assert events[-1].name == "done"
    return [line for event in events for run in event.body.get("runs", ()) for line in run["lines"]]


def test_logs_are_chosen_by_count_time_and_text(seen: e2e.App) -> None:
    web = {"kind": "Deployment", "name": "web", "container": "web"}
    assert said(seen, **web, tail="1") == ["ready"]
    assert said(seen, **web, filter="database", sinceTime="2026-01-01T00:00:04Z") == ["reached the database"]
    assert said(seen, **web, sinceSeconds="60") == []
    waiting.until(lambda: [event["details"] for event in audited(seen.tenant, "app.logs.read")].count(web) == 3)  # sealing takes a moment
    assert "listening on" not in json.dumps(audited(seen.tenant, "app.logs.read"))


def test_a_followed_log_goes_on_until_its_reader_leaves(seen: e2e.App) -> None:
    with pathlib.Path(seen.tenant.install.clusters["east"].folder, "growing-log.txt").open("a") as file:
        file.write(f"2026-01-01T00:01:00.000000000Z stdout F before {seen.namespace}\n")
        file.flush()
        headers = {"Authorization": f"Bearer {seen.tenant.token}"}
        path = f"{seen.tenant.place}/apps/{seen.name}/logs"
        with seen.tenant.install.http.stream(
            "GET", path, params={"container": "growing", "follow": "true"}, headers=headers, timeout=120
        ) as stream:
            lines = (
                line for event in client.parse_events(stream.iter_lines()) for run in event.body.get("runs", ()) for line in run["lines"]
            )
            assert any(line == f"before {seen.namespace}" for line in lines)
            file.write(f"2026-01-01T00:02:00.000000000Z stdout F after {seen.namespace}\n")
            file.flush()
            assert any(line == f"after {seen.namespace}" for line in lines)
    waiting.until(
        lambda: all(task["state"] == "done" for task in seen.call("GET", "tasks").json()["items"]), lambda: seen.call("GET", "tasks").text
    )


def audited(tenant: e2e.Tenant, kind: str) -> list[dict[str, object]]:
    """The tenant's audit events of a type."""
    answer = tenant.call("GET", f"/api/v1/tenants/{tenant.name}/audit", params={"limit": 500})
    return [event for event in (item.get("event", item) for item in answer.json()["items"]) if event["type"] == kind]


def test_a_viewer_sees_the_tree_and_no_logs(seen: e2e.App) -> None:
    tenant = seen.tenant
    people = f"/api/v1/tenants/{tenant.name}/people"
    assert tenant.call("POST", people, json={"name": "viewer"}).is_success
    assert tenant.call("POST", f"{people}/viewer/roles", json={"role": "viewer"}).is_success
    token = tenant.call("POST", f"{people}/viewer/tokens", json={"name": "test", "days": 1}).json()["token"]
    viewer = e2e.App(e2e.Tenant(tenant.name, token, tenant.install), seen.name)
    assert viewer.call("GET", "tree").is_success
    refused = viewer.call("GET", "logs")
    assert (refused.status_code, refused.json()["permission"]) == (403, "app:logs")


def test_another_tenant_asks_for_nothing_here(seen: e2e.App, tenant: e2e.Tenant) -> None:
    stranger = e2e.App(e2e.Tenant(seen.tenant.name, tenant.token, tenant.install), seen.name)
    for verb in ("tree", "live", "kube-events", "logs"):
        answer = stranger.call("GET", verb)
        assert (answer.status_code, answer.json()["detail"]) == (404, f"tenant {seen.tenant.name!r} was not found")
