"""What a sync would change, by the API server's own word, asked before anything is done."""

import base64
import time
from typing import Any

import msgspec

from plane.domain import objects
from plane.domain.rendering import secrets
from plane.wire import agent as wire
from plane.wire import answers
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Body, Kube, config_map, deployment
from tests.agent.plane_end import PlaneEnd
from tests.support import waiting
from tests.support.faultproxy import FaultProxy

OLD, NEW = "canary-old-5d17", "canary-new-5d17"


def changes(final: wire.Final) -> dict[str, answers.Change]:
    assert final.outcome == "succeeded", final.message
    return {one.key.name: one for one in msgspec.json.decode(final.live, type=answers.Diff).changes}


def lines(change: answers.Change) -> list[str]:
    return [line for line in change.diff.splitlines() if line[0] in "+-"][2:]


def test_only_what_would_change_is_told_and_nothing_is_changed(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    same, old = config_map(kube.namespace, "same", a="1"), config_map(kube.namespace, "old")
    shared_plane.final(shared_plane.apply(app, same, old, config_map(kube.namespace, "web", colour="blue", size="s")))
    kube.patch("configmaps", "web?fieldManager=hand", {"data": {"added": "x"}})
    bodies = (same, config_map(kube.namespace, "web", colour="green"), config_map(kube.namespace, "new", a="1"))
    found = changes(shared_plane.final(shared_plane.diff(app, *bodies)))
    assert {name: (one.action, one.fields) for name, one in found.items()} == {
        "web": ("update", ("/data/colour", "/data/size")),
        "new": ("create", ()),
        "old": ("delete", ()),
    }
    assert lines(found["web"]) == ["-  colour: blue", "-  size: s", "+  colour: green"]
    assert [one.pointer for one in found["web"].extra] == ["/data/added"]
    assert kube.there("configmaps", "web")["data"] == {"colour": "blue", "size": "s", "added": "x"}


def test_a_takeover_is_told_first_with_what_goes(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    kube.create("configmaps?fieldManager=helm", config_map(kube.namespace, "web", colour="blue", left="x"))
    body = config_map(kube.namespace, "web", colour="blue")
    change = changes(shared_plane.final(shared_plane.diff(app, body)))["web"]
    assert (change.action, change.former, "/data/left" in change.fields) == ("update", ("helm",), True)
    assert "-  left: x" in lines(change)
    planned = msgspec.json.decode(shared_plane.final(shared_plane.plan(app, body)).live)
    (step,) = planned["phases"][0]["waves"][0]["steps"]
    assert step["reason"].startswith("taken over from helm; changes /data/left")
    assert kube.there("configmaps", "web")["data"] == {"colour": "blue", "left": "x"}


def test_what_the_api_server_spells_in_its_own_way_is_no_change(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy
) -> None:
    def body(limit: Any) -> Body:  # noqa: ANN401 a quantity
        made = deployment(kube.namespace, "web")
        made["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": limit}}
        made["spec"]["template"]["spec"]["topologySpreadConstraints"] = []
        return made

    def costs_nothing(wanted: Body) -> bool:
        before = fault_proxy.count(path=r".*/deployments/web")
        plane.final(plane.diff(app, wanted))
        return fault_proxy.count(path=r".*/deployments/web") == before

    start(through=fault_proxy.kubeconfig)
    plane.final(plane.apply(app, body("0.5")))
    assert changes(plane.final(plane.diff(app, body("0.5")))) == {}
    waiting.until(lambda: costs_nothing(body("0.5")))  # known to be as Git wants it, once the controllers have left it alone
    assert changes(plane.final(plane.diff(app, body("500m")))) == {}
    other = body("500m")
    other["spec"]["paused"] = True
    assert [one.fields for one in changes(plane.final(plane.diff(app, other))).values()] == [("/spec/paused",)]
    waiting.until(lambda: costs_nothing(other))  # the object is the same version still


def test_what_rules_leave_out_is_told_on_request(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    rule = wire.Ignore(group="", kind="ConfigMap", pointers=("/data/colour",))
    body = config_map(kube.namespace, "web", colour="blue")
    shared_plane.final(shared_plane.apply(app, body, ignore=(rule,)))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    shared_plane.state(app, lambda state: state.sync == "Synced")
    asked = shared_plane.diff(app, body, ignore=(rule,), terms=msgspec.msgpack.encode(answers.Wish(ignored=True)))
    change = changes(shared_plane.final(asked))["web"]
    assert (change.action, change.diff) == ("", "")
    assert [line for line in change.ignored.splitlines() if line[0] in "+-"][2:] == ["-  colour: red", "+  colour: blue"]


def test_a_changed_secret_is_told_by_key_and_no_value_by_anybody(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    meta = {"name": "keys", "namespace": kube.namespace}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": {"same": "hmac-sha256:00", "word": "hmac-sha256:01"}}
    web = config_map(kube.namespace, "web", url="hmac-sha256:02")
    key, other = (objects.ObjectKey("", kind, kube.namespace, name) for kind, name in (("Secret", "keys"), ("ConfigMap", "web")))

    def sealed(value: str) -> list[tuple[secrets.Place, bytes]]:
        opened = {"/data/same": "same", "/data/word": value}
        found = [(secrets.Place(key, at), base64.b64encode(one.encode())) for at, one in opened.items()]
        return [*found, (secrets.Place(other, "/data/url"), value.encode())]

    shared_plane.final(shared_plane.apply(app, body, web, sealed=sealed(OLD)))
    body["data"] |= {"word": "hmac-sha256:03"}  # type: ignore[operator]  # a mapping
    web["data"]["url"] = "hmac-sha256:04"
    final = shared_plane.final(shared_plane.diff(app, body, web, sealed=sealed(NEW)))
    found = changes(final)
    assert found["keys"].fields == ("/data/word",)
    assert lines(found["keys"]) == ["-  word: '********'", "+  word: '******** (changed)'"]
    assert lines(found["web"]) == ["-  url: ••••", "+  url: •••• (changed)"]
    assert OLD.encode() not in final.live
    assert NEW.encode() not in final.live
    assert base64.b64encode(NEW.encode()) not in final.live


def test_what_admission_adds_counts_where_that_is_asked_for(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue")))
    body = config_map(kube.namespace, "web", colour="blue")
    body["data"]["size"] = "s"
    api = "/apis/admissionregistration.k8s.io/v1"
    name = f"adds-{kube.namespace}"
    match = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["configmaps"]}]}
    match["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": kube.namespace}}  # type: ignore[assignment]
    patch = {"expression": 'Object{metadata: Object.metadata{annotations: {"x.example/by": "admission"}}}'}
    mutation = {"patchType": "ApplyConfiguration", "applyConfiguration": patch}
    spec = {"matchConstraints": match, "failurePolicy": "Fail", "reinvocationPolicy": "Never", "mutations": [mutation]}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    kube.create(f"{api}/mutatingadmissionpolicies", {**head, "kind": "MutatingAdmissionPolicy", "spec": spec})
    kube.create(f"{api}/mutatingadmissionpolicybindings", {**head, "kind": "MutatingAdmissionPolicyBinding", "spec": {"policyName": name}})
    try:
        found: tuple[str, ...] = ()
        for size in range(2000):  # the API server learns of the policy by watch; an equal question would have an equal answer
            body["data"]["size"] = str(size)
            asked = shared_plane.diff(app, body, sync_options=("IncludeMutationWebhook=true",))
            found = changes(shared_plane.final(asked))["web"].fields
            if found != ("/data/size",):
                break
            time.sleep(0.1)
        assert found == ("/data/size", "/metadata/annotations/x.example~1by")
        assert changes(shared_plane.final(shared_plane.diff(app, body)))["web"].fields == ("/data/size",)
    finally:
        kube.delete(f"{api}/mutatingadmissionpolicybindings", name)
        kube.delete(f"{api}/mutatingadmissionpolicies", name)
