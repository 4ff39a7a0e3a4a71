"""HTTPS to the plane, always asked by the agent: one short-lived token per request, msgpack both ways."""

import pathlib
import ssl
import uuid
from collections.abc import Callable

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plane.adapters import step
from plane.domain import errors
from plane.domain.rendering import secrets
from plane.wire import agent, signing
from plane.wire import journal as record

CONNECT_S = 10.0
CONNECTIONS = 24  # 8 for claims, reports and releases, and one that may be held for each stream (agent/answering/streams.py)
ANSWER_S = 60.0
RENEW_S = 5.0  # until files that are being replaced are looked at again
LONG_POLL_SLACK_S = 20.0  # beyond the wait asked for: a plane that answers later than that is gone

_PROBLEM_SENTENCE = 300


class PlaneAway(errors.PlaneError):
    """The plane does not answer, or says that it cannot now. Trying again helps."""

    code = "plane-away"

    def __init__(self, reason: str, *, retry_after_s: float = 0.0) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class _OutOfStep(PlaneAway):
    """The request's token does not hold: clocks apart, other keys, or a repeated one. Not a word about the agent itself."""

    def __init__(self, reason: str, *, date: str) -> None:
        self.date = date  # as the answer says it
        super().__init__(reason, retry_after_s=15.0)


class Revoked(errors.PlaneError):
    """The plane does not accept this agent's key."""

    code = "agent-revoked"


class LinkRefused(errors.PlaneError):
    """The plane understood and said no; the same request would be refused again."""

    code = "link-refused"


class Credentials(msgspec.Struct, frozen=True):
    """What a request token is made of."""

    key: Ed25519PrivateKey
    agent_id: str
    plane_id: str
    generation: int


class Certificate:
    """The agent's client certificate, from files that somebody else may renew at any time (SPIRE's `spiffe-helper`, cert-manager)."""

    def __init__(self, certificate: pathlib.Path, key: pathlib.Path) -> None:
        self._files = certificate, key
        self._loaded: tuple[int, ...] = ()

    def renew(self, trust: ssl.SSLContext) -> None:
        """Show the files' present content on connections from now on; PlaneAway while they cannot be read or do not belong together."""
        try:
            found = tuple(file.stat().st_mtime_ns for file in self._files)
            if found != self._loaded:
                trust.load_cert_chain(*self._files)
                self._loaded = found
        except OSError as e:  # ssl.SSLError is one
            raise PlaneAway(f"the client certificate {self._files[0]} cannot be used: {e.strerror or e}", retry_after_s=RENEW_S) from e


class _Problem(msgspec.Struct):
    type: str = ""
    title: str = ""
    detail: str = ""


def _nothing() -> None:
    """Of an agent without a client certificate."""


class Plane:
    """One plane behind one URL. `credentials` are set once enrolled."""

    def __init__(self, session: aiohttp.ClientSession, url: str, *, claim_wait_s: int, renew: Callable[[], None] = _nothing) -> None:
        self._session = session
        self._renew = renew
        self._claim_wait_s = claim_wait_s
        self._url = url.rstrip("/")
        self.step = step.Step()
        self.credentials: Credentials | None = None

    def speaking_as(self, credentials: Credentials) -> "Plane":
        """The same plane, for requests with other credentials, which wait for no exchange of keys."""
        other = Plane(self._session, self._url, claim_wait_s=self._claim_wait_s, renew=self._renew)
        other.credentials = credentials
        return other

    async def enrol(self, enrol: agent.Enrol) -> agent.Enrolled:
        """First contact."""
        return msgspec.msgpack.decode(await self._ask("POST", "/enrol", body=agent.encode(enrol)), type=agent.Enrolled)

    async def rotate(self, rotate: agent.Rotate) -> agent.Enrolled:
        """Tell the next keys; the same ones again give the same answer."""
        return msgspec.msgpack.decode(await self._ask("POST", "/keys", body=agent.encode(rotate)), type=agent.Enrolled)

    async def claim(self, claim: agent.Claim, *, most: int) -> agent.Claimed:
        """Tasks, waited for; `most` 0 only extends leases, at once."""
        wait_s = self._claim_wait_s if most else 0
        body = await self._ask("POST", "/claim", query=f"wait={wait_s}&max={most}", body=agent.encode(claim), wait_s=wait_s)
        return msgspec.msgpack.decode(body, type=agent.Claimed)

    async def events(self, events: agent.Events) -> agent.Accepted:
        """Progress and last words."""
        return msgspec.msgpack.decode(await self._ask("POST", "/events", body=agent.encode(events)), type=agent.Accepted)

    async def state(self, state: agent.State) -> agent.Accepted:
        """What changed."""
        return msgspec.msgpack.decode(await self._ask("POST", "/state", body=agent.encode(state)), type=agent.Accepted)

    async def piece(self, piece: agent.Piece) -> agent.Heard:
        """A part of a long answer; returns when there is room for the next."""
        return msgspec.msgpack.decode(await self._ask("POST", "/piece", body=agent.encode(piece)), type=agent.Heard)

    async def journal(self, journal: record.Journal) -> record.Known:
        """What the agent wrote down; without frames only how far the plane knows it. LinkRefused by a plane that knows no journals."""
        return msgspec.msgpack.decode(await self._ask("POST", "/journal", body=agent.encode(journal)), type=record.Known)

    async def release(self, digest: str) -> agent.ReleaseBundle:
        """A release of this cluster by its digest."""
        return msgspec.msgpack.decode(await self._ask("GET", f"/releases/{digest}"), type=agent.ReleaseBundle)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _ask(self, method: str, path: str, *, query: str = "", body: bytes = b"", wait_s: float = 0.0) -> bytes:
        """The answer's body; PlaneAway, Revoked or LinkRefused. A token out of step is made anew once: nothing was done for it."""
        mine, ahead_s = self.credentials, self.step.ahead_s
        try:
            return await self._send(method, path, query=query, body=body, wait_s=wait_s)
        except _OutOfStep as e:
            await self.step.settled()
            self.step.follow(e.date)
            if self.credentials is mine and self.step.ahead_s == ahead_s:
                raise
        return await self._send(method, path, query=query, body=body, wait_s=wait_s)

    async def _send(self, method: str, path: str, *, query: str, body: bytes, wait_s: float) -> bytes:
        self._renew()
        path = agent.PATH + path
        timeout = aiohttp.ClientTimeout(total=ANSWER_S + wait_s, connect=CONNECT_S, sock_read=wait_s + LONG_POLL_SLACK_S)
        url = f"{self._url}{path}{'?' + query if query else ''}"
        try:
            async with self._session.request(
                method, url, data=body or None, headers=self._headers(method, path, body), timeout=timeout, allow_redirects=False
            ) as answer:
                payload = await answer.read()
                _check(answer, payload)
                self.step.follow(answer.headers.get("Date", ""))  # before anybody judges by it whether a task has expired
                return payload
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            raise PlaneAway(f"the plane at {self._url} does not answer: {str(e) or type(e).__name__}") from e

    def _headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": agent.CONTENT_TYPE, "Accept": agent.CONTENT_TYPE}
        mine = self.credentials
        if mine is None:
            return headers
        request = signing.Request(method, path, signing.body_digest(body))
        speaker = signing.Speaker(mine.agent_id, mine.plane_id, mine.generation)
        token = signing.mint(mine.key, request, speaker=speaker, jti=uuid.uuid4().hex, now=self.step.now())
        return headers | {"Authorization": f"Bearer {token}"}


