"""Deletions that an object or its app wants a person to agree to."""

import pytest

from tests.agent.conftest import Agent
from tests.agent.kube import Kube, config_map
from tests.agent.plane_end import PlaneEnd

BACKGROUND = "PrunePropagationPolicy=background"  # nothing is owned, so nothing needs it


@pytest.mark.parametrize("level", ["object", "app"])
def test_what_wants_confirmation_stays_until_a_person_agrees(
    agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, level: str
) -> None:
    guarded, new = config_map(kube.namespace, "guarded"), config_map(kube.namespace, "new")
    words = (BACKGROUND,) if level == "object" else (BACKGROUND, "Prune=confirm")
    if level == "object":
        guarded["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Prune=confirm"}
    shared_plane.final(shared_plane.apply(app, guarded, new, prune=True, sync_options=words))
    waits = shared_plane.final(shared_plane.apply(app, new, prune=True, sync_options=words))
    key = f"ConfigMap {kube.namespace}/guarded"
    option = "its sync option says Prune=confirm, and nobody has approved its deletion"
    assert (waits.outcome, waits.needs_approval) == ("succeeded", (f"{key} would be deleted: {option}",))
    assert kube.get("configmaps", "guarded")
    agreed = shared_plane.final(shared_plane.apply(app, new, prune=True, sync_options=words, approved=True))
    assert (agreed.outcome, agreed.needs_approval) == ("succeeded", ())
    assert kube.until("configmaps", "guarded", lambda one: one is None) is None


def test_an_option_that_cannot_be_read_is_said_and_nothing_is_done(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> None:
    final = shared_plane.final(shared_plane.apply(app, config_map(kube.namespace, "web"), sync_options=("Prune=maybe",)))
    assert final.outcome == "failed"
    assert final.message == "spec.syncPolicy.syncOptions[0]: says Prune=maybe; use Prune=true, Prune=false or Prune=confirm"
    assert kube.get("configmaps", "web") is None


@pytest.mark.parametrize("level", ["object", "app"])
def test_a_removal_deletes_nothing_until_a_person_agrees(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str, level: str) -> None:
    guarded, other = config_map(kube.namespace, "guarded"), config_map(kube.namespace, "other")
    words = (BACKGROUND,) if level == "object" else (BACKGROUND, "Delete=confirm")
    if level == "object":
        guarded["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Delete=confirm"}
    shared_plane.final(shared_plane.apply(app, guarded, other, sync_options=words))
    waits = shared_plane.final(shared_plane.remove(app, sync_options=words))
    option = "its sync option says Delete=confirm, and nobody has approved its deletion"
    wanted = ("guarded",) if level == "object" else ("guarded", "other")
    assert waits.outcome == "refused"
    assert set(waits.needs_approval) == {f"ConfigMap {kube.namespace}/{name} would be deleted: {option}" for name in wanted}
    assert [kube.there("configmaps", name)["metadata"].get("deletionTimestamp") for name in ("guarded", "other")] == [None, None]
    agreed = shared_plane.final(shared_plane.remove(app, sync_options=words, approved=True))
    assert (agreed.outcome, agreed.needs_approval) == ("succeeded", ())
    assert [kube.get("configmaps", name) for name in ("guarded", "other")] == [None, None]
