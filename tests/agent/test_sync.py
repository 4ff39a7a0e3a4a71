"""Apply and remove tasks against a real API server."""

import uuid
from collections.abc import Iterator

import pytest

from plane.wire import agent as wire
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Body, Kube, config_map, definition, deployment, job, ring
from tests.agent.plane_end import PlaneEnd
from tests.support import faultproxy
from tests.support.faultproxy import Status

HOOK, HOOK_DELETE = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
MIGRATED = "argocd.argoproj.io/hook-finalizer"
HELD = "example/held"  # a finalizer that nobody but the test takes off
BACKGROUND = ("PrunePropagationPolicy=background",)  # nothing is owned, so nothing needs the shared cluster's garbage collector


def results(final: wire.Final) -> dict[str, str]:
    return {one.key.name: one.result for one in final.results}


def deleted(body: Body) -> bool:
    return "deletionTimestamp" in body["metadata"]


def finalizers(body: Body) -> list[str]:
    return list(body["metadata"].get("finalizers") or [])


def test_a_release_is_applied_with_the_planes_field_manager(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue")))
    assert (final.outcome, final.message) == ("succeeded", "1 applied")
    made = kube.there("configmaps", "web")
    assert made["data"] == {"colour": "blue"}
    assert [one["manager"] for one in made["metadata"]["managedFields"]] == ["gitops-plane"]


def test_what_left_git_is_pruned_and_what_is_not_ours_stays(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    old, new = config_map(kube.namespace, "old"), config_map(kube.namespace, "new")
    shared_plane.final(shared_plane.apply(app, old, new, prune=True))
    copied = config_map(kube.namespace, "copied")
    copied["metadata"]["labels"] = {wire.OWNER_LABEL: app}
    kube.create("configmaps", copied)
    kube.create("configmaps", config_map(kube.namespace, "foreign"))
    final = shared_plane.final(shared_plane.apply(app, new, prune=True, sync_options=BACKGROUND))
    assert results(final) == {"old": "Pruned", "new": "Unchanged"}
    assert kube.until("configmaps", "old", lambda one: one is None) is None
    assert [kube.get("configmaps", name) is None for name in ("new", "copied", "foreign")] == [False, False, False]


def test_without_prune_the_leftover_is_reported(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "old"), config_map(kube.namespace, "new")))
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "new")))
    assert results(final) == {"old": "PruneSkipped", "new": "Unchanged"}
    shared_plane.state(app, lambda state: state.generation == 2 and state.sync == "OutOfSync")


def test_an_unchanged_release_costs_no_request_per_object(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: faultproxy.FaultProxy
) -> None:
    start(through=fault_proxy.kubeconfig)
    bodies = [config_map(kube.namespace, f"web-{index}") for index in range(5)]
    plane.final(plane.apply(app, *bodies))
    before = fault_proxy.count(method="PATCH", path=r".*/configmaps/web-.*")
    final = plane.final(plane.apply(app, *bodies))
    assert (before, set(results(final).values())) == (5, {"Unchanged"})
    assert fault_proxy.count(method="PATCH", path=r".*/configmaps/web-.*") == 5


@pytest.fixture
def group(kube: Kube) -> Iterator[str]:
    """An API group whose definition goes with the test."""
    name = f"g{uuid.uuid4().hex[:8]}.example"
    yield name
    if kube.get(CRDS, f"rings.{name}"):
        kube.delete(CRDS, f"rings.{name}")


def test_a_definition_and_its_object_come_in_one_release(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, group: str) -> None:
    final = shared_plane.final(shared_plane.apply(app, ring(group, kube.namespace), definition(group)))
    assert (final.outcome, final.message) == ("succeeded", "2 applied")
    final = shared_plane.final(shared_plane.remove(app, sync_options=BACKGROUND))
    assert results(final) == {"one": "Pruned", f"rings.{group}": "PruneSkipped"}


