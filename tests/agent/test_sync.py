"""Apply and remove tasks against a real API server."""

import uuid

from plane.wire import agent as wire
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Kube, config_map, deployment, job
from tests.agent.plane_end import PlaneEnd
from tests.support import faultproxy

HOOK = "argocd.argoproj.io/hook"


def results(final: wire.Final) -> dict[str, str]:
    return {one.key.name: one.result for one in final.results}


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
    final = shared_plane.final(shared_plane.apply(app, new, prune=True))
    assert results(final) == {"old": "Pruned", "new": "Unchanged"}
    assert [kube.get("configmaps", name) is None for name in ("old", "new", "copied", "foreign")] == [True, False, False, False]


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


def test_a_definition_and_its_object_come_in_one_release(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    group = f"g{uuid.uuid4().hex[:8]}.example"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": group, "scope": "Namespaced", "names": {"plural": "rings", "kind": "Ring"}, "versions": [version]}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"rings.{group}"},
        "spec": spec,
    }
    ring = {"apiVersion": f"{group}/v1", "kind": "Ring", "metadata": {"name": "one", "namespace": kube.namespace}, "spec": {"to": "rule"}}
    final = shared_plane.final(shared_plane.apply(app, ring, crd))
    assert (final.outcome, final.message) == ("succeeded", "2 applied")
    final = shared_plane.final(shared_plane.remove(app))
    assert results(final) == {"one": "Pruned", f"rings.{group}": "PruneSkipped"}
    kube.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", f"rings.{group}")


def test_hooks_run_before_and_after_and_only_once(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    before = job(kube.namespace, "before", {HOOK: "PreSync"})
    after = job(kube.namespace, "after", {HOOK: "PostSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"})
    final = shared_plane.final(shared_plane.apply(app, after, config_map(kube.namespace, "web"), before))
    assert final.outcome == "succeeded", final.message
    assert results(final) == {"before": "HookSucceeded", "web": "Synced", "after": "HookSucceeded"}
    made = [kube.get("batch/v1/jobs", "before"), kube.get("configmaps", "web")]
    assert [one is not None for one in made] == [True, True]
    gone = kube.until(
        "batch/v1/jobs", "after", lambda one: one is None, within=120
    )  # a new definition makes the garbage collector start over
    assert gone is None
    assert [one.phase for one in shared_plane.progress if one.task == final.task] == ["PreSync", "Sync", "PostSync"]


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
    assert shared_plane.final(shared_plane.remove(app)).outcome == "succeeded"
    found = kube.there("/api/v1/namespaces", fresh)
    assert "deletionTimestamp" not in found["metadata"]
    kube.delete("/api/v1/namespaces", fresh)


def test_a_plan_that_deletes_too_much_waits_for_approval(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    many = [config_map(kube.namespace, f"web-{index}") for index in range(4)]
    shared_plane.final(shared_plane.apply(app, *many, prune=True))
    final = shared_plane.final(shared_plane.apply(app, many[0], prune=True))
    assert final.outcome == "refused"
    assert final.needs_approval == ("it would delete 3 of the app's 4 objects, more than the 50 % of blastRadius.maxPercent",)
    assert kube.get("configmaps", "web-3")
    assert shared_plane.final(shared_plane.apply(app, many[0], prune=True, approved=True)).outcome == "succeeded"
    assert kube.get("configmaps", "web-3") is None


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
    assert final.outcome == "superseded"
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
    assert results(shared_plane.final(shared_plane.remove(app))) == {"kept": "PruneSkipped", "web": "Pruned"}
    assert shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), generation=2)).outcome == "superseded"
