"""In step with the plane: by its clock, and by the keys that it knows."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable

import pytest

from plane.adapters import link, step
from plane.adapters.secrets import sealing
from plane.agent.kept import identity, rotation
from plane.wire import agent
from tests.agent import plane_end

DAY_S = 86400.0
NOW = dt.datetime(2026, 11, 21, 10, tzinfo=dt.UTC)
LIFE = dt.timedelta(days=90)


def joined(plane: plane_end.PlaneEnd, work: Callable[[link.Plane, agent.Enrolled], Awaitable[None]]) -> None:
    """Work with the link of an agent that has just joined."""

    async def run() -> None:
        linked, key, pair = link.connect(plane.url, claim_wait_s=1), link.new_signing_key(), sealing.new_key_pair()
        try:
            public, proof = link.prove(key, plane_end.JOIN_TOKEN, pair.public)
            body = agent.Enrol(
                join_token=plane_end.JOIN_TOKEN,
                signing_key=public,
                sealing_key=pair.public,
                proof=proof,
                agent_version="1",
                kube_version="1",
            )
            enrolled = await linked.enrol(body)
            linked.credentials = link.credentials(key, enrolled)
            await work(linked, enrolled)
        finally:
            await linked.close()

    asyncio.run(run())


@pytest.mark.parametrize("days", [1, -1, 400])
def test_a_clock_that_jumps_shuts_no_agent_out(plane: plane_end.PlaneEnd, days: int) -> None:
    async def jump(linked: link.Plane, _: agent.Enrolled) -> None:
        for ahead_s in (days * DAY_S, 0.0):
            plane.ahead_s = ahead_s
            await linked.claim(agent.Claim(), most=0)
            assert abs(linked.step.now() - step.Step().now() - ahead_s) < DAY_S / 2

    joined(plane, jump)


def test_requests_on_their_way_when_the_clock_jumps_are_made_again(plane: plane_end.PlaneEnd) -> None:
    async def jump(linked: link.Plane, _: agent.Enrolled) -> None:
        plane.ahead_s = DAY_S
        await asyncio.gather(*[linked.claim(agent.Claim(), most=0) for _ in range(5)])

    joined(plane, jump)


def test_a_token_that_is_refused_for_another_reason_is_not_made_again(plane: plane_end.PlaneEnd) -> None:
    async def forge(linked: link.Plane, enrolled: agent.Enrolled) -> None:
        linked.credentials = link.credentials(link.new_signing_key(), enrolled)
        with pytest.raises(link.PlaneAway):
            await linked.claim(agent.Claim(), most=0)

    joined(plane, forge)
    assert plane.calls["claim"] == 1


def test_a_request_on_its_way_during_an_exchange_of_keys_is_made_again_with_the_new(plane: plane_end.PlaneEnd) -> None:
    async def exchange(linked: link.Plane, enrolled: agent.Enrolled) -> None:
        coming, pair = link.new_signing_key(), sealing.new_key_pair()
        with linked.step.exchanging():
            assert linked.credentials
            said = link.prove_next(coming, enrolled.agent_id, pair.public)
            fresh = await linked.speaking_as(linked.credentials).rotate(said)
            waiting = asyncio.create_task(linked.claim(agent.Claim(), most=0))
            await asyncio.to_thread(plane.wait, lambda: bool(plane.calls.get("claim")), "a claim")
            linked.credentials = link.credentials(coming, fresh)
        await waiting

    joined(plane, exchange)
    assert plane.calls["claim"] == 2


def made(days_ago: float) -> dict[str, bytes]:
    at = NOW - dt.timedelta(days=days_ago)
    return {"sealing-public": b"a key", identity.MADE: at.isoformat().encode()}


@pytest.mark.parametrize(
    ("days_ago", "life", "is_old"),
    [(0, LIFE, False), (29, LIFE, False), (33.1, LIFE, True), (-1, LIFE, False), (-400, LIFE, True), (4000, dt.timedelta(), False)],
)
def test_keys_are_old_at_a_third_of_their_life(days_ago: float, life: dt.timedelta, *, is_old: bool) -> None:
    assert rotation.old(made(days_ago), life=life, now=NOW) == is_old


def test_agents_that_joined_together_do_not_exchange_their_keys_together() -> None:
    kept = [{**made(31.5), "sealing-public": bytes([n])} for n in range(40)]
    assert 0 < sum(rotation.old(data, life=LIFE, now=NOW) for data in kept) < len(kept)