def new_signing_key() -> secrets.Secret:
    """A fresh Ed25519 private key, raw."""
    return secrets.Secret(Ed25519PrivateKey.generate().private_bytes_raw())


def prove(signing_key: secrets.Secret, join_token: str, sealing_key: bytes) -> tuple[bytes, bytes]:
    """The public signing key and the proof that an enrolment carries."""
    key = Ed25519PrivateKey.from_private_bytes(signing_key.reveal())
    public = key.public_key().public_bytes_raw()
    return public, key.sign(signing.proof_text(join_token, public, sealing_key))


def prove_next(signing_key: secrets.Secret, agent_id: str, sealing_key: bytes) -> agent.Rotate:
    """The announcement of an agent's next keys."""
    key = Ed25519PrivateKey.from_private_bytes(signing_key.reveal())
    public = key.public_key().public_bytes_raw()
    return agent.Rotate(signing_key=public, sealing_key=sealing_key, proof=key.sign(signing.rotation_text(agent_id, public, sealing_key)))


def credentials(signing_key: secrets.Secret, enrolled: agent.Enrolled) -> Credentials:
    """What requests are signed with once enrolled."""
    return Credentials(
        Ed25519PrivateKey.from_private_bytes(signing_key.reveal()), enrolled.agent_id, enrolled.plane_id, enrolled.generation
    )


def seal(signing_key: secrets.Secret, enrolled: agent.Enrolled) -> record.Seal:
    """What the agent's journal is signed with."""
    return record.Seal(enrolled.agent_id, Ed25519PrivateKey.from_private_bytes(signing_key.reveal()), enrolled.generation)


def next_credentials(signing_key: secrets.Secret, enrolled: agent.Enrolled) -> Credentials:
    """Those of the generation after `enrolled`, as after a rotation whose answer was lost."""
    return credentials(signing_key, msgspec.structs.replace(enrolled, generation=enrolled.generation + 1))


def connect(url: str, *, ca_pem: str = "", claim_wait_s: int, certificate: Certificate | None = None) -> Plane:
    """No request is made yet. `ca_pem`: trust these certificates only; `claim_wait_s`: how long a claim waits for tasks, at most 60."""
    trust = ssl.create_default_context(cadata=ca_pem or None)
    # A connection that is kept would go on under the certificate before: with one, each request makes its own.
    connector = aiohttp.TCPConnector(ssl=trust, limit=CONNECTIONS, force_close=certificate is not None)
    session = aiohttp.ClientSession(connector=connector, trust_env=True)
    return Plane(session, url, claim_wait_s=claim_wait_s, renew=(lambda: certificate.renew(trust)) if certificate else _nothing)


def _check(answer: aiohttp.ClientResponse, payload: bytes) -> None:
    status = answer.status
    if status < 300:  # noqa: PLR2004 - HTTP's border of success
        return
    problem = _problem(payload)
    sentence = (problem.detail or problem.title)[:_PROBLEM_SENTENCE] or f"HTTP {status}"
    if status == 401 and problem.type.endswith(signing.TokenRefused.code):  # noqa: PLR2004 - HTTP Unauthorized
        raise _OutOfStep(sentence, date=answer.headers.get("Date", ""))
    if status == 401:  # noqa: PLR2004
        raise Revoked(sentence)
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004 - "later" and "my fault", RFC 9110
        after = answer.headers.get("Retry-After", "")
        raise PlaneAway(sentence, retry_after_s=float(after) if after.isdigit() else 0.0)
    raise LinkRefused(sentence)


def _problem(payload: bytes) -> _Problem:
    """What a problem document (RFC 9457) says; answers of proxies in between say nothing we could use."""
    try:
        return msgspec.json.decode(payload, type=_Problem)
    except msgspec.MsgspecError:
        return _Problem()
