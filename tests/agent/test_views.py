"""What the agent tells of live objects: the tree down to the Pods, and what Kubernetes says of them."""

import re

import msgspec
import pytest

from plane.wire import agent as wire
from plane.wire import answers, questions, scripted, views
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Body, Kube, config_map, deployment
from tests.agent.plane_end import PROJECT, TENANT, PlaneEnd
from tests.support.faultproxy import FaultProxy, Rule, Status

PODS = r".*/pods(/.*)?"


def tree(plane: PlaneEnd, app: str) -> views.Tree:
    final = plane.final(plane.ask(app, "tree"))
    assert final.outcome == "succeeded", final.message
    return msgspec.json.decode(final.live, type=answers.Tree).tree


def events(plane: PlaneEnd, app: str, subject: questions.Subject) -> tuple[views.KubeEvent, ...]:
    final = plane.final(plane.ask(app, "events", terms=subject))
    assert final.outcome == "succeeded", final.message
    return msgspec.json.decode(final.live, type=answers.Events).events.items


def service(namespace: str) -> Body:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace}, "spec": spec}


@pytest.fixture
def running(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> str:
    """An app with a Deployment that is available."""
    shared_plane.final(shared_plane.apply(app, deployment(kube.namespace, "web"), service(kube.namespace)))
    kube.until("apps/v1/deployments", "web", lambda body: bool(body and body["status"].get("availableReplicas")))
    return app


def test_the_tree_leads_from_a_deployment_to_its_pods_and_from_a_service(shared_plane: PlaneEnd, kube: Kube, running: str) -> None:
    kube.create("configmaps", config_map(kube.namespace, "stranger"))
    found = tree(shared_plane, running)
    by_kind = {node.kind: node for node in found.nodes}
    assert not {"stranger"} & {node.name for node in found.nodes}
    above, middle, pod = by_kind["Deployment"], by_kind["ReplicaSet"], by_kind["Pod"]
    assert (middle.parents, pod.parents) == ((above.uid,), (middle.uid,))
    assert (above.sync, above.health, pod.health, pod.ready) == ("Synced", "Healthy", "Healthy", "1/1")
    assert pod.images == ("registry.example/app:1",)
    assert views.Edge(source=by_kind["Service"].uid, target=pod.uid) in found.edges
    assert found.warnings == ()


def test_what_descends_is_judged_by_users_checks_too(shared_plane: PlaneEnd, kube: Kube, running: str) -> None:
    says = "return {status = 'Suspended', message = obj.metadata.ownerReferences[1].name}"
    shared_plane.judge(scripted.Check(name="sets", group="apps", kind="ReplicaSet", lua=says, project=PROJECT, tenant=TENANT))
    shared_plane.wait(
        lambda: shared_plane.checks is not None and shared_plane.held == shared_plane.checks.digest, "the agent to hold the check"
    )
    found = {node.kind: (node.health, node.message) for node in tree(shared_plane, running).nodes}
    shared_plane.judge()
    assert (found["ReplicaSet"], found["Pod"][0]) == (("Suspended", "web"), "Healthy")


def test_an_object_that_is_missing_is_in_the_tree(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    kube.delete("configmaps", "web")
    shared_plane.state(app, lambda state: state.health == "Missing")
    (node,) = tree(shared_plane, app).nodes
    assert (node.name, node.uid, node.health, node.sync) == ("web", "", "Missing", "OutOfSync")


def test_events_of_an_object_and_what_descends_from_it_are_told(shared_plane: PlaneEnd, kube: Kube, running: str) -> None:
    (pod,) = [node for node in tree(shared_plane, running).nodes if node.kind == "Pod"]
    about = {"kind": "Pod", "namespace": kube.namespace, "name": pod.name, "uid": pod.uid, "apiVersion": "v1"}
    for number, uid in enumerate([pod.uid, pod.uid, "somebody-elses"]):
        meta = {"name": f"made-{number}", "namespace": kube.namespace}
        body = {"metadata": meta, "involvedObject": {**about, "uid": uid}, "type": "Warning", "reason": "Made", "message": "up"}
        kube.create("events", body)
    told = events(shared_plane, running, questions.Subject(kind="deployment", name="web"))
    assert [(one.kind, one.name, one.count) for one in told if one.reason == "Made"] == [("Pod", pod.name, 2)]
    assert "ScalingReplicaSet" in {one.reason for one in told}
    below = events(shared_plane, running, questions.Subject(kind="pods", name=pod.name))
    assert {(one.kind, one.name) for one in below} == {("Pod", pod.name)}


def test_words_that_fit_nothing_of_the_app_name_nothing(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    kube.create("configmaps", config_map(kube.namespace, "stranger"))
    for subject in (questions.Subject(kind="ConfigMap", name="stranger"), questions.Subject(kind="Ringlet", name="web")):
        final = shared_plane.final(shared_plane.ask(app, "manifests", terms=subject))
        absent = msgspec.json.decode(final.live, type=answers.Absent)
        assert absent.sentence.startswith(f"{subject.kind} {subject.name} was not found")


def test_all_objects_of_an_app_are_shown_at_once(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "one"), config_map(kube.namespace, "two")))
    final = shared_plane.final(shared_plane.ask(app, "manifests"))
    live = msgspec.json.decode(final.live, type=answers.Manifests).live
    assert [item["metadata"]["name"] for item in live.items] == ["one", "two"]
    assert wire.OWNER_LABEL in live.items[0]["metadata"]["labels"]


def test_what_may_not_be_read_is_a_warning_and_nothing_is_watched_for_it(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy
) -> None:
    start(through=fault_proxy.kubeconfig)
    plane.final(plane.apply(app, deployment(kube.namespace, "web"), service(kube.namespace)))
    kube.until("apps/v1/deployments", "web", lambda body: bool(body and body["status"].get("availableReplicas")))
    assert {node.kind for node in tree(plane, app).nodes} >= {"Deployment", "ReplicaSet", "Pod"}
    asked = [one.query for one in fault_proxy.requests if re.fullmatch(PODS, one.path)]
    assert asked
    assert not [query for query in asked if "watch" in query]
    fault_proxy.add(Rule(Status(403, message="no right to list pods"), path=PODS))
    fault_proxy.add(Rule(Status(403, message="no right to list events"), path=r".*/events"))
    found = tree(plane, app)
    assert {node.kind for node in found.nodes} >= {"Deployment", "ReplicaSet"}
    assert found.warnings == (f"pods in {kube.namespace} could not be listed: no right to list pods",)
    told = msgspec.json.decode(plane.final(plane.ask(app, "events")).live, type=answers.Events).events
    assert told.warnings[-1] == f"events in {kube.namespace} could not be listed: no right to list events"
