"""Orders about one live object: what is the app's is changed as asked, held to what somebody looked at, and nothing else is touched."""

import json
import time
from collections.abc import Iterator

import msgspec
import pytest

from plane.domain import objects
from plane.domain.rendering import secrets
from plane.wire import acting, answers
from plane.wire import agent as wire
from plane.wire import scripted as scripts
from tests.agent.conftest import Agent
from tests.agent.kube import Body, Kube, config_map, definition, deployment
from tests.agent.plane_end import TENANT, PlaneEnd

READ = acting.Done | acting.Listed | answers.Absent
AT = 1785585600  # 2026-08-01T12:00:00Z


def later() -> int:
    return int(time.time()) + 600


def key(kind: str, namespace: str, name: str) -> wire.Key:
    group, _, word = kind.rpartition("/")
    return wire.Key(group, word, namespace, name)


def said(plane: PlaneEnd, app: str, question: str, about: wire.Key, terms: msgspec.Struct | None = None) -> object:
    final = plane.final(plane.ask(app, question, about, terms=terms))
    assert final.outcome == "succeeded", final.message
    return msgspec.json.decode(final.live, type=READ)


def refused(plane: PlaneEnd, app: str, question: str, about: wire.Key, terms: msgspec.Struct) -> str:
    final = plane.final(plane.ask(app, question, about, terms=terms))
    assert final.outcome == "refused"
    return final.message


def act(plane: PlaneEnd, app: str, about: wire.Key, action: str, **parameters: str) -> acting.Done:
    done = said(plane, app, "action", about, acting.Act(until=later(), at=AT, action=action, parameters=parameters))
    assert isinstance(done, acting.Done), done
    return done


def patch(body: object, **given: object) -> acting.Change:
    return msgspec.convert({"until": later(), "body": json.dumps(body).encode(), **given}, acting.Change)


