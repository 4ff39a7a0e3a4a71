"""The application: every route, in one place."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable
from typing import Any

from litestar import Litestar, Response, Router, get
from litestar.concurrency import sync_to_thread
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import DefineMiddleware

from plane.adapters import metrics
from plane.api import agents, border, calls, documents, openapi, platform, problems, wake
from plane.api.admitting import granting, local, login, people, sessions, tokens
from plane.api.auditing import audit
from plane.api.delivering import actions, apps, decisions, holds, logs, orphans, plans, previews, streams, views
from plane.domain import errors
from plane.server import context, idempotent, recent, sharing
from plane.server.auditing import visits

BASE = "/api/v1"
SHARING_S = 1.0  # replicas may let through a second's worth too much


def create(plane: context.Plane, *, database_url: str) -> Litestar:
    """The REST API and the agents' endpoints. `database_url`: where the one listening connection of this process goes."""
    hub, requests = wake.Hub(database_url), metrics.Requests()
    return Litestar(
        route_handlers=[_api(), agents.ROUTER, platform.health, platform.ready, platform.figures],
        dependencies={"hub": Provide(lambda: hub, sync_to_thread=False)},
        middleware=[DefineMiddleware(border.Border, requests=requests)],
        exception_handlers={
            errors.PlaneError: problems.refused,
            idempotent.Replayed: problems.replayed,
            HTTPException: problems.http,
            Exception: problems.unexpected,
        },
        lifespan=[_listening(hub), _counting(plane), _sharing(plane)],
        state=State({"plane": plane, "requests": requests, "hub": hub}),
        request_max_body_size=calls.BODY_BYTES,
        openapi_config=None,  # ours is made from the same `Doc`s by plane.api.openapi
        logging_config=None,
    )


@functools.cache
def description() -> bytes:
    """The OpenAPI document as it is served and committed."""
    return openapi.encode(openapi.document([*_handlers(), *login.handlers()], base=BASE))


def _handlers() -> list[HTTPRouteHandler]:
    return [
        *audit.handlers(),
        *documents.handlers(),
        *apps.handlers(),
        *decisions.handlers(),
        *previews.handlers(),
        *holds.handlers(),
        *orphans.handlers(),
        *plans.handlers(),
        *local.handlers(),
        *views.handlers(),
        *actions.handlers(),
        logs.logs,
        streams.events,
        *people.handlers(),
        *tokens.handlers(),
        *granting.handlers(),
        *sessions.handlers(),
        *platform.handlers(),
    ]


def _api() -> Router:
    handlers = _handlers()
    text = openapi.encode(openapi.document([*handlers, *login.handlers()], base=BASE))

    @get("/openapi.json", sync_to_thread=False, name="openapi", guards=[border.known])
    def described() -> Response[bytes]:
        return Response(text, media_type="application/json")

    way_in = Router(
        path="/", route_handlers=login.handlers(), guards=[border.anonymous, border.json_only], dependencies={"call": Provide(calls.call)}
    )
    guarded = Router(path="/", route_handlers=handlers, guards=[border.known, border.json_only], dependencies={"call": Provide(calls.call)})
    return Router(path=BASE, route_handlers=[guarded, way_in, *login.browsers(), described])


def _counting(plane: context.Plane) -> Callable[[Litestar], Any]:
    """Refusals are told in sums; the last one when the process ends."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(recent.FIRST_S)
            await sync_to_thread(visits.tell_refused, plane)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None, None]:
        telling = asyncio.create_task(tell(), name="refusals")
        try:
            yield
        finally:
            telling.cancel()
            await sync_to_thread(visits.tell_refused, plane, at_once=True)

    return lifespan


def _sharing(plane: context.Plane) -> Callable[[Litestar], Any]:
    """Budgets of requests are shared with the other replicas; while the database is away each goes by its own."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(SHARING_S)
            with contextlib.suppress(errors.BackendDown):
                await sync_to_thread(sharing.share, plane)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None, None]:
        telling = asyncio.create_task(tell(), name="budgets")
        try:
            yield
        finally:
            telling.cancel()

    return lifespan


def _listening(hub: wake.Hub) -> Callable[[Litestar], Any]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None, None]:
        hub.start()
        try:
            yield
        finally:
            hub.stop()

    return lifespan
