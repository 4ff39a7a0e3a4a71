"""Objects that another tool applied before, and objects applied as kubectl does, against a real API server."""

import base64
import json
from typing import Any

from plane.domain import objects
from plane.domain.comparing import fields
from plane.domain.rendering import secrets
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Body, Kube, config_map, deployment
from tests.agent.plane_end import PlaneEnd
from tests.support.faultproxy import FaultProxy, Rule, Status

BY_HELM, BY_KUBECTL = "?fieldManager=helm", "?fieldManager=kubectl-client-side-apply"
CLIENT_SIDE = {"argocd.argoproj.io/sync-options": "ServerSideApply=false"}
CANARY = "canary-4d1c"


def owners(body: Body) -> set[tuple[str, str]]:
    managed = body["metadata"]["managedFields"]
    return {(one["manager"], one["operation"]) for one in managed if not one.get("subresource")}


def last_applied(body: Body) -> Any:  # noqa: ANN401 JSON
    return json.loads((body["metadata"].get("annotations") or {}).get(fields.LAST_APPLIED, "null"))


def made_by_kubectl(kube: Kube, name: str, **data: str) -> None:
    body = config_map(kube.namespace, name, None, **data)
    kube.create(f"configmaps{BY_KUBECTL}", config_map(kube.namespace, name, {fields.LAST_APPLIED: json.dumps(body)}, **data))


