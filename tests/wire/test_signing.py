"""Only the right key, for the right request, at the right time."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plane.wire import agent, bundle, signing

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
REQUEST = signing.Request("POST", "/agent/v1/claim", signing.body_digest(b"body"))
NOW = 1_800_000_000.0


def token(key: Ed25519PrivateKey = KEY, request: signing.Request = REQUEST, now: float = NOW) -> str:
    return signing.mint(key, request, speaker=signing.Speaker("a1", "plane", 1), jti="j1", now=now)


def forged(header: dict[str, object]) -> str:
    """A token that is signed well under another header."""
    _, claims, _ = token().split(".")
    signed = f"{base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b'=').decode()}.{claims}"
    return f"{signed}.{base64.urlsafe_b64encode(KEY.sign(signed.encode())).rstrip(b'=').decode()}"


def test_a_token_holds_for_its_request() -> None:
    assert signing.verify(token(), PUBLIC, REQUEST, plane_id="plane", now=NOW).sub == "a1"


@pytest.mark.parametrize(
    ("made", "plane_id", "now"),
    [
        (token(Ed25519PrivateKey.generate()), "plane", NOW),
        (token(request=signing.Request("POST", "/agent/v1/events", REQUEST.body_digest)), "plane", NOW),
        (token(request=signing.Request("POST", "/agent/v1/claim", signing.body_digest(b"other"))), "plane", NOW),
        (token(request=signing.Request("GET", "/agent/v1/claim", REQUEST.body_digest)), "plane", NOW),
        (token(), "other", NOW),
        (token(), "plane", NOW + 3600),
        (token(), "plane", NOW - 3600),
        ("", "plane", NOW),
        ("a.b.c", "plane", NOW),
        (f"{token()}.{token()}", "plane", NOW),
        (token().rpartition(".")[0] + ".", "plane", NOW),
        (forged({"alg": "none", "typ": "gitops-plane-agent+jwt"}), "plane", NOW),
        (forged({"alg": "HS256", "typ": "gitops-plane-agent+jwt"}), "plane", NOW),
        (forged({"alg": "EdDSA", "typ": "JWT"}), "plane", NOW),
        (forged({"alg": "EdDSA", "typ": "gitops-plane-agent+jwt", "crit": ["b64"]}), "plane", NOW),
    ],
)
def test_any_other_token_is_refused(made: str, plane_id: str, now: float) -> None:
    with pytest.raises(signing.TokenRefused):
        signing.verify(made, PUBLIC, REQUEST, plane_id=plane_id, now=now)


def test_a_task_of_another_plane_is_refused() -> None:
    payload = agent.encode(
        agent.Task(id="1", kind="apply", cluster_id="c", app_id="a", tenant="t", project="p", app="w", generation=1, expires=0)
    )
    signed = agent.SignedTask(payload=payload, signature=Ed25519PrivateKey.generate().sign(signing.TASK_CONTEXT + payload))
    with pytest.raises(signing.TokenRefused):
        signing.open_task(signed, PUBLIC)


def test_a_signature_for_another_use_does_not_stand_for_a_task() -> None:
    payload = agent.encode(
        agent.Task(id="1", kind="apply", cluster_id="c", app_id="a", tenant="t", project="p", app="w", generation=1, expires=0)
    )
    with pytest.raises(signing.TokenRefused):
        signing.open_task(agent.SignedTask(payload=payload, signature=KEY.sign(payload)), PUBLIC)


def test_an_enrolment_proves_the_key_it_brings() -> None:
    proof = KEY.sign(signing.proof_text("gp_join_x", PUBLIC, b"s" * 32))
    assert signing.proves(agent.Enrol(join_token="gp_join_x", signing_key=PUBLIC, sealing_key=b"s" * 32, proof=proof))
    assert not signing.proves(agent.Enrol(join_token="gp_join_x", signing_key=PUBLIC, sealing_key=b"t" * 32, proof=proof))


@pytest.mark.parametrize("sign", [0, 2**255])
@pytest.mark.parametrize("point", sorted(signing.LOW_ORDER))
def test_nobody_proves_a_key_that_has_no_private_half(point: int, sign: int) -> None:
    key = (point | sign).to_bytes(32, "little")
    for agent_id in map(str, range(16)):  # zeros are a signature for some texts and not for others
        for start in (key, bytes(32), (1).to_bytes(32, "little")):
            assert not signing.continues(agent.Rotate(signing_key=key, sealing_key=bytes(32), proof=start + bytes(32)), agent_id)


def test_a_bundle_with_other_content_is_refused() -> None:
    digest, _ = bundle.pack((b"{}",))
    _, other = bundle.pack((b'{"a":1}',))
    with pytest.raises(bundle.BundleBroken):
        bundle.unpack(digest, other)
