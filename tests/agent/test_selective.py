"""Syncs that are told which objects, which strategy and which options, against a real API server."""

from plane.wire import agent as wire
from tests.agent.conftest import Agent
from tests.agent.kube import Kube, config_map, job
from tests.agent.plane_end import PlaneEnd

HOOK = "argocd.argoproj.io/hook"


def results(final: wire.Final) -> dict[str, str]:
    return {one.key.name: one.result for one in final.results}


def test_only_what_was_chosen_by_name_is_applied_and_no_hook_runs(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    bodies = (config_map(kube.namespace, "web"), config_map(kube.namespace, "api"), job(kube.namespace, "before", {HOOK: "PreSync"}))
    final = shared_plane.final(shared_plane.apply(app, *bodies, once=wire.Once(resources=(":ConfigMap:web",))))
    assert (final.outcome, results(final)) == ("succeeded", {"web": "Synced"})
    assert [kube.get("configmaps", "api"), kube.get("batch/v1/jobs", "before")] == [None, None]
    shared_plane.state(app, lambda state: state.sync == "OutOfSync")


def test_objects_are_chosen_by_label_and_the_rest_is_not_pruned(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "old")))
    web, api = config_map(kube.namespace, "web"), config_map(kube.namespace, "api")
    web["metadata"]["labels"] = {"tier": "front"}
    final = shared_plane.final(shared_plane.apply(app, web, api, prune=True, once=wire.Once(labels="tier=front")))
    assert results(final) == {"old": "PruneSkipped", "web": "Synced"}
    assert [one.message for one in final.results if one.key.name == "old"] == ["it is not among the objects chosen for this sync"]
    assert kube.get("configmaps", "old")


def test_a_choice_of_nothing_is_refused_with_the_way_out(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    once = wire.Once(resources=("apps:Deployment:web",))
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), once=once))
    sentence = "what was chosen matches none of the release's 1 objects; `plane app resources` names them"
    assert (final.outcome, final.message) == ("refused", sentence)
    assert kube.get("configmaps", "web") is None


def test_the_strategy_apply_leaves_hooks_out(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    bodies = (config_map(kube.namespace, "web"), job(kube.namespace, "before", {HOOK: "PreSync"}))
    final = shared_plane.final(shared_plane.apply(app, *bodies, once=wire.Once(strategy="apply")))
    assert (final.outcome, results(final)) == ("succeeded", {"web": "Synced"})
    assert kube.get("batch/v1/jobs", "before") is None


def test_options_of_one_sync_are_laid_over_the_apps(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    body = config_map(kube.namespace, "web", colour="blue")
    shared_plane.final(shared_plane.apply(app, body))
    kube.patch("configmaps", "web", {"data": {"foreign": "yes"}})
    body["data"]["colour"] = "green"
    once = wire.Once(sync_options=("Replace=true",))
    final = shared_plane.final(shared_plane.apply(app, body, sync_options=("Replace=false",), once=once))
    assert final.outcome == "succeeded", final.message
    assert kube.there("configmaps", "web")["data"] == {"colour": "green"}
