"""What the agent does when the API server, the plane, another agent or a signal gets in its way."""

import pathlib
import time

import msgspec
import pytest

from plane.agent.kept import shelf
from plane.wire import agent as wire
from tests.agent.conftest import Agent, Start
from tests.agent.kube import Body, Kube, config_map, deployment
from tests.agent.plane_end import PlaneEnd
from tests.support import waiting
from tests.support.faultproxy import Drop, FaultProxy, Rule, Status

CONFIG_MAPS = r".*/configmaps/web-.*"


def many(kube: Kube, count: int = 12) -> list[Body]:
    return [config_map(kube.namespace, f"web-{index}", colour="blue") for index in range(count)]


def test_a_refusal_that_stays_is_the_objects_alone_and_the_next_wave_waits(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy
) -> None:
    fault_proxy.add(Rule(Status(422, message="a webhook says no"), method="PATCH", path=r".*/configmaps/web-1"))
    start(through=fault_proxy.kubeconfig)
    later = deployment(kube.namespace, "later", wave="1")
    final = plane.final(plane.apply(app, *many(kube, 3), later, sync_options=("DryRun=never",)))
    assert final.message == f"ConfigMap {kube.namespace}/web-1: a webhook says no"
    assert {one.key.name: one.result for one in final.results} == {"web-0": "Synced", "web-1": "SyncFailed", "web-2": "Synced"}
    assert kube.get("apps/v1/deployments", "later") is None


def test_a_kind_whose_aggregated_server_is_away_is_told_so(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy
) -> None:
    fault_proxy.add(Rule(Status(503, message="service unavailable"), path="/apis/metrics.example/v1"))
    start(through=fault_proxy.kubeconfig)
    gauge = {"apiVersion": "metrics.example/v1", "kind": "Gauge", "metadata": {"name": "one", "namespace": kube.namespace}}
    final = plane.final(plane.apply(app, gauge, config_map(kube.namespace, "web")))
    told = "it says of metrics.example/v1: service unavailable; see whether the server behind its APIService runs"
    assert ({one.key.name: one.result for one in final.results}, told in final.message) == ({"one": "SyncFailed", "web": "Synced"}, True)


def logged(agent: Agent, event: str) -> None:
    waiting.until(lambda: bool(agent.events(event)), lambda: agent.log()[-2000:])


def test_what_the_fence_cannot_note_is_not_begun(start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy) -> None:
    agent = start(through=fault_proxy.kubeconfig)
    plane.wait(lambda: plane.capabilities is not None, agent.log)
    rule = fault_proxy.add(Rule(Status(503), method="POST", path=f"/api/v1/namespaces/{kube.namespace}/configmaps"))
    task = plane.apply(app, config_map(kube.namespace, "web"))
    logged(agent, "tasks.missed")
    assert (task in plane.finals, kube.get("configmaps", "web")) == (False, None)
    fault_proxy.remove(rule)
    assert plane.final(task).outcome == "succeeded"


@pytest.mark.slow  # an agent gives its lease up after 12 s
def test_an_api_server_that_is_away_for_longer_than_a_lease_finds_its_agent_again(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, fault_proxy: FaultProxy
) -> None:
    agent = start(through=fault_proxy.kubeconfig)
    plane.final(plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True))
    rule = fault_proxy.add(Rule(Drop()))
    fault_proxy.break_watches()
    task = plane.apply(app, config_map(kube.namespace, "web", colour="green"), self_heal=True)
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    logged(agent, "lease.lost")
    fault_proxy.remove(rule)
    assert plane.final(task).outcome == "succeeded"
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    kube.until("configmaps", "web", lambda body: body is not None and body["data"]["colour"] == "green")


def test_a_revoked_agent_changes_nothing_any_more(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    agent = start()
    plane.final(plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True))
    plane.revoked = True
    plane.apply(app, config_map(kube.namespace, "web", colour="green"))  # wakes the long poll, which answers 401
    logged(agent, "agent.revoked")
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    plane.revoked = False
    assert kube.there("configmaps", "web")["data"]["colour"] == "red"


def test_a_revoked_agent_changes_nothing_after_a_restart_until_it_is_welcome(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    first = start()
    plane.final(plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True))
    plane.revoked = True
    plane.apply(app, config_map(kube.namespace, "web", colour="blue"), self_heal=True)  # wakes the long poll
    kube.until("secrets", "gitops-plane-agent", lambda body: body is not None and "revoked" in body["data"])
    first.kill()
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    asked = plane.calls["claim"]
    second = start()
    plane.wait(lambda: plane.calls["claim"] > asked + 1, second.log)
    assert second.events("agent.revoked")
    assert kube.there("configmaps", "web")["data"]["colour"] == "red"
    plane.revoked = False
    kube.until("configmaps", "web", lambda body: body is not None and body["data"]["colour"] == "blue")
    kube.until("secrets", "gitops-plane-agent", lambda body: body is not None and "revoked" not in body["data"])


