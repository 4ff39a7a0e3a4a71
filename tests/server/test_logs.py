"""Pieces of logs between an agent and a listener: read once, in order, and no longer than somebody reads."""

import datetime as dt

import msgspec
import pytest
import sqlalchemy as sa

from plane.domain import access, errors
from plane.run.devgit import DevGit
from plane.server import authorise
from plane.server.asking import logs, pieces, questions
from plane.server.asking import views as live
from plane.server.attending import intake
from plane.server.delivering import sweep
from plane.wire import agent, answers, views
from tests.support import planes

NAMES = authorise.Names("acme", "shop", "web")


@pytest.fixture
def app(fleet: planes.Fleet, devgit: DevGit) -> str:
    """An app on the fleet's cluster; nothing of it was ever synced."""
    return fleet.app("web", fleet.repository(devgit, "logs"), devgit.url_of("logs"))


def caller(fleet: planes.Fleet, role: str = "editor") -> authorise.Caller:
    grant = access.Grant(role, fleet.tenant, fleet.project)
    return authorise.Caller(access.Actor(id=fleet.plane.clock.id(), name="ann", grants=(grant,)))


def asked(fleet: planes.Fleet) -> questions.Asked:
    """A question that the agent has claimed."""
    made = logs.ask(fleet.plane, caller(fleet), NAMES, views.LogsQuery(follow=True))
    assert [task.query for task, _ in fleet.claim()] == ["logs"]
    return made


def hear(fleet: planes.Fleet, question: questions.Asked) -> logs.Heard:
    return logs.hear(fleet.plane, caller(fleet), NAMES, question)


def send(fleet: planes.Fleet, question: questions.Asked, number: int, body: bytes = b"{}") -> tuple[bool, bool]:
    """Whether somebody listens, and whether there is room."""
    heard, room = pieces.take(fleet.plane, fleet.identity, agent.Piece(task=question.task, number=number, body=body))
    return heard.listening, room


def kept(fleet: planes.Fleet) -> int:
    return int(fleet.row("SELECT count(*) FROM pieces")[0])


def later(fleet: planes.Fleet, seconds: float) -> None:
    fleet.plane.clock.ahead += dt.timedelta(seconds=seconds)  # type: ignore[attr-defined]  # the fixture's clock


def end(fleet: planes.Fleet, question: questions.Asked) -> None:
    """The agent's last word."""
    live = answers.encode(answers.Logs(warnings=("that was all",)))
    final = agent.Final(task=question.task, app_id=question.app, generation=0, outcome="succeeded", started=1, finished=2, live=live)
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))


def test_pieces_are_read_once_in_order_and_before_the_last_word(fleet: planes.Fleet, app: str) -> None:
    question = asked(fleet)
    assert send(fleet, question, 0, b"{}") == (True, True)
    assert send(fleet, question, 1, b"[]") == (True, True)
    assert hear(fleet, question) == logs.Heard(((0, b"{}"), (1, b"[]")), None)
    assert hear(fleet, question) == logs.Heard((), None)
    send(fleet, question, 2, b"")
    end(fleet, question)
    assert hear(fleet, question) == logs.Heard(((2, b""),), answers.Logs(warnings=("that was all",)))
    assert kept(fleet) == 0


def test_a_piece_that_comes_twice_is_kept_once(fleet: planes.Fleet, app: str) -> None:
    question = asked(fleet)
    send(fleet, question, 0, b"first")
    send(fleet, question, 0, b"again")
    assert hear(fleet, question).pieces == ((0, b"first"),)


def test_a_slow_reader_leaves_no_room_until_he_reads(fleet: planes.Fleet, app: str) -> None:
    question = asked(fleet)
    assert send(fleet, question, 0, b"x" * pieces.ROOM_BYTES) == (True, True)
    assert send(fleet, question, 1, b"x") == (True, False)
    hear(fleet, question)
    assert send(fleet, question, 2, b"x") == (True, True)