def test_a_kind_that_is_served_later_than_its_definition_says_is_waited_for(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, group: str, fault_proxy: faultproxy.FaultProxy
) -> None:
    unserved = Status(404, "the server could not find the requested resource")
    fault_proxy.add(faultproxy.Rule(unserved, path=f"/apis/{group}/v1", times=5))
    fault_proxy.add(faultproxy.Rule(unserved, method="GET", path=f"/apis/{group}/v1/.*", times=2))
    fault_proxy.add(faultproxy.Rule(unserved, method="PATCH", path=f"/apis/{group}/v1/.*", times=2))
    start(through=fault_proxy.kubeconfig)
    final = plane.final(plane.apply(app, ring(group, kube.namespace), definition(group)))
    assert (final.outcome, final.message) == ("succeeded", "2 applied")
    at = f"/apis/{group}/v1/namespaces/{kube.namespace}/rings"
    kube.delete(at, "one")
    plane.state(app, lambda state: state.sync == "OutOfSync")


def test_hooks_run_before_and_after_and_only_once(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    before = job(kube.namespace, "before", {HOOK: "PreSync"})
    after = job(kube.namespace, "after", {HOOK: "PostSync", HOOK_DELETE: "HookSucceeded"})
    final = shared_plane.final(shared_plane.apply(app, after, config_map(kube.namespace, "web"), before))
    assert final.outcome == "succeeded", final.message
    assert results(final) == {"before": "HookSucceeded", "web": "Synced", "after": "HookSucceeded"}
    made = [kube.get("batch/v1/jobs", "before"), kube.get("configmaps", "web")]
    assert [one is not None for one in made] == [True, True]
    assert kube.until("batch/v1/jobs", "after", lambda one: one is None) is None
    phases = [one.phase for one in shared_plane.progress if one.task == final.task]
    assert phases == ["PreSync", "Sync", "PostSync"][: len(phases)]  # the last word says what came just before it


def test_a_hook_of_two_phases_runs_in_each(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    hook = config_map(kube.namespace, "both", {HOOK: "PreSync,PostSync"})
    with kube.config_maps_made() as made:
        final = shared_plane.final(shared_plane.apply(app, hook, config_map(kube.namespace, "web")))
    assert (final.outcome, [name for name in made if name in {"both", "web"}]) == ("succeeded", ["both", "web", "both"])


def test_a_finished_hook_goes_without_the_garbage_collector(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    hook = job(kube.namespace, "after", {HOOK: "PostSync", HOOK_DELETE: "HookSucceeded"})
    hook["metadata"]["finalizers"] = [HELD]
    shared_plane.final(shared_plane.apply(app, hook))
    deleted = kube.until("batch/v1/jobs", "after", lambda one: one is not None and "deletionTimestamp" in one["metadata"])
    assert deleted is not None
    assert deleted["metadata"]["finalizers"] == [HELD]
    kube.patch("batch/v1/jobs", "after", {"metadata": {"finalizers": None}})


def test_what_a_sync_waits_for_is_said_while_it_waits(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    hook = job(kube.namespace, "before", {HOOK: "PreSync"})
    hook["metadata"]["finalizers"] = [HELD]
    shared_plane.final(shared_plane.apply(app, hook))
    task = shared_plane.apply(app, hook)
    sentence = f"waiting for batch/Job {kube.namespace}/before to go: its finalizer {HELD} must be removed by the controller that set it"
    shared_plane.state(app, lambda state: state.message.startswith(sentence))
    assert task not in shared_plane.finals
    kube.patch("batch/v1/jobs", "before", {"metadata": {"finalizers": None}})
    assert shared_plane.final(task).outcome == "succeeded"
    kube.patch("batch/v1/jobs", "before", {"metadata": {"finalizers": None}})


def test_a_hook_that_still_runs_is_gone_before_it_runs_again(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    hook = job(kube.namespace, "before", {HOOK: "PreSync"})
    hook["spec"]["template"]["spec"]["nodeSelector"] = {f"example/{app}": "yes"}
    older = shared_plane.apply(app, hook)
    first = kube.until("batch/v1/jobs", "before", lambda one: one is not None and bool(one.get("status", {}).get("active")))
    assert first is not None
    uid = first["metadata"]["uid"]
    newer = shared_plane.apply(app, hook)
    going = kube.until("batch/v1/jobs", "before", lambda one: one is None or one["metadata"]["uid"] != uid or deleted(one))
    if going and going["metadata"]["uid"] == uid:
        assert "foregroundDeletion" in going["metadata"]["finalizers"]
    kube.collect("batch/v1/jobs", "before", uid)
    kube.until("batch/v1/jobs", "before", lambda one: one is not None and one["metadata"]["uid"] != uid)
    kube.label_a_node(f"example/{app}")
    assert [shared_plane.final(task).outcome for task in (older, newer)] == ["superseded", "succeeded"]


def test_a_terminated_sync_leaves_no_hook_running(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    hook = job(kube.namespace, "before", {HOOK: "PreSync"})
    hook["metadata"]["finalizers"] = [MIGRATED]
    hook["spec"]["template"]["spec"]["nodeSelector"] = {f"example/{app}": "yes"}
    task = shared_plane.apply(app, hook, config_map(kube.namespace, "web"))
    kube.until("batch/v1/jobs", "before", lambda one: one is not None and bool(one.get("status", {}).get("active")))
    shared_plane.terminate(task)
    freed = kube.until("batch/v1/jobs", "before", lambda one: one is None or (deleted(one) and MIGRATED not in finalizers(one)))
    assert freed is None or finalizers(freed) == ["foregroundDeletion"]
    assert kube.get("configmaps", "web") is None
    assert task not in shared_plane.finals


def test_a_quota_that_is_used_up_says_the_way_out(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    meta = {"name": "none", "namespace": kube.namespace}
    kube.create("resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"configmaps": "0"}}})
    kube.until("resourcequotas", "none", lambda one: one is not None and "hard" in one.get("status", {}))
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    assert ("exceeded quota" in final.message, "raise the ResourceQuota" in final.message) == (True, True)


def test_a_namespace_that_goes_says_so(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    going = f"{kube.namespace}-going"
    kube.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": going}})
    held = config_map(going, "held")
    held["metadata"]["finalizers"] = [HELD]
    inside = f"/api/v1/namespaces/{going}/configmaps"
    kube.create(inside, held)
    kube.delete("/api/v1/namespaces", going)
    final = shared_plane.final(shared_plane.apply(app, config_map(going, "web")))
    assert ("being terminated" in final.message, "wait until the namespace is gone" in final.message) == (True, True)
    kube.patch(inside, "held", {"metadata": {"finalizers": None}})


def test_an_unhealthy_wave_holds_the_next_back(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    stuck = deployment(kube.namespace, "stuck", wave="-1", node="example/nowhere")
    task = shared_plane.apply(app, stuck, config_map(kube.namespace, "later"))
    shared_plane.state(
        app, lambda _: any(one.key.name == "stuck" and one.health == "Progressing" for one in shared_plane.objects[app].values())
    )
    assert kube.get("configmaps", "later") is None
    assert task not in shared_plane.finals
    shared_plane.final(shared_plane.apply(app, deployment(kube.namespace, "stuck", wave="-1"), config_map(kube.namespace, "later")))
    assert shared_plane.final(task).outcome == "superseded"
    assert kube.get("configmaps", "later")


def test_an_immutable_field_is_refused_in_the_api_servers_words(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, job(kube.namespace, "once", {})))
    final = shared_plane.final(shared_plane.apply(app, job(kube.namespace, "once", {}, command="false"), config_map(kube.namespace, "web")))
    assert final.outcome == "failed"
    assert "field is immutable" in final.message
    assert "Force=true" in final.message
    assert results(final)["once"] == "SyncFailed"
    final = shared_plane.final(shared_plane.apply(app, job(kube.namespace, "once", {}, command="false"), force=True))
    assert final.outcome == "succeeded", final.message


def test_what_is_held_cannot_be_made_anew_and_says_by_whom(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    body = config_map(kube.namespace, "web", {"argocd.argoproj.io/sync-options": "Replace=true,Force=true"}, colour="blue")
    body["metadata"]["finalizers"] = [HELD]
    shared_plane.final(shared_plane.apply(app, body))
    body["data"] = {"colour": "green"}
    final = shared_plane.final(shared_plane.apply(app, body))
    kube.patch("configmaps", "web", {"metadata": {"finalizers": None}})
    assert final.outcome == "failed"
    assert f"still waits for ConfigMap {kube.namespace}/web to go: its finalizer {HELD} must be removed" in final.message
    assert shared_plane.final(shared_plane.apply(app, body)).outcome == "succeeded"
    kube.patch("configmaps", "web", {"metadata": {"finalizers": None}})


def test_a_webhook_that_is_down_is_named_and_its_return_mends_it(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    name = f"down-{kube.namespace}"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    hook = {
        "name": "down.x.example",
        "clientConfig": {"url": "https://127.0.0.1:9/"},  # discard: nothing listens there
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": kube.namespace}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 1,
    }
    meta = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}}
    kube.create(HOOKS, meta | {"webhooks": [hook]})
    try:
        final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
        while final.outcome == "succeeded":  # the API server learns of the webhook by watch
            kube.delete("configmaps", "web")
            final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    finally:
        kube.delete(HOOKS, name)
    assert 'failed calling webhook "down.x.example"' in final.message
    assert "see whether the webhook's server runs" in final.message


def test_an_unknown_field_is_refused_and_the_other_objects_go_on(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    wrong = deployment(kube.namespace, "wrong")
    wrong["spec"]["replicass"] = 2
    final = shared_plane.final(shared_plane.apply(app, wrong, config_map(kube.namespace, "web")))
    assert final.outcome == "failed"
    assert "replicass" in final.message
    assert results(final) == {"web": "Synced", "wrong": "SyncFailed"}


def test_an_unknown_kind_and_a_missing_namespace_say_the_way_out(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    ring = {"apiVersion": "nowhere.example/v1", "kind": "Ring", "metadata": {"name": "one", "namespace": kube.namespace}}
    final = shared_plane.final(shared_plane.apply(app, ring, config_map(f"{kube.namespace}-absent", "web")))
    messages = {one.key.name: one.message for one in final.results}
    assert "install its CustomResourceDefinition first" in messages["one"]
    assert "CreateNamespace=true" in messages["web"]


def test_the_namespace_is_created_when_asked_for_and_never_pruned(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    fresh = f"{kube.namespace}-fresh"
    assert shared_plane.final(shared_plane.apply(app, config_map(fresh, "web"), create_namespace=fresh)).outcome == "succeeded"
    assert shared_plane.final(shared_plane.remove(app, sync_options=BACKGROUND)).outcome == "succeeded"
    found = kube.there("/api/v1/namespaces", fresh)
    assert "deletionTimestamp" not in found["metadata"]
    kube.delete("/api/v1/namespaces", fresh)


def test_an_app_owns_what_it_wants_on_its_namespace_and_nothing_else(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    fresh, wanted = f"{kube.namespace}-fresh", {"team": "shop", "tier": "front"}
    web = config_map(fresh, "web")
    shared_plane.final(
        shared_plane.apply(app, web, create_namespace=fresh, namespace_labels=wanted, namespace_annotations={"owner": "ann"})
    )
    kube.patch("/api/v1/namespaces", fresh, {"metadata": {"labels": {"foreign": "yes"}}})
    other = shared_plane.apply(f"{app}-other", config_map(fresh, "api"), create_namespace=fresh, namespace_labels={"zone": "a"})
    assert shared_plane.final(other).outcome == "succeeded"
    again = shared_plane.apply(app, web, create_namespace=fresh, namespace_labels={"team": "store"})
    assert shared_plane.final(again).outcome == "succeeded"
    meta = kube.there("/api/v1/namespaces", fresh)["metadata"]
    found = {name: value for name, value in meta["labels"].items() if not name.startswith("kubernetes.io/")}
    assert (found, meta.get("annotations", {}).get("owner")) == ({"team": "store", "foreign": "yes", "zone": "a"}, None)
    assert shared_plane.final(shared_plane.apply(app, web, create_namespace=fresh)).outcome == "succeeded"
    labels = kube.there("/api/v1/namespaces", fresh)["metadata"]["labels"]
    assert {name for name in labels if not name.startswith("kubernetes.io/")} == {"foreign", "zone"}
    kube.delete("/api/v1/namespaces", fresh)


def test_a_plan_that_deletes_too_much_waits_for_approval(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    many = [config_map(kube.namespace, f"web-{index}") for index in range(4)]
    shared_plane.final(shared_plane.apply(app, *many, prune=True))
    final = shared_plane.final(shared_plane.apply(app, many[0], prune=True))
    assert final.outcome == "refused"
    assert final.needs_approval == ("it would delete 3 of the app's 4 objects, more than the 50 % of blastRadius.maxPercent",)
    assert kube.get("configmaps", "web-3")
    assert shared_plane.final(shared_plane.apply(app, many[0], prune=True, approved=True, sync_options=BACKGROUND)).outcome == "succeeded"
    assert kube.until("configmaps", "web-3", lambda one: one is None) is None


def test_nothing_is_done_when_one_object_is_outside_the_scope(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    scope = wire.Scope(namespaces=(kube.namespace,))
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "inside"), config_map("default", "outside"), scope=scope))
    assert final.outcome == "refused"
    assert final.message.startswith("ConfigMap default/outside is outside what tenant acme may use on this cluster")
    assert kube.get("configmaps", "inside") is None


def test_a_cluster_scoped_object_cannot_hide_behind_a_namespace(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": app, "namespace": kube.namespace},
        "rules": [],
    }
    final = shared_plane.final(shared_plane.apply(app, role, scope=wire.Scope(namespaces=(kube.namespace,))))
    assert (final.outcome, "is cluster-scoped and names a namespace" in final.message) == ("refused", True)


def test_an_older_generation_is_refused(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", version="new"), generation=7))
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", version="old"), generation=6))
    assert (final.outcome, final.fence) == ("superseded", 7)
    found = kube.there("configmaps", "web")
    assert found["data"] == {"version": "new"}


def test_an_object_of_another_app_is_not_taken(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", by="first")))
    final = shared_plane.final(shared_plane.apply(f"{app}-2", config_map(kube.namespace, "web", by="second")))
    assert (
        final.message
        == f"ConfigMap {kube.namespace}/web: ConfigMap {kube.namespace}/web belongs to app acme/shop/{app}; remove it there first, or here"
    )


def test_a_dry_run_changes_nothing(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), dry_run=True))
    assert results(final) == {"web": "Synced"}
    assert kube.get("configmaps", "web") is None


def test_removal_takes_everything_but_what_shall_stay(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    kept = config_map(kube.namespace, "kept", {"argocd.argoproj.io/sync-options": "Delete=false"})
    shared_plane.final(shared_plane.apply(app, kept, config_map(kube.namespace, "web")))
    assert results(shared_plane.final(shared_plane.remove(app, sync_options=BACKGROUND))) == {
        "kept": "PruneSkipped",
        "web": "Pruned",
    }
    assert shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), generation=2)).outcome == "superseded"