def test_a_second_agent_waits_for_the_lease_and_takes_over_when_the_first_ends(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    first = start()
    plane.wait(lambda: plane.capabilities is not None, first.log)
    second = start(state="another")
    assert first.terminate() == 0
    final = plane.final(plane.apply(app, config_map(kube.namespace, "web")))
    assert final.outcome == "succeeded"
    assert len(second.events("agent.started")) == 1
    assert second.events("lease.acquired")


def test_a_stopped_agent_gives_its_tasks_back(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    agent = start()
    task = plane.apply(app, deployment(kube.namespace, "stuck", node="example/nowhere"), deployment(kube.namespace, "later", wave="1"))
    kube.until("apps/v1/deployments", "stuck", lambda body: body is not None)
    assert agent.terminate() == 0
    assert task not in plane.finals
    assert agent.events("agent.stopped")


def test_a_forged_task_is_refused(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    start()
    plane.forge = True
    final = plane.final(plane.apply(app, config_map(kube.namespace, "web")))
    assert (final.outcome, final.message) == (
        "refused",
        "the task's signature does not hold; it is not from this plane",
    )
    assert kube.get("configmaps", "web") is None


def test_a_task_for_another_cluster_and_an_expired_one_are_refused(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    start()
    other = plane.final(plane.apply(app, config_map(kube.namespace, "web"), cluster_id="0190-other"))
    late = plane.final(plane.apply(f"{app}-2", config_map(kube.namespace, "web"), expires=int(time.time()) - 3600))
    assert [one.outcome for one in (other, late)] == ["refused", "refused"]
    assert (other.message, late.message.partition(";")[0]) == ("the task is for another cluster", "the task has expired")
    assert kube.get("configmaps", "web") is None


def test_a_release_with_other_content_than_its_digest_is_refused(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    start()
    good, bad = plane.release(app, config_map(kube.namespace, "web")), plane.release(app, config_map(kube.namespace, "evil"))
    final = plane.final(plane.apply(app, release=wire.ReleaseBundle(digest=good.digest, body=bad.body)))
    assert "arrived with other content" in final.message
    assert kube.get("configmaps", "evil") is None


def test_a_used_join_token_ends_the_agent_with_the_planes_sentence(start: Start, plane: PlaneEnd) -> None:
    agent = start(token="stale")
    waiting.until(lambda: not agent.running(), agent.log)
    assert agent.log() == "plane agent: this join token is unknown, used or expired\n"


def test_a_lost_disk_is_told_and_made_good_by_an_observe(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, tmp_path: pathlib.Path
) -> None:
    first = start()
    body = config_map(kube.namespace, "web", colour="blue")
    plane.final(plane.apply(app, body, self_heal=True))
    first.kill()
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    start(state="fresh")
    plane.final(plane.observe(app, plane.release(app, body), self_heal=True))
    kube.until("configmaps", "web", lambda found: found is not None and found["data"]["colour"] == "blue")
    assert (tmp_path / "fresh" / "releases").stat().st_size > 0


def test_a_release_on_disk_of_another_agents_time_does_not_stop_the_start(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, tmp_path: pathlib.Path
) -> None:
    first = start()
    plane.final(plane.apply(app, config_map(kube.namespace, "web")))
    assert first.terminate() == 0
    kept = shelf.Shelf(tmp_path / "state")
    strange = plane.signed_payload(msgspec.msgpack.encode({"id": 5}), plane.release(app, config_map(kube.namespace, "web")))
    kept.keep({app: strange})
    kept.close()
    second = start()
    assert plane.final(plane.apply(app, config_map(kube.namespace, "other"))).outcome == "succeeded"
    assert [one["app"] for one in second.events("release.dropped")] == [app]


def test_a_release_that_rots_on_disk_is_dropped_and_the_watch_goes_on(
    start: Start, plane: PlaneEnd, kube: Kube, app: str, tmp_path: pathlib.Path
) -> None:
    agent = start()
    body = config_map(kube.namespace, "web", colour="blue")
    plane.final(plane.apply(app, body, self_heal=True))
    with (tmp_path / "state" / "releases").open("r+b") as file:
        file.seek(shelf.HEAD.size)
        file.write(b"\xc1" * 64)
    kube.patch("configmaps", "web", {"data": {"colour": "red"}})
    plane.final(plane.observe(app, plane.release(app, body), self_heal=True))
    kube.until("configmaps", "web", lambda found: found is not None and found["data"]["colour"] == "blue")
    assert not agent.events("watch.failed")


def test_a_manifest_that_cannot_be_ordered_fails_its_task_alone(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    start()
    wrong = config_map(kube.namespace, "web", {"argocd.argoproj.io/sync-wave": "soon"})
    final = plane.final(plane.apply(app, wrong))
    assert (final.outcome, "a wave is an integer" in final.message) == ("failed", True)
    assert plane.final(plane.apply(app, config_map(kube.namespace, "web"))).outcome == "succeeded"


def test_the_plane_is_reached_through_a_proxy_and_the_api_server_never(start: Start, plane: PlaneEnd, kube: Kube, app: str) -> None:
    nowhere = "http://127.0.0.1:9"  # discard: nothing listens there
    start(env={"PLANE_URL": "http://plane.example", "HTTP_PROXY": plane.url, "HTTPS_PROXY": nowhere, "NO_PROXY": ""})
    final = plane.final(plane.apply(app, config_map(kube.namespace, "web")))
    assert final.outcome == "succeeded", final.message
