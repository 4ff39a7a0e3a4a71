"""What holds for every request before an endpoint sees it: an id, who asks, a media type, headers of safety, one log line."""

import re
import time
import uuid
from typing import Any

import structlog
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from plane.adapters import metrics
from plane.api import cookies, metering, problems, safety
from plane.domain import access, errors
from plane.domain.granting import web
from plane.server import entry
from plane.server.auditing import visits

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
QUIET = frozenset({"/health", "/ready", "/metrics"})  # asked every few seconds; they would drown the rest
log = structlog.get_logger()
Connection = ASGIConnection[Any, Any, Any, Any]


class Border:
    """Middleware around everything."""

    def __init__(self, app: ASGIApp, requests: metrics.Requests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its id, and tell of it when it is answered."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id, began, status = _request_id(dict(scope["headers"])), time.perf_counter(), 500
        scope["state"]["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableScopeHeaders.from_message(message)
                headers["X-Request-Id"] = request_id
                for name, value in (safety.HEADERS | scope["state"].get(metering.LEFT, {})).items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            self._tell(scope, status, time.perf_counter() - began)

    def _tell(self, scope: HTTPScope, status: int, seconds: float) -> None:
        route = str(scope.get("path_template") or "unknown")
        self._requests.observe(scope["method"], route, status, seconds)
        if route in QUIET:
            return
        tenant = scope.get("path_params", {}).get("tenant", "")
        who = getattr(scope.get("user"), "name", "")
        log.info(
            "request.finished", method=scope["method"], route=route, status=status, tenant=tenant, actor=who, duration_s=round(seconds, 4)
        )


async def known(connection: Connection, _: BaseRouteHandler) -> None:
    """Every endpoint asks for a token or a session; whose it is is asked of the database each time, so that its end holds at once."""
    found, plane = origin(connection), connection.app.state.plane
    try:
        token = _bearer(connection) or cookies.session(connection)
    except web.CrossSite as e:
        metering.stranger(connection, found.ip)
        await sync_to_thread(visits.refuse, plane, str(e), found.ip)
        raise
    if not token:
        metering.stranger(connection, found.ip)
        raise errors.Unauthenticated
    with metering.metered(connection, token, found.ip) as meter:
        who = await sync_to_thread(visits.admit, plane, token, found)
        meter.holds(who)
    connection.scope["user"], connection.scope["auth"] = who, token


def _bearer(connection: Connection) -> str:
    """The token that a request shows; where there is one, its cookies count for nothing."""
    shown = connection.headers.get("Authorization", "")
    scheme, _space, token = shown.partition(" ")
    if shown and (scheme.lower() != "bearer" or not token):
        raise errors.Unauthenticated
    if token.startswith(f"gp_{entry.SESSION}_"):
        raise errors.Unauthenticated("a session is good in its browser's cookie alone")
    return token


def origin(connection: Connection) -> entry.Origin:
    """Where a request comes from."""
    ip = connection.client.host if connection.client else ""
    return entry.Origin(ip, connection.headers.get("User-Agent", "")[:200], connection.scope["state"]["request_id"])


async def anonymous(connection: Connection, _: BaseRouteHandler) -> None:
    """Whoever logs in is nobody yet; what they may do needs no permission."""
    found = origin(connection)
    metering.stranger(connection, found.ip)
    connection.scope["user"] = access.Actor(access.SYSTEM.id, "", "system", ip=found.ip, user_agent=found.user_agent)


async def json_only(connection: Connection, _: BaseRouteHandler) -> None:
    """A form of another site cannot send this media type, so it cannot act for somebody."""
    if connection.scope["type"] == ScopeType.HTTP and connection.scope["method"] in {"GET", "HEAD"}:
        return
    length = connection.headers.get("Content-Length", "")
    chunked = "Transfer-Encoding" in connection.headers
    media = connection.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if (length not in {"", "0"} or chunked or media) and media != "application/json":
        raise problems.MediaTypeRefused("a body is application/json here; the command line turns YAML into it")


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