def test_what_kubectl_applied_is_taken_over_with_nothing_left_behind(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    for name in ("changed", "same"):
        made_by_kubectl(kube, name, colour="red", left="x")
        kube.patch("configmaps", f"{name}?fieldManager=kubectl-edit", {"data": {"hand": "x"}})
    bodies = [config_map(kube.namespace, "changed", colour="blue"), config_map(kube.namespace, "same", colour="red")]
    final = shared_plane.final(shared_plane.apply(app, *bodies))
    assert (final.message, {one.message for one in final.results}) == ("2 applied", {"taken over from kubectl-client-side-apply"})
    changed, same = (kube.there("configmaps", name) for name in ("changed", "same"))
    assert [changed["data"], same["data"]] == [{"colour": "blue", "hand": "x"}, {"colour": "red", "hand": "x"}]
    assert owners(changed) == owners(same) == {("gitops-plane", "Apply"), ("kubectl-edit", "Update")}
    assert last_applied(changed) is None


def test_a_charts_volume_of_another_sort_stands_in_nobodys_way(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    before = deployment(kube.namespace, "web")
    pod = before["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "v", "emptyDir": {}}]
    pod["containers"][0]["env"] = [{"name": "OLD", "value": "1"}]
    kube.create(f"apps/v1/deployments{BY_HELM}", before)
    body = deployment(kube.namespace, "web")
    body["spec"]["template"]["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "c"}}]
    final = shared_plane.final(shared_plane.apply(app, body))
    assert final.outcome == "succeeded", final.message
    now = kube.there("apps/v1/deployments", "web")
    spec = now["spec"]["template"]["spec"]
    assert (sorted(spec["volumes"][0]), spec["containers"][0].get("env")) == (["configMap", "name"], None)
    assert now["metadata"]["generation"] == 2  # one change, one rollout
    assert ("helm", "Update") not in owners(now)


def chart(kube: Kube) -> dict[str, Body]:
    """One object of each kind in which the API server fills in and allocates most."""

    def body(kind: str, spec: Body, version: str = "v1", **parts: Any) -> Body:  # noqa: ANN401 parts of an object
        return {"apiVersion": version, "kind": kind, "metadata": {"name": "web", "namespace": kube.namespace}, "spec": spec, **parts}

    labels = {"app": "web"}
    pod: Body = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": "registry.example/app:1", "ports": [{"containerPort": 80}]}]},
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    once = {"metadata": {}, "spec": {**pod["spec"], "restartPolicy": "Never"}}
    sets = {"serviceName": "web", "selector": {"matchLabels": labels}, "template": pod}
    return {
        "services": body("Service", {"type": "NodePort", "selector": labels, "ports": [{"port": 80}]}),
        "serviceaccounts": {name: part for name, part in body("ServiceAccount", {}).items() if name != "spec"},
        "persistentvolumeclaims": body("PersistentVolumeClaim", claim),
        "apps/v1/deployments": body("Deployment", {"selector": {"matchLabels": labels}, "template": pod}, "apps/v1"),
        "apps/v1/statefulsets": body(
            "StatefulSet", {**sets, "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": claim}]}, "apps/v1"
        ),
        "batch/v1/jobs": body("Job", {"template": once}, "batch/v1"),
        "batch/v1/cronjobs": body("CronJob", {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": once}}}, "batch/v1"),
        "networking.k8s.io/v1/ingresses": body("Ingress", {"defaultBackend": backend}, "networking.k8s.io/v1"),
        "policy/v1/poddisruptionbudgets": body(
            "PodDisruptionBudget", {"minAvailable": 1, "selector": {"matchLabels": labels}}, "policy/v1"
        ),
        "autoscaling/v2/horizontalpodautoscalers": body(
            "HorizontalPodAutoscaler", {"maxReplicas": 3, "scaleTargetRef": target}, "autoscaling/v2"
        ),
    }


def test_a_whole_chart_is_taken_over_without_a_change(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    bodies = chart(kube)
    before = {path: kube.create(f"{path}{BY_HELM}", body) for path, body in bodies.items()}
    final = shared_plane.final(shared_plane.apply(app, *bodies.values()))
    assert final.outcome == "succeeded", final.message
    now = {path: kube.there(path, "web") for path in bodies}
    assert {path: body.get("spec") for path, body in now.items()} == {path: body.get("spec") for path, body in before.items()}
    assert not any(("helm", "Update") in owners(body) for body in now.values())


def test_nothing_is_taken_over_where_that_is_asked_for(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    made_by_kubectl(kube, "web", colour="red", left="x")
    body = config_map(kube.namespace, "web", colour="blue")
    shared_plane.final(shared_plane.apply(app, body, sync_options=("ClientSideApplyMigration=false",)))
    assert kube.there("configmaps", "web")["data"] == {"colour": "blue", "left": "x"}


def test_a_client_side_apply_merges_three_ways_and_becomes_server_side(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    made_by_kubectl(kube, "web", colour="red", left="x")
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", CLIENT_SIDE, colour="blue", size="s"), self_heal=True))
    kube.patch("configmaps", "web", {"data": {"hand": "x"}})
    now = kube.there("configmaps", "web")
    assert now["data"] == {"colour": "blue", "size": "s", "hand": "x"}
    assert last_applied(now)["data"] == {"colour": "blue", "size": "s"}
    kube.patch("configmaps", "web", {"data": {"size": "xl"}})
    kube.until("configmaps", "web", lambda body: body is not None and body["data"]["size"] == "s")
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", CLIENT_SIDE, colour="blue")))
    assert kube.there("configmaps", "web")["data"] == {"colour": "blue", "hand": "x"}
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", size="m")))
    now = kube.there("configmaps", "web")
    assert (now["data"], last_applied(now)) == ({"size": "m", "hand": "x"}, None)
    assert ("gitops-plane", "Update") not in owners(now)


def test_a_client_side_apply_that_somebody_forestalls_begins_again(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy
) -> None:
    start(through=fault_proxy.kubeconfig)
    plane.final(plane.apply(app, config_map(kube.namespace, "web", CLIENT_SIDE, colour="blue")))
    forestalled = Status(409, message="Operation cannot be fulfilled: the object has been modified; please apply your changes")
    fault_proxy.add(Rule(forestalled, method="PUT", path=r".*/configmaps/web", times=2))
    final = plane.final(plane.apply(app, config_map(kube.namespace, "web", CLIENT_SIDE, colour="green")))
    assert (final.outcome, kube.there("configmaps", "web")["data"]) == ("succeeded", {"colour": "green"})


def test_a_client_side_apply_makes_the_object_and_keeps_values_of_secrets_to_itself(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str
) -> None:
    meta = {"name": "keys", "namespace": kube.namespace, "annotations": CLIENT_SIDE}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"word": "hmac-sha256:00"}}
    place = secrets.Place(objects.ObjectKey("", "Secret", kube.namespace, "keys"), "/data/word")
    value = base64.b64encode(CANARY.encode())
    final = shared_plane.final(shared_plane.apply(app, body, sealed=[(place, value)]))
    assert final.outcome == "succeeded", final.message
    now = kube.there("secrets", "keys")
    assert (now["data"], last_applied(now)["data"]) == ({"word": value.decode()}, {"word": ""})
    assert ("gitops-plane", "Update") in owners(now)


def test_a_plan_of_what_would_be_taken_over_is_rehearsed_without_being_refused(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str
) -> None:
    before = deployment(kube.namespace, "web")
    before["spec"]["template"]["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    kube.create(f"apps/v1/deployments{BY_HELM}", before)
    body = deployment(kube.namespace, "web")
    body["spec"]["template"]["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "c"}}]
    later = config_map(kube.namespace, "later", {"argocd.argoproj.io/sync-wave": "1"})
    final = shared_plane.final(shared_plane.apply(app, body, later))
    assert final.outcome == "succeeded", final.message
