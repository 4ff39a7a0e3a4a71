"""Phases, the life of hooks, and the order in which things go, against a real API server."""

import pytest

from plane.wire import agent as wire
from tests.agent.conftest import Agent
from tests.agent.kube import Body, Kube, config_map, deployment, job
from tests.agent.plane_end import PlaneEnd

HOOK, HOOK_DELETE, WAVE = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy", "argocd.argoproj.io/sync-wave"
OPTIONS = "argocd.argoproj.io/sync-options"
HELD = "example/held"  # a finalizer that nobody but the test takes off
BACKGROUND = ("PrunePropagationPolicy=background",)  # nothing is owned, so nothing needs the shared cluster's garbage collector
CASCADES = {"foreground": ["foregroundDeletion"], "orphan": ["orphan"], "background": []}  # what the API server puts on the object


def results(final: wire.Final) -> dict[str, str]:
    return {one.key.name: one.result for one in final.results}


def hook(kube: Kube, name: str, phase: str, **marks: str) -> Body:
    return config_map(kube.namespace, name, {HOOK: phase, **marks})


def wrong(kube: Kube) -> Body:
    body = deployment(kube.namespace, "wrong")
    body["spec"]["replicass"] = 2
    return body


def held(body: Body) -> Body:
    body["metadata"]["finalizers"] = [HELD]
    return body


def free(kube: Kube, name: str) -> None:
    kube.patch("configmaps", name, {"metadata": {"finalizers": None}})


def is_deleted(body: Body | None) -> bool:
    return body is not None and "deletionTimestamp" in body["metadata"]


def test_a_failed_sync_runs_its_hooks_for_failure_and_none_that_follow_success(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str
) -> None:
    bodies = (hook(kube, "alarm", "SyncFail"), hook(kube, "after", "PostSync"), wrong(kube))
    final = shared_plane.final(shared_plane.apply(app, *bodies, sync_options=("DryRun=never",)))
    assert (final.outcome, results(final)) == ("failed", {"wrong": "SyncFailed", "alarm": "HookSucceeded"})
    assert [kube.get("configmaps", name) is not None for name in ("alarm", "after")] == [True, False]


