"""A question is answered about the app's objects and what descends from them, and about nothing else."""

import msgspec

from plane.domain import objects
from plane.domain.rendering import secrets
from plane.wire import agent as wire
from plane.wire import answers
from tests.agent.conftest import Agent
from tests.agent.kube import Body, Kube, config_map, deployment
from tests.agent.plane_end import PlaneEnd


def key(body: Body) -> wire.Key:
    group = body["apiVersion"].rpartition("/")[0]
    return wire.Key(group, body["kind"], body["metadata"]["namespace"], body["metadata"]["name"])


def read(final: wire.Final) -> answers.Manifests | answers.Absent:
    assert final.outcome == "succeeded", final.message
    found: answers.Manifests | answers.Absent = msgspec.json.decode(final.live, type=answers.Manifests | answers.Absent)
    return found


def asked(plane: PlaneEnd, app: str, body: Body) -> answers.Manifests | answers.Absent:
    return read(plane.final(plane.ask(app, "manifests", key(body))))


def child(parent: Body, kind: str, name: str, **parts: object) -> Body:
    """Owned by `parent` as a controller does it."""
    meta = {"name": name, "namespace": parent["metadata"]["namespace"], "ownerReferences": [reference(parent)]}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **parts}


def reference(parent: Body) -> Body:
    return {name: parent[name] for name in ("apiVersion", "kind")} | {name: parent["metadata"][name] for name in ("name", "uid")}


def test_what_descends_from_an_app_is_shown_and_a_strangers_is_absent(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    web = deployment(kube.namespace, "web", node=f"{kube.namespace}-none")
    shared_plane.final(shared_plane.apply(app, web))
    there = kube.there("apps/v1/deployments", "web")
    secret = kube.create("secrets", child(there, "Secret", "made", stringData={"key": "a-secret-value"}))
    grandchild = kube.create("configmaps", child({**secret, "apiVersion": "v1", "kind": "Secret"}, "ConfigMap", "deep", data={"a": "b"}))
    stranger = kube.create("configmaps", config_map(kube.namespace, "stranger"))
    shown = asked(shared_plane, app, secret | {"apiVersion": "v1", "kind": "Secret"})
    assert isinstance(shown, answers.Manifests)
    assert (shown.live.items[0]["kind"], set(shown.live.items[0]["data"].values())) == ("Secret", {"••••"})
    assert isinstance(asked(shared_plane, app, grandchild | {"apiVersion": "v1", "kind": "ConfigMap"}), answers.Manifests)
    absent = asked(shared_plane, app, stranger | {"apiVersion": "v1", "kind": "ConfigMap"})
    missing = asked(shared_plane, app, config_map(kube.namespace, "missing"))
    assert isinstance(absent, answers.Absent)
    assert isinstance(missing, answers.Absent)
    assert absent.sentence.replace("stranger", "missing") == missing.sentence


def test_a_forged_owner_reference_makes_nothing_the_apps(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    web = kube.there("configmaps", "web")
    other = {**web, "apiVersion": "v1", "kind": "ConfigMap", "metadata": {**web["metadata"], "uid": "00000000-0000-0000-0000-000000000000"}}
    forged = child(other, "Secret", "forged")
    body = shared_plane.final(shared_plane.ask(app, "manifests", key(forged)))
    kube.create("secrets", forged)
    assert read(body) == read(shared_plane.final(shared_plane.ask(app, "manifests", key(forged))))


def test_a_question_outside_the_tasks_scope_is_refused(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    asking = shared_plane.ask(app, "manifests", wire.Key("", "Secret", "kube-system", "x"), scope=wire.Scope(namespaces=("acme-*",)))
    final = shared_plane.final(asking)
    assert (final.outcome, "outside what tenant acme may use" in final.message) == ("refused", True)


def test_a_question_of_a_newer_plane_is_refused_with_a_way_out(agent: Agent, shared_plane: PlaneEnd, app: str) -> None:
    final = shared_plane.final(shared_plane.ask(app, "horoscope"))
    assert final.outcome == "refused"
    assert final.message == "the agent of this cluster does not know the question 'horoscope'; upgrade it"


def test_a_sealed_value_is_masked_where_controllers_copy_it(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    web = deployment(kube.namespace, "web", node=f"{kube.namespace}-none")
    web["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "TOKEN", "value": ""}]
    place = secrets.Place(objects.key_of(web), "/spec/template/spec/containers/0/env/0/value")
    shared_plane.final(shared_plane.apply(app, web, sealed=[(place, b"a-sealed-value")]))
    there = kube.there("apps/v1/deployments", "web")
    copied = kube.create("configmaps", child(there, "ConfigMap", "copy", data={"env": "TOKEN=a-sealed-value", "other": "plain"}))
    shown = asked(shared_plane, app, copied | {"apiVersion": "v1", "kind": "ConfigMap"})
    assert isinstance(shown, answers.Manifests)
    assert shown.live.items[0]["data"] == {"env": "TOKEN=••••", "other": "plain"}
    live = asked(shared_plane, app, there)
    assert isinstance(live, answers.Manifests)
    assert live.live.items[0]["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "TOKEN", "value": "••••"}]
