"""Sync options, as objects and apps say them, against a real API server."""

from typing import Any

from plane.wire import agent as wire
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Kube, config_map, deployment, job
from tests.agent.plane_end import PlaneEnd
from tests.support.faultproxy import FaultProxy

OPTIONS, SSA, DRY_RUN = "argocd.argoproj.io/sync-options", "gitops-plane.io/ssa", "gitops-plane.io/dry-run"


def results(final: wire.Final) -> dict[str, str]:
    return {one.key.name: one.result for one in final.results}


def broken(kube: Kube, wave: str) -> dict[str, Any]:
    body = deployment(kube.namespace, "wrong", wave=wave)
    body["spec"]["replicass"] = 2
    return body


def test_replace_takes_away_what_others_wrote(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    body = config_map(kube.namespace, "web", {OPTIONS: "Replace=true"}, colour="blue")
    assert results(shared_plane.final(shared_plane.apply(app, body))) == {"web": "Synced"}
    kube.patch("configmaps", "web", {"data": {"foreign": "yes"}})
    body["data"]["colour"] = "green"
    assert results(shared_plane.final(shared_plane.apply(app, body))) == {"web": "Synced"}
    assert kube.there("configmaps", "web")["data"] == {"colour": "green"}


def test_replace_with_force_makes_a_job_anew(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    marks = {OPTIONS: "Replace=true,Force=true"}
    shared_plane.final(shared_plane.apply(app, job(kube.namespace, "once", marks)))
    first = kube.there("batch/v1/jobs", "once")["metadata"]["uid"]
    final = shared_plane.final(shared_plane.apply(app, job(kube.namespace, "once", marks, command="false")))
    assert final.outcome == "succeeded", final.message
    assert kube.there("batch/v1/jobs", "once")["metadata"]["uid"] != first


def test_if_not_present_makes_once_and_never_changes(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    def body(colour: str) -> dict[str, Any]:
        return config_map(kube.namespace, "web", {SSA: "IfNotPresent"}, colour=colour)

    shared_plane.final(shared_plane.apply(app, body("blue"), self_heal=True))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    shared_plane.final(shared_plane.apply(app, body("green"), self_heal=True))
    shared_plane.state(app, lambda state: state.generation == 2 and state.sync == "Synced")
    assert kube.there("configmaps", "web")["data"] == {"colour": "red"}


def test_ignore_leaves_an_object_alone(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", {SSA: "Ignore"}), config_map(kube.namespace, "b")))
    assert results(final) == {"b": "Synced"}
    assert kube.get("configmaps", "web") is None
    shared_plane.state(app, lambda state: state.sync == "Synced" and state.health == "Healthy")


def test_merge_names_whose_field_it_would_take(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    kube.create("configmaps", config_map(kube.namespace, "web", colour="red"))
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", {SSA: "Merge"}, colour="blue")))
    assert (final.outcome, "with ssa: Merge others keep their fields" in final.message) == ("failed", True)
    assert kube.there("configmaps", "web")["data"] == {"colour": "red"}
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", {SSA: "Merge"}, size="s")))
    assert final.outcome == "succeeded"
    assert kube.there("configmaps", "web")["data"] == {"colour": "red", "size": "s"}


def test_merge_leaves_others_what_they_took_and_heals_the_rest(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    body = config_map(kube.namespace, "web", {SSA: "Merge"}, colour="blue", size="s")
    shared_plane.final(shared_plane.apply(app, body, self_heal=True))
    kube.patch("configmaps", "web?fieldManager=scaler", {"data": {"size": "xl"}})
    kube.patch("configmaps", "web?fieldManager=hand", {"data": {"colour": None}})
    kube.until("configmaps", "web", lambda now: now is not None and now["data"] == {"colour": "blue", "size": "xl"})
    shared_plane.wait(lambda: any(of == app for of, _ in shared_plane.healed), "the heal")
    assert {(one.fields, one.failed) for of, one in shared_plane.healed if of == app} == {(("/data/colour",), "")}
    shared_plane.state(app, lambda state: state.sync == "Synced")


def test_ignored_differences_are_not_overwritten_where_that_is_asked_for(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str
) -> None:
    told: dict[str, Any] = {
        "ignore": (wire.Ignore(group="", kind="ConfigMap", pointers=("/data/colour",)),),
        "sync_options": ("RespectIgnoreDifferences=true",),
    }
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue", size="s"), **told))
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web", colour="blue", size="xl"), **told))
    assert kube.there("configmaps", "web")["data"] == {"colour": "red", "size": "xl"}


def test_apply_out_of_sync_only_leaves_the_rest_out(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    words = ("ApplyOutOfSyncOnly=true",)
    first = config_map(kube.namespace, "first")
    shared_plane.final(shared_plane.apply(app, first, sync_options=words))
    final = shared_plane.final(shared_plane.apply(app, first, config_map(kube.namespace, "second"), sync_options=words))
    assert results(final) == {"second": "Synced"}


def test_a_shared_object_fails_the_whole_sync_where_that_is_asked_for(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web")))
    words = ("FailOnSharedResource=true",)
    task = shared_plane.apply(f"{app}-2", config_map(kube.namespace, "a"), config_map(kube.namespace, "web"), sync_options=words)
    final = shared_plane.final(task)
    assert (final.outcome, "FailOnSharedResource=true" in final.message) == ("refused", True)
    assert kube.get("configmaps", "a") is None


def test_what_needs_a_word_before_it_is_pruned_waits_for_it(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    old, new = config_map(kube.namespace, "old", {OPTIONS: "Prune=confirm"}), config_map(kube.namespace, "new")
    shared_plane.final(shared_plane.apply(app, old, new))
    final = shared_plane.final(shared_plane.apply(app, new, prune=True))
    assert (final.outcome, results(final)["old"], len(final.needs_approval)) == ("succeeded", "PruneSkipped", 1)
    final = shared_plane.final(shared_plane.apply(app, new, prune=True, approved=True))
    assert (results(final)["old"], final.needs_approval) == ("Pruned", ())


def test_an_app_whose_objects_may_not_be_pruned_keeps_them(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    old, new = config_map(kube.namespace, "old"), config_map(kube.namespace, "new")
    shared_plane.final(shared_plane.apply(app, old, new))
    final = shared_plane.final(shared_plane.apply(app, new, prune=True, sync_options=("Prune=false",)))
    assert results(final)["old"] == "PruneSkipped"


def test_a_plan_of_several_waves_is_tried_before_its_first_change(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "first"), broken(kube, "1")))
    assert (final.outcome, "replicass" in final.message, "before anything was changed" in final.message) == ("failed", True, True)
    assert kube.get("configmaps", "first") is None


def test_a_plan_that_shall_never_be_tried_is_begun(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    wrong = broken(kube, "1")
    wrong["metadata"]["annotations"][DRY_RUN] = "never"
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "first"), wrong))
    assert final.outcome == "failed"
    assert kube.get("configmaps", "first")


def test_a_settled_plan_of_several_waves_costs_no_request_per_object(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy
) -> None:
    start(through=fault_proxy.kubeconfig)
    wave = {"argocd.argoproj.io/sync-wave": "1"}
    bodies = [config_map(kube.namespace, "web-0"), config_map(kube.namespace, "web-1", wave)]
    plane.final(plane.apply(app, *bodies))
    before = fault_proxy.count(method="PATCH", path=r".*/configmaps/web-.*")
    final = plane.final(plane.apply(app, *bodies))
    assert (before, set(results(final).values())) == (4, {"Unchanged"})  # each tried, then applied
    assert fault_proxy.count(method="PATCH", path=r".*/configmaps/web-.*") == 4
