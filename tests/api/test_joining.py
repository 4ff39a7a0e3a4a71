"""What the plane promises of agents' tokens, keys and ends, a test each; twins and replays are in tests/server/test_twins.py."""

import concurrent.futures
import datetime as dt
import time

import pytest
import sqlalchemy as sa

from plane.server import context
from plane.wire import agent
from tests.support import recorded
from tests.support.joining import Agent, enrol, joined
from tests.support.planes import MovableClock
from tests.support.rest import Api, Tenant, document

KNOWS = ("once", "plans")


@pytest.fixture
def token(platform: Api, acme: Tenant) -> str:
    return str(platform.post("/clusters/east/join").json()["token"])


@pytest.mark.parametrize(("minutes", "status"), [(14, 200), (16, 401)])
def test_a_join_token_lives_a_quarter_of_an_hour_and_who_showed_it_is_known(
    platform: Api, token: str, plane: context.Plane, owner: sa.Engine, minutes: int, status: int
) -> None:
    assert isinstance(plane.clock, MovableClock)
    plane.clock.ahead += dt.timedelta(minutes=minutes)
    assert enrol(platform.client, token)[0].status_code == status
    [told] = recorded.events(owner, "agent.enrol%")
    assert (told.type, told.actor.ip) == ("agent.enrolled" if status == 200 else "agent.enrol.refused", "testclient")
    assert told.request


def test_a_guessed_join_token_is_a_refused_log_in(platform: Api, owner: sa.Engine) -> None:
    assert enrol(platform.client, "gp_join_guessed")[0].status_code == 401
    [told] = recorded.events(owner, "access.login.refused")
    assert (list(told.details["addresses"]), next(iter(told.details["reasons"])).startswith("enrol: ")) == (["testclient"], True)


def test_a_join_token_lets_into_its_own_cluster_alone(platform: Api, token: str) -> None:
    platform.make("/clusters", document("Cluster", "west"))
    assert joined(platform.client, token).enrolled.cluster == "east"
    assert platform.get("/clusters/west").json()["status"]["connection"] == "never-joined"


def test_the_database_knows_a_join_token_by_its_hash_alone(token: str, owner: sa.Engine) -> None:
    with owner.begin() as tx:
        [row] = tx.execute(sa.text("SELECT t::text FROM join_tokens t")).scalars()
    assert token not in row
    assert token.removeprefix("gp_join_").encode().hex() not in row


def test_a_list_of_clusters_shows_each_agent_as_it_is(platform: Api, token: str) -> None:
    east = joined(platform.client, token)
    told = agent.Capabilities(kube_version="v1.34.1", agent_version="1.2.3", nodes=3, knows=KNOWS)
    assert east.call("POST", "/state", agent.State(capabilities=told)).status_code == 200
    east.claim()
    [shown] = [one["status"] for one in platform.get("/clusters").json()["items"] if one["metadata"]["name"] == "east"]
    facts = {"connection": "connected", "agent": east.enrolled.agent_id, "kubeVersion": "v1.34.1", "nodes": 3, "capabilities": list(KNOWS)}
    assert facts.items() <= shown.items()
    assert shown.keys() >= {"lastSeen", "keysSince"}


def test_a_revoked_agents_open_poll_ends_and_its_next_request_is_refused(platform: Api, token: str) -> None:
    east, began = joined(platform.client, token), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(east.call, "POST", "/claim?wait=30&max=8", agent.Claim())
        platform.post("/clusters/east/revoke")
        assert waiting.result().status_code in {200, 401}
    assert time.monotonic() - began < 25  # of the 30 s that it would have waited
    assert east.call("POST", "/claim", agent.Claim()).status_code == 401


def test_a_join_token_that_is_used_twice_is_seen_in_the_list(platform: Api, token: str, east: Agent) -> None:
    assert enrol(platform.client, token)[0].status_code == 401
    [shown] = [one["status"] for one in platform.get("/clusters").json()["items"] if one["metadata"]["name"] == "east"]
    assert shown["joinRefusedAt"]
    assert east.claim().tasks == ()  # whoever joined first stays


@pytest.fixture
def east(platform: Api, token: str) -> Agent:
    return joined(platform.client, token)