def test_a_stream_that_nobody_reads_ends_and_leaves_nothing(fleet: planes.Fleet, app: str) -> None:
    question = asked(fleet)
    send(fleet, question, 0)
    later(fleet, pieces.UNREAD.total_seconds() - 1)
    assert send(fleet, question, 1) == (True, True)
    later(fleet, 2)
    assert send(fleet, question, 2) == (False, True)
    assert (kept(fleet), fleet.row("SELECT state FROM tasks").state) == (0, "done")


def test_a_listener_who_leaves_ends_the_stream(fleet: planes.Fleet, app: str) -> None:
    question = asked(fleet)
    send(fleet, question, 0)
    logs.leave(fleet.plane, caller(fleet), NAMES, question)
    assert (kept(fleet), send(fleet, question, 1)) == (0, (False, True))
    assert kept(fleet) == 0


def test_only_the_agent_that_was_asked_is_listened_to(fleet: planes.Fleet, app: str) -> None:
    question = asked(fleet)
    stranger = msgspec.structs.replace(fleet.identity, id=fleet.plane.clock.id())
    piece = agent.Piece(task=question.task, number=0, body=b"{}")
    assert not pieces.take(fleet.plane, stranger, piece)[0].listening
    elsewhere = msgspec.structs.replace(fleet.identity, cluster_id=fleet.plane.clock.id())
    assert not pieces.take(fleet.plane, elsewhere, piece)[0].listening
    with pytest.raises(errors.Invalid):
        send(fleet, question, 0, b"x" * (pieces.MOST_BYTES + 1))
    assert kept(fleet) == 0


def test_pieces_that_were_left_behind_are_swept(fleet: planes.Fleet, app: str) -> None:
    question = asked(fleet)
    send(fleet, question, 0)
    later(fleet, sweep.UNHEARD.total_seconds() + 1)
    sweep.sweep(fleet.plane)
    assert kept(fleet) == 0


def test_a_viewer_is_refused_and_a_reader_is_recorded(fleet: planes.Fleet, app: str) -> None:
    with pytest.raises(errors.Forbidden):
        logs.ask(fleet.plane, caller(fleet, "viewer"), NAMES, views.LogsQuery())
    logs.ask(fleet.plane, caller(fleet), NAMES, views.LogsQuery(kind="Deployment", name="web", container="main", filter="a-secret-word"))
    with fleet.owner.begin() as tx:
        bodies = [str(row[0]) for row in tx.execute(sa.text("SELECT body FROM audit_events ORDER BY type"))]
    assert ["access.denied" in bodies[0], "app.logs.read" in bodies[1], "a-secret-word" in "".join(bodies)] == [True, True, False]


def test_an_agent_that_is_too_old_for_logs_is_named(fleet: planes.Fleet, app: str) -> None:
    question = asked(fleet)
    final = agent.Final(
        task=question.task, app_id=question.app, generation=0, outcome="succeeded", started=1, finished=2, live=b'{"objects":[]}'
    )
    intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))
    with pytest.raises(errors.Conflict, match="does not know the question 'logs'; upgrade it"):
        hear(fleet, question)


def test_an_answer_is_gone_when_it_was_read_or_when_nobody_came_for_it(fleet: planes.Fleet, app: str) -> None:
    tree = answers.encode(answers.Tree(tree=views.Tree(nodes=())))
    for read in (True, False):
        question = live.ask_tree(fleet.plane, caller(fleet), NAMES)
        fleet.claim()
        final = agent.Final(task=question.task, app_id=question.app, generation=0, outcome="succeeded", started=1, finished=2, live=tree)
        intake.events(fleet.plane, fleet.identity, agent.Events(finals=(final,)))
        if read:
            assert live.tree(fleet.plane, caller(fleet), NAMES, question) == views.Tree(nodes=())
            assert fleet.row("SELECT count(*) FROM tasks WHERE live IS NOT NULL")[0] == 0
    assert fleet.row("SELECT count(*) FROM tasks WHERE live IS NOT NULL")[0] == 1
    later(fleet, sweep.UNHEARD.total_seconds() + 1)
    sweep.sweep(fleet.plane)
    assert fleet.row("SELECT count(*) FROM tasks WHERE live IS NOT NULL")[0] == 0