def test_a_good_sync_runs_no_hook_for_failure(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    final = shared_plane.final(shared_plane.apply(app, hook(kube, "alarm", "SyncFail"), config_map(kube.namespace, "web")))
    assert (final.outcome, results(final)) == ("succeeded", {"web": "Synced"})


def test_a_hook_that_fails_ends_the_sync_and_goes_where_that_is_asked_for(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str
) -> None:
    failing = job(kube.namespace, "before", {HOOK: "PreSync", HOOK_DELETE: "HookFailed"})
    failing["spec"]["template"]["metadata"] = {"labels": {"gitops-plane.io/devcluster-fate": "fails"}}
    final = shared_plane.final(shared_plane.apply(app, failing, config_map(kube.namespace, "web")))
    assert (final.outcome, results(final)) == ("failed", {"before": "HookFailed"})
    assert kube.until("batch/v1/jobs", "before", lambda one: one is None or is_deleted(one)) is None
    assert kube.get("configmaps", "web") is None


def test_hooks_of_the_sync_itself_take_their_turn_among_its_waves(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    between = hook(kube, "between", "Sync", **{WAVE: "1"})
    last = config_map(kube.namespace, "last", {WAVE: "2"})
    with kube.config_maps_made() as made:
        final = shared_plane.final(shared_plane.apply(app, last, between, config_map(kube.namespace, "first")))
    assert (final.outcome, [name for name in made if "kube" not in name]) == ("succeeded", ["first", "between", "last"])


def test_helms_hooks_run_before_and_after(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    before = config_map(kube.namespace, "before", {"helm.sh/hook": "pre-install,pre-upgrade"})
    after = config_map(kube.namespace, "after", {"helm.sh/hook": "post-install", "helm.sh/hook-delete-policy": "hook-succeeded"})
    with kube.config_maps_made() as made:
        final = shared_plane.final(shared_plane.apply(app, after, config_map(kube.namespace, "web"), before))
    assert (final.outcome, [name for name in made if "kube" not in name]) == ("succeeded", ["before", "web", "after"])
    assert kube.until("configmaps", "after", lambda one: one is None) is None


def test_a_hook_with_a_generated_name_is_made_for_every_sync(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    generated = hook(kube, "", "PreSync")
    generated["metadata"] = {name: value for name, value in generated["metadata"].items() if name != "name"} | {"generateName": "run-"}
    with kube.config_maps_made() as made:
        for colour in ("blue", "green"):
            task = shared_plane.apply(app, generated, config_map(kube.namespace, "web", colour=colour))
            final = shared_plane.final(task)
            assert final.outcome == "succeeded", final.message
    names = [name for name in made if name.startswith("run-")]
    assert (len(names), len(set(names))) == (2, 2)


def test_what_is_to_be_skipped_is_not_applied(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    final = shared_plane.final(shared_plane.apply(app, hook(kube, "skipped", "Skip"), config_map(kube.namespace, "web")))
    assert results(final) == {"web": "Synced"}
    assert kube.get("configmaps", "skipped") is None


def test_what_came_last_is_pruned_first(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    zero, one = config_map(kube.namespace, "zero"), held(config_map(kube.namespace, "one", {WAVE: "1"}))
    kept = [config_map(kube.namespace, f"web-{n}") for n in range(3)]
    shared_plane.final(shared_plane.apply(app, zero, one, *kept))
    task = shared_plane.apply(app, *kept, prune=True, sync_options=BACKGROUND)
    kube.until("configmaps", "one", is_deleted)
    assert not is_deleted(kube.there("configmaps", "zero"))
    free(kube, "one")
    assert shared_plane.final(task).outcome == "succeeded"
    assert kube.until("configmaps", "zero", lambda body: body is None) is None


def test_what_is_pruned_last_waits_for_all_that_is_new(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    old, web = config_map(kube.namespace, "old"), config_map(kube.namespace, "web")
    shared_plane.final(shared_plane.apply(app, old, web))
    stuck = deployment(kube.namespace, "stuck", node=f"example/{app}")
    task = shared_plane.apply(app, web, stuck, prune=True, sync_options=(*BACKGROUND, "PruneLast=true"))
    kube.until("apps/v1/deployments", "stuck", lambda one: one is not None)
    assert not is_deleted(kube.there("configmaps", "old"))
    kube.label_a_node(f"example/{app}")
    assert shared_plane.final(task).outcome == "succeeded"
    assert kube.until("configmaps", "old", lambda body: body is None) is None


@pytest.mark.parametrize("policy", ["foreground", "orphan", "background"])
def test_a_removal_cascades_as_the_app_says(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, policy: str
) -> None:  # fmt: skip
    shared_plane.final(shared_plane.apply(app, held(config_map(kube.namespace, "kept"))))
    before = kube.there("configmaps", "kept")
    task = shared_plane.remove(app, sync_options=(f"PrunePropagationPolicy={policy}",))
    first = kube.until("configmaps", "kept", is_deleted, since=before)  # the garbage collector soon takes its finalizer off
    assert first is not None
    assert set(first["metadata"]["finalizers"]) == {HELD, *CASCADES[policy]}
    kube.collect("configmaps", "kept", first["metadata"]["uid"])
    assert shared_plane.final(task).outcome == "succeeded"


def test_hooks_run_before_and_after_a_removal_and_nothing_is_left(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    before, after = hook(kube, "before", "PreDelete"), hook(kube, "after", "PostDelete")
    shared_plane.final(shared_plane.apply(app, before, after, config_map(kube.namespace, "web")))
    assert [kube.get("configmaps", name) for name in ("before", "after")] == [None, None]
    with kube.config_maps_made() as made:
        final = shared_plane.final(shared_plane.remove(app, sync_options=BACKGROUND))
    assert (final.outcome, final.message) == ("succeeded", final.message)
    assert [name for name in made if name in {"before", "after"}] == ["before", "after"]
    assert results(final) == {"before": "HookSucceeded", "web": "Pruned", "after": "HookSucceeded"}


def test_a_removal_whose_first_hook_fails_deletes_nothing(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    failing = job(kube.namespace, "before", {HOOK: "PreDelete"})
    failing["spec"]["template"]["metadata"] = {"labels": {"gitops-plane.io/devcluster-fate": "fails"}}
    shared_plane.final(shared_plane.apply(app, failing, config_map(kube.namespace, "web")))
    final = shared_plane.final(shared_plane.remove(app, sync_options=BACKGROUND))
    assert (final.outcome, results(final)) == ("failed", {"before": "HookFailed"})
    assert not is_deleted(kube.there("configmaps", "web"))


def test_a_field_that_no_schema_has_passes_where_nobody_shall_look(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    body = wrong(kube)
    body["metadata"]["annotations"][OPTIONS] = "Validate=false,Replace=true"
    final = shared_plane.final(shared_plane.apply(app, body))
    assert (final.outcome, results(final)) == ("succeeded", {"wrong": "Synced"})
