"""Logs of Pods below an app: merged by time, chosen by text, and streamed for as long as somebody listens."""

import asyncio
import contextlib
import pathlib

import msgspec
import pytest

from plane.adapters import link
from plane.agent.answering import streams
from plane.run.devcluster import clusters
from plane.wire import agent as wire
from plane.wire import answers, questions, views
from tests.agent.conftest import Agent
from tests.agent.kube import Body, Kube, config_map, deployment
from tests.agent.plane_end import PlaneEnd

# What plane/run/devcluster/container-log.txt holds.
SAID = ["starting", "listening on :8080", "cannot reach the database, trying again", "reached the database", "ready"]


def two_containers(namespace: str) -> Body:
    body = deployment(namespace, "web")
    body["spec"]["replicas"] = 2
    body["spec"]["template"]["spec"]["containers"].append({"name": "growing", "image": "registry.example/side:1"})
    return body


@pytest.fixture
def running(agent: Agent, shared_plane: PlaneEnd, kube: Kube, app: str) -> str:
    """An app with two Pods of two containers."""
    shared_plane.final(shared_plane.apply(app, two_containers(kube.namespace), config_map(kube.namespace, "settings")))
    kube.until("apps/v1/deployments", "web", lambda body: bool(body and body["status"].get("availableReplicas") == 2))
    return app


def pieces(plane: PlaneEnd, task: str) -> list[views.LogPiece]:
    return [msgspec.json.decode(body, type=views.LogPiece) for body in list(plane.pieces.get(task, ())) if body]


def told(plane: PlaneEnd, app: str, wanted: questions.Logs) -> tuple[tuple[views.LogSource, ...], list[tuple[int, str]], tuple[str, ...]]:
    """Containers, (container, line) in order, and warnings."""
    task = plane.ask(app, "logs", terms=wanted)
    final = plane.final(task)
    assert final.outcome == "succeeded", final.message
    found = pieces(plane, task)
    lines = [(run.source, line) for piece in found for run in piece.runs for line in run.lines]
    return found[0].sources, lines, msgspec.json.decode(final.live, type=answers.Logs).warnings


def test_lines_of_all_pods_come_merged_by_time(shared_plane: PlaneEnd, running: str) -> None:
    sources, lines, warnings = told(shared_plane, running, questions.Logs(kind="Deployment", name="web"))
    assert [one.container for one in sources] == ["main", "main"]
    assert [line for _, line in lines] == [line for line in SAID for _ in sources]
    assert {number for number, _ in lines} == {0, 1}
    assert warnings == ()


def test_lines_are_chosen_by_count_time_and_text(shared_plane: PlaneEnd, running: str) -> None:
    one = questions.Logs(max_pods=1)
    for change, expected in (
        ({"tail": 2}, SAID[-2:]),
        ({"filter": "database"}, SAID[2:4]),
        ({"filter": "!database"}, [SAID[0], SAID[1], SAID[4]]),
        ({"tail": 2, "filter": "database"}, [SAID[3]]),
        ({"since_time": "2026-01-01T00:00:04Z"}, SAID[3:]),
        ({"since_s": 300}, []),
        ({"previous": True}, SAID),
        ({"tail": 1, "timestamps": True}, [f"2026-01-01T00:00:05.000000000Z {SAID[4]}"]),
    ):
        _, lines, warnings = told(shared_plane, running, msgspec.structs.replace(one, **change))
        assert ([line for _, line in lines], warnings) == (expected, ("there are 2 Pods; the logs of the 1 newest are shown",)), change


def test_containers_are_chosen(shared_plane: PlaneEnd, running: str) -> None:
    sources, _, _ = told(shared_plane, running, questions.Logs(all_containers=True))
    assert [one.container for one in sources] == ["main", "growing", "main", "growing"]
    final = shared_plane.final(shared_plane.ask(running, "logs", terms=questions.Logs(container="other")))
    assert (final.outcome, final.message) == ("refused", "no Pod has a container 'other'; there are growing, main")


def test_an_object_without_pods_has_no_logs(shared_plane: PlaneEnd, running: str) -> None:
    final = shared_plane.final(shared_plane.ask(running, "logs", terms=questions.Logs(kind="configmap", name="settings")))
    assert msgspec.json.decode(final.live, type=answers.Absent).sentence.startswith("there is no Pod")


def grow(cluster: clusters.DevCluster, text: str) -> None:
    with pathlib.Path(cluster.folder, "growing-log.txt").open("a") as file:
        file.write(f"2026-01-01T00:01:00.000000000Z stdout F {text}\n")


def test_a_followed_log_ends_when_nobody_listens(shared_plane: PlaneEnd, cluster: clusters.DevCluster, running: str) -> None:
    wanted = questions.Logs(container="growing", follow=True, max_pods=1)
    task = shared_plane.ask(running, "logs", terms=wanted)

    def heard(line: str) -> bool:
        return any(line in run.lines for piece in pieces(shared_plane, task) for run in piece.runs)

    shared_plane.wait(lambda: heard("starting"), "the first line")
    grow(cluster, f"more for {running}")
    shared_plane.wait(lambda: heard(f"more for {running}"), "the line that was appended")
    assert task in shared_plane.unfinished()
    shared_plane.unheard.add(task)
    grow(cluster, f"the last for {running}")
    assert "nobody listens" in shared_plane.final(task).message


def test_a_tenant_reads_so_many_logs_at_once_and_no_more() -> None:
    asyncio.run(_crowded())


async def _crowded() -> None:
    task = wire.Task(
        id="t", kind="query", cluster_id="c", app_id="a", tenant="acme", project="shop", app="web", generation=1, expires=0, query="logs"
    )
    other = msgspec.structs.replace(task, tenant="globex")
    plane = link.connect("https://plane.example", claim_wait_s=1)
    room = streams.Streams(plane)
    with room.open(task, connections=streams.MOST_OF_TENANT - 1):
        with pytest.raises(streams.Busy, match="end a stream"), room.open(task, connections=2):
            pytest.fail("there was no room")
        with room.open(other, connections=streams.MOST_OF_TENANT):
            pass
    with room.open(task, connections=streams.MOST_OF_TENANT):
        pass
    with contextlib.ExitStack() as several:
        for _ in range(streams.STREAMS_OF_TENANT):
            several.enter_context(room.open(task, connections=1))
        with pytest.raises(streams.Busy):
            several.enter_context(room.open(task, connections=1))
    await plane.close()
