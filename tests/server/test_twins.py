"""Requests made twice, agents with the same keys, and join tokens tried again: refused, named and seen."""

import hashlib
import uuid

import pytest
import sqlalchemy as sa

from plane.domain import errors
from plane.domain import fleet as domain
from plane.server import authorise, claim
from plane.server.attending import enrol
from plane.store.layout import tables
from plane.wire import agent, signing
from tests.support import planes

CLAIM = signing.Request("POST", "/agent/v1/claim", signing.body_digest(b""))


def token(one: planes.Fleet, *, jti: str = "", generation: int = 1) -> str:
    speaker = signing.Speaker(one.agent, "test-plane", generation)
    return signing.mint(one.signing, CLAIM, speaker=speaker, jti=jti or str(uuid.uuid4()), now=one.plane.clock.now().timestamp())


def claims(one: planes.Fleet, term: str, *, installation: str = "") -> agent.Claimed:
    """As the endpoint does it."""
    who = claim.authenticate(one.plane, token(one), CLAIM)
    return claim.claim(one.plane, who, agent.Claim(term=term, installation=installation), 64)


def test_a_request_token_is_taken_once_by_all_processes_together(fleet: planes.Fleet) -> None:
    said = token(fleet)
    claim.authenticate(fleet.plane, said, CLAIM)
    claim.REPLAYS.forget()  # as another process, which has seen none
    with pytest.raises(signing.TokenRefused, match="was used before"):
        claim.authenticate(fleet.plane, said, CLAIM)


def test_a_restarted_agent_is_no_twin(fleet: planes.Fleet) -> None:
    for term in ("a/1", "a/1", "a/2", "b/3", "b/3"):
        claims(fleet, term, installation="u1")
    assert fleet.row("SELECT term, former_terms, quarantine FROM agents") == ("b/3", ["a/1", "a/2"], "")


def test_two_agents_that_take_turns_are_both_shut_out_and_named(fleet: planes.Fleet) -> None:
    claims(fleet, "pod-a/1")
    claims(fleet, "pod-b/1")
    with pytest.raises(claim.Quarantined, match="two agents use its keys in turn: pod-b/1 and pod-a/1; both are shut out until"):
        claims(fleet, "pod-a/1")
    for term in ("pod-a/1", "pod-b/1"):
        with pytest.raises(claim.Quarantined):
            claims(fleet, term)
    event = fleet.row("SELECT convert_from(body, 'UTF8') AS text FROM audit_events WHERE type = 'agent.quarantined'")
    assert ("pod-a/1" in event.text, "pod-b/1" in event.text) == (True, True)


def test_an_identity_that_was_copied_to_another_cluster_is_found_at_once(fleet: planes.Fleet) -> None:
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.agents).values(installation="u1"))
    claims(fleet, "pod-a/1", installation="u1")
    with pytest.raises(claim.Quarantined, match=r"runs in another cluster \(u2\) than the one that joined \(u1\)"):
        claims(fleet, "pod-b/1", installation="u2")


def test_a_term_is_remembered_for_so_many_changes() -> None:
    terms = domain.Terms(term="t0")
    for number in range(1, 100):
        terms = terms.next(domain.Terms(term=f"t{number}"))
    assert (len(terms.former), terms.former[-1], terms.twin(domain.Terms(term="t98"))[:10]) == (domain.MOST_TERMS, "t98", "two agents")


def test_a_used_join_token_leaves_its_time(fleet: planes.Fleet) -> None:
    secret = authorise.new_secret("join")
    used = {"hash": hashlib.sha256(secret.encode()).digest(), "cluster_id": fleet.cluster, "created_by": "x"}
    with fleet.owner.begin() as tx:
        now = fleet.plane.clock.now()
        tx.execute(sa.insert(tables.join_tokens).values(**used, expires_at=now, used_at=now))
    public = fleet.signing.public_key().public_bytes_raw()
    other = b"\x01" * 32
    proof = fleet.signing.sign(signing.proof_text(secret, public, other))
    with fleet.owner.begin() as tx:
        tx.execute(sa.update(tables.agents).values(signing_key=b"\x02" * 32))
    with pytest.raises(errors.Unauthenticated):
        enrol.enrol(fleet.plane, agent.Enrol(join_token=secret, signing_key=public, sealing_key=other, proof=proof))
    assert fleet.row("SELECT refused_at FROM join_tokens").refused_at is not None
    assert fleet.row("SELECT count(*) AS n FROM audit_events WHERE type = 'agent.enrol.refused'").n == 1
