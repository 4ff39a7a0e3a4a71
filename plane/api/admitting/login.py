"""Logging in and out. Who asks is nobody yet, so nothing here needs a permission, and every refusal has the same words."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from plane.api import border, calls, cookies, metering
from plane.domain.granting import login as domain
from plane.server import context, entry, exchange, local_login, login, providers, sessions
from plane.server.auditing import visits
from plane.wire import login as shapes

T = TypeVar("T")
Incoming = Request[Any, Any, Any]
SHORT_S = 600  # as long as a log-in may take
TAG = "login"
REFUSED = "a log-in was refused"


def handlers() -> list[HTTPRouteHandler]:
    """What the OpenAPI document names, without a caller."""
    return [_ways, _local, _local_session, _begin, _end, _begin_device, _end_device, _exchange]


def browsers() -> list[HTTPRouteHandler]:
    """What browsers and providers come to; a provider posts a form."""
    return [_web, _callback, _backchannel]


def _doc(answer: Any, operation: str, summary: str, **more: Any) -> calls.Doc:  # noqa: ANN401 - types as values
    return calls.Doc(answer=answer, operation=operation, summary=summary, tag=TAG, public=True, **more)


LOCAL_SESSION = _doc(shapes.LoggedIn, "log_in_locally_here", "A local admin's session in this browser.", body=shapes.Local)


def _told(plane: context.Plane, origin: entry.Origin, work: Callable[[entry.Origin], T]) -> T:
    """Whatever comes of a log-in; the audit log hears of those that are refused, in sums."""
    try:
        return work(origin)
    except domain.Refused:
        visits.refuse(plane, REFUSED, origin.ip)
        raise


def _ended(call: calls.Call, work: Callable[[context.Plane, Any, entry.Origin], T], body: type[Any]) -> T:
    origin, read = entry.Origin(call.caller.actor.ip, call.caller.actor.user_agent, call.caller.request), call.read(body)
    return _told(call.plane, origin, lambda found: work(call.plane, read, found))


def _name(request: Incoming) -> str:
    return str(request.path_params["provider"])[:127]


@calls.endpoint("GET", "/login", _doc(shapes.Ways, "list_ways", "The ways to log in besides a token.", query=shapes.WaysQuery))
def _ways(call: calls.Call) -> shapes.Ways:
    return providers.ways(call.plane, call.query(shapes.WaysQuery).tenant)


@calls.endpoint(
    "POST", "/login/{provider}/begin", _doc(shapes.Begun, "begin_login", "Begin a log-in in a browser for a program.", body=shapes.Begin)
)
def _begin(call: calls.Call) -> shapes.Begun:
    body = call.read(shapes.Begin)
    return shapes.Begun(url=login.begin(call.plane, call.names.name, back=body.back, challenge=body.challenge))


@calls.endpoint("POST", "/login/end", _doc(shapes.LoggedIn, "end_login", "The token of a log-in that a browser ended.", body=shapes.End))
def _end(call: calls.Call) -> shapes.LoggedIn:
    return _ended(call, login.end, shapes.End)


@calls.endpoint(
    "POST", "/login/{provider}/device", _doc(shapes.DeviceBegun, "begin_device_login", "Begin a log-in that ends on another machine.")
)
def _begin_device(call: calls.Call) -> shapes.DeviceBegun:
    return login.begin_device(
        call.plane, call.names.name, entry.Origin(call.caller.actor.ip, call.caller.actor.user_agent, call.caller.request)
    )


@calls.endpoint(
    "POST",
    "/login/device",
    _doc(shapes.LoggedIn, "end_device_login", "The token of a log-in on another machine; empty: not yet.", body=shapes.DeviceEnd),
)
def _end_device(call: calls.Call) -> shapes.LoggedIn:
    return _ended(call, login.end_device, shapes.DeviceEnd)


@calls.endpoint(
    "POST",
    "/login/exchange",
    _doc(shapes.LoggedIn, "exchange_token", "A short token for a machine that its own provider vouches for.", body=shapes.Exchange),
)
def _exchange(call: calls.Call) -> shapes.LoggedIn:
    return _ended(call, exchange.exchange, shapes.Exchange)


@calls.endpoint(
    "POST", "/login/local", _doc(shapes.LoggedIn, "log_in_locally", "A local admin's token, for a password.", body=shapes.Local)
)
def _local(call: calls.Call) -> shapes.LoggedIn:
    return _ended(call, local_login.log_in, shapes.Local)


@post("/login/local/session", status_code=200, sync_to_thread=True, opt={"doc": LOCAL_SESSION}, name="log_in_locally_here")
def _local_session(request: Incoming, call: NamedDependency[calls.Call]) -> Response[bytes]:
    """Never a session that was there before."""
    cookies.check_own(request)
    body, plane = call.read(shapes.Local), call.plane
    made = _told(plane, border.origin(request), lambda origin: local_login.log_in(plane, body, origin, browser=True))
    sessions.leave(plane, request.cookies.get(cookies.SESSION, ""), border.origin(request))
    answer = calls.respond(msgspec.structs.replace(made, token=""))
    cookies.keep(answer, cookies.SESSION, made.token, seconds=local_login.HOURS * 3600)
    return answer


@get(calls.typed("/login/{provider}/web"), sync_to_thread=True, name="web_login")
def _web(request: Incoming) -> Response[Any]:
    """A browser begins; a cookie ties its return to it, so that nobody is logged in as somebody else."""
    metering.stranger(request, border.origin(request).ip)
    secret = login.new_secret()
    address = login.begin(request.app.state.plane, _name(request), back="", challenge=domain.challenge(secret))
    answer = Redirect(address, status_code=303)
    cookies.keep(answer, cookies.STARTED, secret, seconds=SHORT_S)
    return answer


@get(calls.typed("/login/{provider}/callback"), sync_to_thread=True, name="login_callback")
def _callback(request: Incoming) -> Response[Any]:
    """A browser is back: on to the command line, or a new session, never one that was there before."""
    metering.stranger(request, border.origin(request).ip)
    query = dict(request.query_params.items())
    plane, cookie = request.app.state.plane, request.cookies.get(cookies.STARTED, "")
    found = _told(plane, border.origin(request), lambda origin: login.come_back(plane, _name(request), query, cookie=cookie, origin=origin))
    if found.refused:
        visits.refuse(plane, REFUSED, border.origin(request).ip)
    answer = Redirect(found.address or "/", status_code=303)
    if found.session:
        sessions.leave(plane, request.cookies.get(cookies.SESSION, ""), border.origin(request))
        cookies.keep(answer, cookies.SESSION, found.session, seconds=found.hours * 3600)
        cookies.forget(answer, cookies.STARTED)
    return answer


@post(calls.typed("/login/{provider}/backchannel-logout"), status_code=200, name="backchannel_logout")
async def _backchannel(request: Incoming) -> Response[bytes]:
    """A provider says that somebody logged out there (Back-Channel Logout 1.0)."""
    metering.stranger(request, border.origin(request).ip)
    form = await request.form()
    await sync_to_thread(
        login.logged_out, request.app.state.plane, _name(request), str(form.get("logout_token", "")), border.origin(request)
    )
    return Response(b"", headers={"Cache-Control": "no-store"})
