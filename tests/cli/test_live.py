"""What is in the cluster, as a person reads it: a test speaks as the agent and gives the answers."""

import contextlib
import json
import threading
from collections.abc import Iterator

import msgspec
import pytest

from plane.cli import client, failures
from plane.cli.running import live, logs
from plane.run.devgit import DevGit
from plane.server.asking import pieces
from plane.server.attending import intake
from plane.wire import agent, answers, questions, views
from tests.cli import conftest
from tests.support import planes

TURN_S = 0.05
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "data": {"key": "••••"}}


def node(kind: str, name: str, uid: str, *parents: str, **more: object) -> views.Node:
    return views.Node(group="", kind=kind, namespace="shop", name=name, uid=uid, parents=parents, **more)  # type: ignore[arg-type] # fields


TREE = views.Tree(
    nodes=(
        node("Deployment", "web", "d", sync="Synced", health="Healthy"),
        node("Service", "web", "s"),
        node("ReplicaSet", "web-1", "r", "d"),
        node("Pod", "web-1-a", "p", "r", health="Degraded", ready="0/1", restarts=3, message="it crashes\x1b[2J"),
    ),
    edges=(views.Edge(source="s", target="p"),),
    warnings=("secrets in shop could not be listed",),
)
TOLD = views.KubeEvent(
    type="Warning", reason="BackOff", message="restarting", group="", kind="Pod", namespace="shop", name="web-1-a", count=3,
    first="2030-01-01T00:00:00Z", last="2030-01-01T00:00:00Z",
)  # fmt: skip
PIECES = (
    views.LogPiece(sources=tuple(views.LogSource(namespace="shop", pod=pod, container="main") for pod in ("web-1-a", "web-1-b"))),
    views.LogPiece(runs=(views.LogRun(source=0, lines=("one", "two\x1b[2J")), views.LogRun(source=1, lines=("three",)))),
)
ANSWERS: dict[str, answers.Answer] = {
    "manifests": answers.Manifests(live=views.Live(items=(SECRET,))),
    "tree": answers.Tree(tree=TREE),
    "events": answers.Events(events=views.KubeEvents(items=(TOLD,))),
    "logs": answers.Logs(warnings=("there are 3 Pods; the logs of the 2 newest are shown",)),
}


@contextlib.contextmanager
def answering(fleet: planes.Fleet, asked: list[agent.Task] | None = None) -> Iterator[None]:
    """An agent that knows the answers; `asked` keeps the questions."""
    over = threading.Event()

    def turn() -> None:
        while not over.wait(TURN_S):
            for task, _ in fleet.claim():
                if asked is not None:
                    asked.append(task)
                for number, piece in enumerate(PIECES if task.query == "logs" else ()):
                    pieces.take(fleet.plane, fleet.identity, agent.Piece(task=task.id, number=number, body=msgspec.json.encode(piece)))
                final = agent.Final(
                    task=task.id, app_id=task.app_id, generation=task.generation, outcome="succeeded", started=1, finished=2,
                    live=answers.encode(ANSWERS[task.query]),
                )  # fmt: skip
                intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def web(shop: planes.Fleet, devgit: DevGit) -> planes.Fleet:
    """An app that nothing was ever synced of."""
    shop.app("web", shop.repository(devgit, "live"), devgit.url_of("live"))
    return shop


def test_a_live_object_is_yaml_or_json(web: planes.Fleet, run: conftest.Run) -> None:
    asked: list[agent.Task] = []
    with answering(web, asked):
        assert "key: ••••" in run("app", "live", "web", "core/Secret/web", "-n", "shop").output
        assert json.loads(run("app", "live", "web", "secret/web", "-o", "json").output) == SECRET
        assert json.loads(run("app", "live", "web", "-o", "json").output) == {"items": [SECRET]}
    subjects = [msgspec.msgpack.decode(task.terms or b"\x80", type=questions.Subject) for task in asked]
    assert subjects[0] == questions.Subject(kind="Secret", name="web", group="core", namespace="shop")
    assert subjects[2] == questions.Subject()


def test_a_tree_is_drawn_with_what_flows_and_what_is_missing(web: planes.Fleet, run: conftest.Run) -> None:
    with answering(web):
        shown = run("app", "tree", "web")
        told = json.loads(run("app", "tree", "web", "-o", "json").stdout)
    lines = shown.stdout.splitlines()
    assert [line.strip(" │├└─") for line in lines] == [
        "app/web",
        "Deployment web  Healthy  Synced",
        "ReplicaSet web-1",
        "Pod web-1-a  Degraded  0/1  3 restarts  it crashes\\x1b[2J",
        "Service web",
        "Service web → Pod web-1-a",
    ]
    assert [line.index(line.strip(" │├└─")) for line in lines[:4]] == [0, 4, 8, 12]
    assert shown.stderr == "Warning: secrets in shop could not be listed\n"
    assert told["nodes"][3]["restarts"] == 3


def test_events_are_a_table(web: planes.Fleet, run: conftest.Run) -> None:
    with answering(web):
        lines = [line.split()[1:] for line in run("app", "events", "web", "Pod/web-1-a").output.splitlines()]
    assert lines == [
        ["TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"],
        ["Warning", "BackOff", "Pod/shop/web-1-a", "3", "restarting"],
    ]


def test_logs_of_several_pods_say_whose_they_are(web: planes.Fleet, run: conftest.Run) -> None:
    asked: list[agent.Task] = []
    words = ("--since", "1h30m", "--tail", "0", "--filter", "!x", "-f", "--all-containers", "--timestamps", "--max-pods", "2")
    with answering(web, asked):
        shown = run("app", "logs", "web", "Deployment/web", *words)
        bare = run("app", "logs", "web", "--no-prefix")
    assert shown.stdout.splitlines() == ["[pod/web-1-a/main] one", "[pod/web-1-a/main] two\\x1b[2J", "[pod/web-1-b/main] three"]
    assert bare.stdout.splitlines() == ["one", "two\\x1b[2J", "three"]
    assert shown.stderr == "Warning: there are 3 Pods; the logs of the 2 newest are shown\n"
    assert msgspec.msgpack.decode(asked[0].terms, type=questions.Logs) == questions.Logs(
        kind="Deployment", name="web", since_s=5400, tail=0, filter="!x", follow=True, all_containers=True, timestamps=True, max_pods=2
    )


@pytest.mark.parametrize("words", [("app", "live", "web", "web"), ("app", "logs", "web", "--since", "1h", "--since-time", "2030-01-01")])
def test_what_makes_no_sense_asks_nobody(web: planes.Fleet, run: conftest.Run, words: tuple[str, ...]) -> None:
    run(*words, code=2)
    assert web.row("SELECT count(*) FROM tasks")[0] == 0


def test_a_log_that_breaks_off_is_no_end(web: planes.Fleet) -> None:
    with pytest.raises(failures.Away):
        list(logs.lines([], prefix=None))
    with pytest.raises(failures.Failed, match="ask again"):
        list(logs.lines([client.Event("gone", {"detail": "ask again"})], prefix=None))


def test_a_source_that_reaches_many_is_one_line() -> None:
    nodes = [{"uid": uid, "kind": "Service" if uid == "s" else "Pod", "name": uid} for uid in "sab"]
    assert list(live.traffic({"nodes": nodes, "edges": [{"source": "s", "target": one} for one in "ab"]})) == ["Service s → Pod a, b"]