@pytest.fixture
def web(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> wire.Key:
    """A Deployment of the app that runs nothing."""
    shared_plane.final(shared_plane.apply(app, deployment(kube.namespace, "web", node=f"{kube.namespace}-none")))
    return key("apps/Deployment", kube.namespace, "web")


def test_a_restart_is_written_by_a_manager_of_its_own(web: wire.Key, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    before = kube.there("apps/v1/deployments", "web")
    done = act(shared_plane, app, web, "restart")
    live = kube.there("apps/v1/deployments", "web")
    assert live["spec"]["template"]["metadata"]["annotations"] == {"kubectl.kubernetes.io/restartedAt": "2026-08-01T12:00:00Z"}
    assert "gitops-plane-action" in {one["manager"] for one in live["metadata"]["managedFields"]}
    assert done.fields == ("/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt",)
    assert (done.before != done.after, done.warnings) == (True, ())
    assert live["metadata"]["generation"] == before["metadata"]["generation"] + 1


def test_what_an_action_wrote_is_no_strangers_addition(web: wire.Key, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    act(shared_plane, app, web, "restart")
    kube.patch("apps/v1/deployments", "web", {"spec": {"revisionHistoryLimit": 3}})
    shared_plane.wait(lambda: any(state.extra for state in shared_plane.objects.get(app, {}).values()), "an addition")
    found = [one.pointer for state in shared_plane.objects[app].values() for one in state.extra]
    assert found == ["/spec/revisionHistoryLimit"]


def test_scaling_says_what_git_says_otherwise(web: wire.Key, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    done = act(shared_plane, app, web, "scale", replicas="3")
    assert kube.there("apps/v1/deployments", "web")["spec"]["replicas"] == 3
    assert done.warnings == ("Git says otherwise at /spec/replicas: the app is OutOfSync until a sync undoes it, or Git says the same",)


def test_an_app_that_heals_itself_undoes_a_scale_and_says_so(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, deployment(kube.namespace, "web", node=f"{kube.namespace}-none"), self_heal=True))
    was = kube.there("apps/v1/deployments", "web")["metadata"]["generation"]
    done = act(shared_plane, app, key("apps/Deployment", kube.namespace, "web"), "scale", replicas="3")
    healed = kube.until(
        "apps/v1/deployments",
        "web",
        lambda one: one is not None and one["metadata"]["generation"] > was + 1 and one["spec"]["replicas"] == 1,
    )
    assert healed
    heals = "the app heals itself and undoes it; change it in Git, or list the field in ignoreDifferences"
    undone_before_anybody_could_look: tuple[str, ...] = ()
    assert done.warnings in {(f"Git says otherwise at /spec/replicas: {heals}",), undone_before_anybody_could_look}


def test_what_cannot_be_done_just_now_is_refused(web: wire.Key, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    act(shared_plane, app, web, "pause")
    order = acting.Act(until=later(), at=AT, action="pause")
    assert refused(shared_plane, app, "action", web, order).endswith("web: it is paused already")


def test_an_order_that_does_not_fit_says_which_part(web: wire.Key, shared_plane: PlaneEnd, app: str) -> None:
    order = acting.Act(until=later(), at=AT, action="scale", parameters={"replicas": "many"})
    assert said(shared_plane, app, "action", web, order) == acting.Done(
        problems={"parameters.replicas": "must be a whole number from 0 to 100000"}
    )


def test_actions_are_listed_with_what_stands_against_them(web: wire.Key, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    found = said(shared_plane, app, "actions", web)
    assert isinstance(found, acting.Listed)
    assert [(one.name, one.reason) for one in found.objects[0].actions] == [
        ("pause", ""), ("restart", ""), ("resume", "it is not paused"), ("scale", ""),
    ]  # fmt: skip
    final = shared_plane.final(shared_plane.ask(app, "actions"))
    whole = msgspec.json.decode(final.live, type=acting.Listed)
    assert [(one.key, one.actions) for one in whole.objects] == [(one.key, one.actions) for one in found.objects]


def test_an_order_is_held_to_the_object_that_was_looked_at(web: wire.Key, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    other = acting.Act(until=later(), at=AT, action="restart", uid="00000000-0000-0000-0000-000000000000")
    assert "is another object of that name by now" in refused(shared_plane, app, "action", web, other)
    older = acting.Act(until=later(), at=AT, action="restart", version="1")
    assert "was changed meanwhile" in refused(shared_plane, app, "action", web, older)
    late = acting.Act(until=int(time.time()) - 600, at=AT, action="restart")
    assert refused(shared_plane, app, "action", web, late) == "the order reached the agent too late and was not carried out; give it again"
    assert "annotations" not in kube.there("apps/v1/deployments", "web")["spec"]["template"]["metadata"]


def test_a_strangers_object_is_absent_to_every_order(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "mine")))
    kube.create("apps/v1/deployments", deployment(kube.namespace, "theirs", node=f"{kube.namespace}-none"))
    theirs = key("apps/Deployment", kube.namespace, "theirs")
    orders = {"action": acting.Act(until=later(), at=AT, action="restart"), "patch": patch({}), "delete": acting.Delete(until=later())}
    for question, order in orders.items():
        assert isinstance(said(shared_plane, app, question, theirs, order), answers.Absent), question
    assert kube.there("apps/v1/deployments", "theirs")["metadata"]["generation"] == 1


def test_a_job_made_of_a_cron_job_is_made_once(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/job:1"}]}
    spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"suspend": True, "template": {"spec": pod}}}}
    body: Body = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": kube.namespace}, "spec": spec}
    shared_plane.final(shared_plane.apply(app, body))
    nightly = key("batch/CronJob", kube.namespace, "nightly")
    made = wire.Key("batch", "Job", kube.namespace, "nightly-20260801120000")
    assert act(shared_plane, app, nightly, "create-job").created == (made,)
    assert act(shared_plane, app, nightly, "create-job").created == (made,)
    job = kube.there("batch/v1/jobs", made.name)
    assert job["metadata"]["ownerReferences"][0]["uid"] == kube.there("batch/v1/cronjobs", "nightly")["metadata"]["uid"]


def test_a_status_with_a_subresource_is_written_there(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/job:1"}]}
    spec = {"template": {"spec": {**pod, "nodeSelector": {f"{kube.namespace}-none": "yes"}}}}
    body: Body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once", "namespace": kube.namespace}, "spec": spec}
    shared_plane.final(shared_plane.apply(app, body))
    kube.until("batch/v1/jobs", "once", lambda one: one is not None and bool(one.get("status")))
    done = act(shared_plane, app, key("batch/Job", kube.namespace, "once"), "terminate")
    assert done.fields == ("/status/conditions",)
    ended = kube.until("batch/v1/jobs", "once", lambda one: one is not None and bool(one["status"].get("conditions")))
    assert ended
    assert "FailureTarget" in {one["type"] for one in ended["status"]["conditions"]}


def test_a_status_without_a_subresource_is_written_with_the_rest(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    group = f"{app}.example"
    made = definition(group)
    kube.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", made)
    ring = {"apiVersion": f"{group}/v1", "kind": "Ring", "metadata": {"name": "one", "namespace": kube.namespace}, "spec": {"to": "rule"}}
    shared_plane.final(shared_plane.apply(app, ring))
    done = said(shared_plane, app, "patch", key(f"{group}/Ring", kube.namespace, "one"), patch({"status": {"seen": True}}))
    assert isinstance(done, acting.Done)
    assert done.fields == ("/status/seen",)
    kube.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", made["metadata"]["name"])


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("merge", {"data": {"colour": "red"}}),
        ("strategic", {"data": {"colour": "red"}}),
        ("json", [{"op": "replace", "path": "/data/colour", "value": "red"}]),
    ],
)
def test_a_patch_of_each_kind_changes_and_tells(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, kind: str, body: object
) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue")))
    about = key("ConfigMap", kube.namespace, "web")
    would = said(shared_plane, app, "patch", about, patch(body, type=kind, dry_run=True))
    assert isinstance(would, acting.Done)
    assert (would.fields, kube.there("configmaps", "web")["data"]) == (("/data/colour",), {"colour": "blue"})
    done = said(shared_plane, app, "patch", about, patch(body, type=kind, judged=would.digest))
    assert isinstance(done, acting.Done)
    assert (done.fields, kube.there("configmaps", "web")["data"]) == (("/data/colour",), {"colour": "red"})
    assert done.body
    assert done.body["data"] == {"colour": "red"}


def test_a_patch_makes_nothing_that_policy_did_not_look_at(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue")))
    about, body = key("ConfigMap", kube.namespace, "web"), {"data": {"colour": "red"}}
    would = said(shared_plane, app, "patch", about, patch(body, dry_run=True))
    assert isinstance(would, acting.Done)
    kube.patch("configmaps", "web", {"data": {"size": "xl"}})
    message = refused(shared_plane, app, "patch", about, patch(body, judged=would.digest))
    assert "would make something else of it than policy looked at" in message
    assert kube.there("configmaps", "web")["data"] == {"colour": "blue", "size": "xl"}


@pytest.mark.parametrize(
    "meta", [{"labels": {wire.OWNER_LABEL: "other"}}, {"labels": None}, {"annotations": None}, {"ownerReferences": []}], ids=str
)
def test_a_patch_that_gives_an_object_away_is_refused(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, meta: Body) -> None:
    mine = config_map(kube.namespace, "mine")
    shared_plane.final(shared_plane.apply(app, mine))
    there = kube.there("configmaps", "mine")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "mine", "uid": there["metadata"]["uid"]}
    kube.create("configmaps", {**config_map(kube.namespace, "child"), "metadata": {"name": "child", "ownerReferences": [owner]}})
    name = "child" if "ownerReferences" in meta else "mine"
    message = refused(shared_plane, app, "patch", key("ConfigMap", kube.namespace, name), patch({"metadata": meta}))
    assert "by which the plane knows whose" in message


def test_a_patch_shows_no_secret_value(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    body = config_map(kube.namespace, "web", token="", size="s")
    place = secrets.Place(objects.key_of(body), "/data/token")
    shared_plane.final(shared_plane.apply(app, body, sealed=[(place, b"a-sealed-value")]))
    done = said(shared_plane, app, "patch", key("ConfigMap", kube.namespace, "web"), patch({"data": {"size": "a-sealed-value"}}))
    assert isinstance(done, acting.Done)
    assert done.body
    assert done.body["data"] == {"token": "••••", "size": "••••"}
    message = refused(shared_plane, app, "patch", key("ConfigMap", kube.namespace, "web"), patch({"immutable": "a-sealed-value"}))
    assert "a-sealed-value" not in message


def test_an_object_is_deleted_and_what_git_says_of_it_is_told(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    was = kube.there("configmaps", "web")["metadata"]["resourceVersion"]
    done = said(shared_plane, app, "delete", key("ConfigMap", kube.namespace, "web"), acting.Delete(until=later()))
    assert done == acting.Done(
        before=was, warnings=("Git has it: the app is OutOfSync until a sync creates it again, or Git has it no more",)
    )
    assert kube.get("configmaps", "web") is None


def test_what_finalizers_hold_is_told(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    kube.patch("configmaps", "web", {"metadata": {"finalizers": ["example.com/hold"]}})
    done = said(shared_plane, app, "delete", key("ConfigMap", kube.namespace, "web"), acting.Delete(until=later(), grace_s=0))
    assert isinstance(done, acting.Done)
    assert (bool(done.after), done.warnings[-1]) == (True, "it goes when its finalizers are done: example.com/hold")
    kube.patch("configmaps", "web", {"metadata": {"finalizers": None}})


def test_a_deletion_may_leave_what_descends_from_it(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    uid = kube.there("configmaps", "web")["metadata"]["uid"]
    said(shared_plane, app, "delete", key("ConfigMap", kube.namespace, "web"), acting.Delete(until=later(), propagation="orphan"))
    live = kube.until("configmaps", "web", lambda one: one is None or "orphan" in one["metadata"].get("finalizers", []))
    assert live is None or live["metadata"]["uid"] == uid


@pytest.fixture
def scripted(agent: Agent, shared_plane: PlaneEnd) -> Iterator[PlaneEnd]:
    """The worker's plane, which takes its scripts back afterwards."""
    yield shared_plane
    shared_plane.judge()


DISCOVERY = "return {paint = {params = {{name = 'colour', default = 'red'}}}, copy = {}, steal = {}, sprout = {}, graft = {}, stray = {}}"
DEFINITIONS = {
    "paint": "obj.data.colour = actionParams['colour'] return obj",
    "copy": "obj.data.colour = obj.data.token return obj",
    "steal": f"obj.metadata.labels['{wire.OWNER_LABEL}'] = 'other' return obj",
    "graft": f"""
        local meta = {{name = "grafted", namespace = obj.metadata.namespace, labels = {{["{wire.OWNER_LABEL}"] = "other"}}}}
        return {{{{operation = "create", resource = {{apiVersion = "v1", kind = "ConfigMap", metadata = meta}}}}}}
    """,
    "stray": """
        local meta = {name = "astray", namespace = "kube-system"}
        return {{operation = "create", resource = {apiVersion = "v1", kind = "ConfigMap", metadata = meta}}}
    """,
    "sprout": """
        local meta = {name = obj.metadata.name .. "-sprout", namespace = actionParams["where"] or obj.metadata.namespace}
        return {{operation = "create", resource = {apiVersion = "v1", kind = "ConfigMap", metadata = meta}}}
    """,
}


def offered(plane: PlaneEnd, app: str, about: wire.Key) -> list[str]:
    found = said(plane, app, "actions", about)
    assert isinstance(found, acting.Listed)
    return [one.name for one in found.objects[0].actions]


def test_actions_that_users_wrote_are_done_without_showing_them_a_secret(scripted: PlaneEnd, kube: Kube, app: str) -> None:
    body = config_map(kube.namespace, "web", token="", colour="blue")
    scripted.final(scripted.apply(app, body, sealed=[(secrets.Place(objects.key_of(body), "/data/token"), b"a-sealed-value")]))
    web = key("ConfigMap", kube.namespace, "web")
    assert offered(scripted, app, web) == []
    own = scripts.ActionScripts(name="maps", group="", kind="ConfigMap", discovery=DISCOVERY, definitions=DEFINITIONS, tenant=TENANT)
    scripted.judge(actions=(own, msgspec.structs.replace(own, discovery="return {}", tenant="globex")))
    until = time.monotonic() + 60
    while offered(scripted, app, web) != ["copy", "graft", "paint", "sprout", "steal", "stray"]:
        assert time.monotonic() < until, "the users' own actions are not offered"
    assert act(scripted, app, web, "paint").fields == ("/data/colour",)
    assert kube.there("configmaps", "web")["data"] == {"token": "a-sealed-value", "colour": "red"}
    assert act(scripted, app, web, "sprout").created == (wire.Key("", "ConfigMap", kube.namespace, "web-sprout"),)
    assert "already exists" in refused(scripted, app, "action", web, acting.Act(until=later(), at=AT, action="sprout"))
    told = {
        name: refused(scripted, app, "action", web, acting.Act(until=later(), at=AT, action=name)) for name in ("steal", "copy", "graft")
    }
    assert "by which the plane knows whose" in told["steal"]
    assert told["copy"].startswith("action 'copy' of acme/maps copies a secret value")
    assert "of another app; leave that label out" in told["graft"]


def test_a_script_creates_only_where_the_tenant_may(scripted: PlaneEnd, kube: Kube, app: str) -> None:
    scripted.final(scripted.apply(app, config_map(kube.namespace, "web")))
    web = key("ConfigMap", kube.namespace, "web")
    scripted.judge(
        actions=(
            scripts.ActionScripts(name="maps", group="", kind="ConfigMap", discovery=DISCOVERY, definitions=DEFINITIONS, tenant=TENANT),
        )
    )
    until = time.monotonic() + 60
    while not offered(scripted, app, web):
        assert time.monotonic() < until, "the users' own actions are not offered"
    order = acting.Act(until=later(), at=AT, action="stray")
    asking = scripted.ask(app, "action", web, terms=order, scope=wire.Scope(namespaces=(kube.namespace,)))
    final = scripted.final(asking)
    assert (final.outcome, "is outside what tenant acme may use" in final.message) == ("refused", True)
