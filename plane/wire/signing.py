"""Who speaks: the agent's request JWT and the plane's signature under a task. Ed25519 throughout, whatever a header says."""

import base64
import hashlib
import time

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from plane.domain import errors
from plane.wire import agent, scripted

PrivateKey = Ed25519PrivateKey  # named here, so that who only passes one on needs no library for it
TASK_CONTEXT = b"gitops-plane/task/v1\0"
CHECKS_CONTEXT = b"gitops-plane/checks/v1\0"
ENROL_CONTEXT = b"gitops-plane/enrol/v1\0"
ROTATE_CONTEXT = b"gitops-plane/rotate/v1\0"
# Points of Ed25519 that nobody holds: a signature of zeros passes for every fourth text or so under them. RFC 8032 leaves them to us.
LOW_ORDER = frozenset({
    0,
    1,
    2**255 - 20,
    2**255 - 19,
    2**255 - 18,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
})  # fmt: skip
TOKEN_TTL_S = 60  # one request's life: enough for a slow body, too short to collect
SKEW_S = 60  # clocks of cluster and plane may differ by this
HEADER = {"alg": "EdDSA", "typ": "gitops-plane-agent+jwt"}


class TokenRefused(errors.Unauthenticated):
    """A request token that does not hold: form, signature, time, audience or the request it was made for."""

    code = "token-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, remedy="")


class Request(msgspec.Struct, frozen=True):
    """What a token is bound to; `path` without query string."""

    method: str
    path: str
    body_digest: str  # sha256, hexadecimal


class Claims(msgspec.Struct, frozen=True):
    """The token's content. sub: agent id; aud: plane id; gen: key generation."""

    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    gen: int
    htm: str
    htu: str
    bsh: str


def body_digest(body: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(body).hexdigest()


class Speaker(msgspec.Struct, frozen=True):
    """Which agent speaks to which plane, and the generation of its keys."""

    agent_id: str
    plane_id: str
    generation: int


def mint(key: Ed25519PrivateKey, request: Request, *, speaker: Speaker, jti: str, now: float | None = None) -> str:
    """A JWT (RFC 7519, EdDSA of RFC 8037) for one request."""
    issued = int(time.time() if now is None else now)
    who, what = (speaker.agent_id, speaker.plane_id), (request.method, request.path, request.body_digest)
    claims = Claims(*who, issued, issued + TOKEN_TTL_S, jti, speaker.generation, *what)
    signed = f"{_b64(msgspec.json.encode({**HEADER, 'kid': speaker.agent_id}))}.{_b64(msgspec.json.encode(claims))}"
    return f"{signed}.{_b64(key.sign(signed.encode()))}"


def peek(token: str) -> str:
    """The agent id a token claims to come from, unverified: only to find the key to verify with."""
    return _claims(token).sub


def verify(token: str, public_key: bytes, request: Request, *, plane_id: str, now: float) -> Claims:
    """The claims of a token that holds for this request; TokenRefused otherwise."""
    signed, _, signature = token.rpartition(".")
    claims = _claims(token)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(_unb64(signature), signed.encode())
    except InvalidSignature as e:
        raise TokenRefused("the request token's signature does not hold") from e
    if claims.aud != plane_id:
        raise TokenRefused("the request token was made for another plane")
    if not claims.iat - SKEW_S <= now <= claims.exp + SKEW_S or claims.exp - claims.iat > TOKEN_TTL_S:
        raise TokenRefused("the request token is out of date; compare the clocks of plane and cluster")
    if (claims.htm, claims.htu, claims.bsh) != (request.method, request.path, request.body_digest):
        raise TokenRefused("the request token was made for another request")
    return claims


def open_task(signed: agent.SignedTask, public_key: bytes) -> agent.Task:
    """The task of a signed task; TokenRefused when the signature does not hold."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signed.signature, TASK_CONTEXT + signed.payload)
    except InvalidSignature as e:
        raise TokenRefused("the task's signature does not hold; it is not from this plane") from e
    return msgspec.msgpack.decode(signed.payload, type=agent.Task)


def open_checks(signed: scripted.SignedChecks, public_key: bytes, *, cluster_id: str) -> scripted.Checks:
    """The health checks of a cluster; TokenRefused when the signature does not hold or they are another cluster's."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signed.signature, CHECKS_CONTEXT + signed.payload)
    except InvalidSignature as e:
        raise TokenRefused("the signature of the health checks does not hold; they are not from this plane") from e
    found = msgspec.msgpack.decode(signed.payload, type=scripted.Checks)
    if found.cluster_id != cluster_id:
        raise TokenRefused("the health checks are another cluster's")
    return found


def proof_text(join_token: str, signing_key: bytes, sealing_key: bytes) -> bytes:
    """What an agent signs at enrolment to show that it holds the signing key."""
    return ENROL_CONTEXT + hashlib.sha256(join_token.encode()).digest() + signing_key + sealing_key


def proves(enrol: agent.Enrol) -> bool:
    """Whether the proof of an enrolment holds."""
    return held(enrol.signing_key, enrol.proof, proof_text(enrol.join_token, enrol.signing_key, enrol.sealing_key))


def rotation_text(agent_id: str, signing_key: bytes, sealing_key: bytes) -> bytes:
    """What an agent signs with its next signing key to show that it holds it."""
    return ROTATE_CONTEXT + hashlib.sha256(agent_id.encode()).digest() + signing_key + sealing_key


def continues(rotate: agent.Rotate, agent_id: str) -> bool:
    """Whether the proof of a rotation holds."""
    proven = held(rotate.signing_key, rotate.proof, rotation_text(agent_id, rotate.signing_key, rotate.sealing_key))
    return proven and len(rotate.sealing_key) == len(rotate.signing_key)  # both curves' keys are 32 bytes


def held(key: bytes, proof: bytes, text: bytes) -> bool:
    """Whether whoever made the proof has the key's private half."""
    if int.from_bytes(key, "little") % 2**255 in LOW_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(proof, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _claims(token: str) -> Claims:
    parts = token.split(".")
    try:
        header, claims = msgspec.json.decode(_unb64(parts[0])), msgspec.json.decode(_unb64(parts[1]), type=Claims)
    except (ValueError, IndexError) as e:  # msgspec's and binascii's errors are ValueErrors
        raise TokenRefused("the request token cannot be read") from e
    if len(parts) != 3 or not isinstance(header, dict) or {name: header.get(name) for name in HEADER} != HEADER or "crit" in header:  # noqa: PLR2004 - a JWS has three parts
        raise TokenRefused("the request token has another form than ours")
    return claims


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
