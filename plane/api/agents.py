"""The agent protocol's endpoints (plane.wire.agent): msgpack over plain requests, authenticated per request by the agent's own key."""

import asyncio
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromPath

from plane.api import border, metering, peers, problems, wake
from plane.domain import errors
from plane.server import claim as claims
from plane.server import context
from plane.server.asking import pieces
from plane.server.attending import enrol, intake, journals, recall
from plane.server.auditing import visits
from plane.server.keeping import health_checks
from plane.server.limits import Key
from plane.wire import agent, signing
from plane.wire import journal as record

BODY_BYTES = 64 * 1024 * 1024
MAX_WAIT_S = 30
ROOM_S = 8.0  # well below what an agent waits for any answer
T = TypeVar("T")
Incoming = Request[Any, Any, Any]


async def _identity(request: Incoming, body: bytes) -> claims.AgentIdentity:
    """Whose key signed the request's token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.Unauthenticated("an agent's request token is needed", remedy="this endpoint is for agents alone")
    bound = signing.Request(request.method, request.scope["path"], signing.body_digest(body))
    try:
        who = await sync_to_thread(claims.authenticate, _plane(request), token, bound, peer=peers.of(request.scope))
        metering.take(request, Key("agent", who.id))
    except errors.Unauthenticated as e:
        ip = request.client.host if request.client else ""
        await sync_to_thread(visits.refuse, _plane(request), f"agent: {e}", ip)
        raise
    return who


def _plane(request: Incoming) -> context.Plane:
    plane: context.Plane = request.app.state.plane
    return plane


async def _body(request: Incoming) -> bytes:
    if request.headers.get("Content-Type", agent.CONTENT_TYPE).partition(";")[0] != agent.CONTENT_TYPE:
        raise problems.MediaTypeRefused(f"an agent's body is {agent.CONTENT_TYPE}")
    return await request.body()


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise errors.Invalid({"": f"the body is no {kind.__name__} of the agent protocol"}) from e


def _answer(message: msgspec.Struct) -> Response[bytes]:
    return Response(agent.encode(message), media_type=agent.CONTENT_TYPE)


@post("/enrol", status_code=200)
async def enrol_agent(request: Incoming) -> Response[bytes]:
    """The one endpoint without a request token: the join token is in the body."""
    origin = border.origin(request)
    metering.stranger(request, origin.ip)
    body = _decode(await _body(request), agent.Enrol)
    try:
        return _answer(await sync_to_thread(enrol.enrol, _plane(request), body, peer=peers.of(request.scope), origin=origin))
    except errors.Unauthenticated as e:  # also of a token that was guessed, which is no cluster's
        await sync_to_thread(visits.refuse, _plane(request), f"enrol: {e}", origin.ip)
        raise


@post("/keys", status_code=200)
async def rotate(request: Incoming) -> Response[bytes]:
    """The agent's next keys, in a request signed with those in force."""
    raw = await _body(request)
    who = await _identity(request, raw)
    return _answer(await sync_to_thread(enrol.rotate, _plane(request), who, _decode(raw, agent.Rotate)))


@post("/claim", status_code=200)
async def claim(request: Incoming, hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """Waits up to `wait` seconds for work; a revoked agent is sent away at once, to be refused at its next request."""
    raw = await _body(request)
    who = await _identity(request, raw)
    wait_s, limit = _number(request, "wait", most=MAX_WAIT_S), _number(request, "max", most=claims.MAX_TASKS)
    asked, loop = _decode(raw, agent.Claim), asyncio.get_running_loop()
    deadline = loop.time() + wait_s
    if asked.missing:
        await sync_to_thread(recall.recall, _plane(request), who, asked.missing[: claims.MAX_TASKS])
    with hub.expect("plane_tasks", who.cluster_id) as work, hub.expect("plane_agent", who.cluster_id) as word:
        while True:
            found = await sync_to_thread(_found, _plane(request), who, asked, limit)
            left = deadline - loop.time()
            if found.tasks or found.lost or found.checks or left <= 0 or hub.draining:
                return _answer(found)
            _, spoken = await wake.first(left, work, word)  # a word about the agent itself, rather than work or nothing
            if spoken:
                return _answer(await sync_to_thread(claims.word, _plane(request), who))


def _found(plane: context.Plane, who: claims.AgentIdentity, asked: agent.Claim, limit: int) -> agent.Claimed:
    found = claims.claim(plane, who, asked, limit)
    checks = health_checks.news(plane, who, asked)
    return msgspec.structs.replace(found, checks=checks) if checks else found


@post("/events", status_code=200)
async def events(request: Incoming) -> Response[bytes]:
    """Progress and final reports of many tasks."""
    raw = await _body(request)
    who = await _identity(request, raw)
    return _answer(await sync_to_thread(intake.events, _plane(request), who, _decode(raw, agent.Events)))


@post("/state", status_code=200)
async def state(request: Incoming) -> Response[bytes]:
    """Deltas of many apps."""
    raw = await _body(request)
    who = await _identity(request, raw)
    return _answer(await sync_to_thread(intake.state, _plane(request), who, _decode(raw, agent.State)))


@post("/piece", status_code=200)
async def piece(request: Incoming, hub: NamedDependency[wake.Hub]) -> Response[bytes]:
    """A part of a long answer; answered when whoever listens has read most of it, or after a while in which he did not."""
    raw = await _body(request)
    who = await _identity(request, raw)
    body = _decode(raw, agent.Piece)
    with hub.expect("plane_pieces", pieces.read_by(body.task)) as reading:
        heard, room = await sync_to_thread(pieces.take, _plane(request), who, body)
        if not room:
            await reading.wait(ROOM_S)
    return _answer(heard)


@post("/journal", status_code=200)
async def journal(request: Incoming) -> Response[bytes]:
    """The agent's own record, as far as the plane does not know it."""
    raw = await _body(request)
    who = await _identity(request, raw)
    return _answer(await sync_to_thread(journals.take, _plane(request), who, _decode(raw, record.Journal)))


@get("/releases/{digest:str}")
async def release(request: Incoming, digest: FromPath[str]) -> Response[bytes]:
    """A release that the agent should hold and does not."""
    who = await _identity(request, b"")
    return _answer(await sync_to_thread(claims.bundle_of, _plane(request), who, digest[:100].replace("\0", "")))


def _number(request: Incoming, name: str, *, most: int) -> int:
    text = request.query_params.get(name, "0")
    if not text.isdecimal():
        raise errors.Invalid({name: "must be a whole number"})
    return min(int(text[:9]), most)


ROUTER = Router(
    path=agent.PATH, route_handlers=[enrol_agent, rotate, claim, events, state, piece, journal, release], request_max_body_size=BODY_BYTES
)
