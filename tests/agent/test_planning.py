"""What a sync would do, answered by an agent and done by nobody."""

from typing import Any

import msgspec

from plane.agent.answering import planned
from plane.wire import agent as wire
from tests.agent.conftest import Agent
from tests.agent.kube import Kube, config_map, job
from tests.agent.plane_end import PlaneEnd

HOOK, OPTIONS = "argocd.argoproj.io/hook", "argocd.argoproj.io/sync-options"


def told(final: wire.Final) -> dict[str, Any]:
    assert final.outcome == "succeeded", final.message
    found: dict[str, Any] = msgspec.json.decode(final.live)
    return found


def lines(found: dict[str, Any]) -> list[str]:
    return [
        " ".join([phase["phase"], step["action"], step["name"], step.get("reason", "")]).strip()
        for phase in found["phases"]
        for wave in phase["waves"]
        for step in wave["steps"]
    ]


def test_a_plan_says_what_a_sync_would_do_and_does_nothing(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    same, old = config_map(kube.namespace, "same"), config_map(kube.namespace, "old", {OPTIONS: "Prune=confirm"})
    shared_plane.final(shared_plane.apply(app, same, old))
    bodies = (job(kube.namespace, "before", {HOOK: "PreSync"}), same, config_map(kube.namespace, "new", {OPTIONS: "Prun=false"}))
    found = told(shared_plane.final(shared_plane.plan(app, *bodies, prune=True)))
    unconfirmed = "its sync option says Prune=confirm, and nobody has approved its deletion"
    assert lines(found) == [
        "PreSync hook before",
        f"Sync keep old {unconfirmed}",
        "Sync apply new",
        f"Sync apply same {planned.UNCHANGED}",
    ]
    assert found["needs_approval"] == [f"ConfigMap {kube.namespace}/old would be deleted: {unconfirmed}"]
    assert [line.endswith("did you mean Prune?") for line in found["warnings"]] == [True]
    assert [kube.get("configmaps", "new"), kube.get("batch/v1/jobs", "before")] == [None, None]
    again = shared_plane.final(shared_plane.apply(app, same, old))
    assert {one.result for one in again.results} == {"Unchanged"}


def test_a_plan_shows_the_namespace_that_would_be_made_first(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    fresh = f"{kube.namespace}-fresh"
    found = told(shared_plane.final(shared_plane.plan(app, config_map(fresh, "web"), create_namespace=fresh)))
    assert lines(found) == [f"PreSync apply {fresh} CreateNamespace=true", "Sync apply web"]
    assert kube.get("/api/v1/namespaces", fresh) is None


def test_a_plan_of_chosen_objects_that_are_none_is_refused(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    asked = shared_plane.plan(app, config_map(kube.namespace, "web"), once=wire.Once(labels="tier=front"))
    final = shared_plane.final(asked)
    assert (final.outcome, final.message.startswith("what was chosen matches none")) == ("refused", True)


def planned_then(plane: PlaneEnd, app: str, *bodies: dict[str, Any], **given: Any) -> wire.Once:  # noqa: ANN401 - fields of Options
    return wire.Once(plan=told(plane.final(plane.plan(app, *bodies, **given)))["digest"])


def test_a_sync_of_a_plan_does_what_it_says_or_nothing(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    same, other = config_map(kube.namespace, "same"), config_map(kube.namespace, "other", key="git")
    shared_plane.final(shared_plane.apply(app, same, other))
    bodies = (config_map(kube.namespace, "same", key="new"), other, job(kube.namespace, "before", {HOOK: "PreSync"}))
    once = planned_then(shared_plane, app, *bodies)
    kube.patch("configmaps", "other", {"data": {"key": "somebody's"}})
    shared_plane.state(app, lambda state: state.sync == "OutOfSync")
    refused = shared_plane.final(shared_plane.apply(app, *bodies, once=once))
    assert (refused.outcome, refused.message.startswith("Git or the cluster moved since the plan was kept")) == ("refused", True)
    assert kube.get("batch/v1/jobs", "before") is None
    done = shared_plane.final(shared_plane.apply(app, *bodies, once=planned_then(shared_plane, app, *bodies)))
    assert done.outcome == "succeeded", done.message
    moved = shared_plane.final(shared_plane.apply(app, same, other, once=planned_then(shared_plane, app, *bodies)))
    assert (moved.outcome, moved.message) == ("refused", refused.message)
