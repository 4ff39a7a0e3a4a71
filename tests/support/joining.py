"""Agents as the REST API meets them: enrolled with a join token, their requests signed."""

import uuid

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519
from litestar import Litestar
from litestar.testing import TestClient

from plane.wire import agent, signing


class Agent(msgspec.Struct, frozen=True):
    """An enrolled agent."""

    client: TestClient[Litestar]
    key: ed25519.Ed25519PrivateKey
    enrolled: agent.Enrolled

    def call(self, method: str, path: str, message: object = None, *, jti: str = "") -> httpx.Response:
        """A signed request."""
        body = b"" if message is None else msgspec.msgpack.encode(message)
        bound = signing.Request(method, agent.PATH + path.partition("?")[0], signing.body_digest(body))
        speaker = signing.Speaker(self.enrolled.agent_id, self.enrolled.plane_id, self.enrolled.generation)
        token = signing.mint(self.key, bound, speaker=speaker, jti=jti or uuid.uuid4().hex)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": agent.CONTENT_TYPE}
        return self.client.request(method, agent.PATH + path, content=body, headers=headers)

    def claim(self, wait_s: int = 0) -> agent.Claimed:
        """What there is to do."""
        return msgspec.msgpack.decode(self.call("POST", f"/claim?wait={wait_s}&max=8", agent.Claim()).content, type=agent.Claimed)


def enrol(client: TestClient[Litestar], token: str) -> tuple[httpx.Response, ed25519.Ed25519PrivateKey]:
    key = ed25519.Ed25519PrivateKey.generate()
    public, sealing = key.public_key().public_bytes_raw(), bytes(32)
    proof = key.sign(signing.proof_text(token, public, sealing))
    return client.post(
        f"{agent.PATH}/enrol", content=agent.encode(agent.Enrol(join_token=token, proof=proof, signing_key=public, sealing_key=sealing))
    ), key


def joined(client: TestClient[Litestar], token: str) -> Agent:
    answer, key = enrol(client, token)
    return Agent(client, key, msgspec.msgpack.decode(answer.content, type=agent.Enrolled))
