"""Browsers' sessions: this one, one's own, those of others; and logging out."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from plane.api import calls, cookies
from plane.server import local_login, sessions
from plane.wire import login as shapes
from plane.wire import rest

TAG = "login"
THIS = calls.Doc(answer=shapes.ThisSession, operation="this_session", summary="The browser's session that asks.", tag=TAG)
OUT = calls.Doc(answer=rest.Deleted, operation="log_out", summary="End the token or the session that is shown.", tag=TAG)
Incoming = Request[Any, Any, Any]


def handlers() -> list[HTTPRouteHandler]:
    """One's own, those of a tenant's people, and of the platform's."""
    return [this, log_out, _OWN, _END, _PASSWORD, *_at("/tenants/{tenant}", ""), *_at("", "platform_")]


@get("/session", sync_to_thread=True, opt={"doc": THIS}, name="this_session")
def this(request: Incoming, call: NamedDependency[calls.Call]) -> Response[bytes]:
    """For a page, which cannot read its cookie."""
    return calls.respond(sessions.this(call.plane, call.caller, str(request.auth)))


@post("/logout", status_code=200, sync_to_thread=True, opt={"doc": OUT}, name="log_out")
def log_out(call: NamedDependency[calls.Call]) -> Response[bytes]:
    """Holds at once."""
    sessions.log_out(call.plane, call.caller)
    answer = calls.respond(rest.Deleted(name=call.caller.actor.name))
    cookies.forget(answer, cookies.SESSION)
    return answer


_OWN = calls.endpoint(
    "GET",
    "/sessions",
    calls.Doc(
        answer=rest.Page[shapes.Session], operation="list_own_sessions", summary="The caller's open ones.", tag=TAG, query=rest.PageQuery
    ),
)(lambda call: sessions.page_own(call.plane, call.caller, call.query(rest.PageQuery)))
_END = calls.endpoint(
    "DELETE",
    "/sessions/{session}",
    calls.Doc(answer=rest.Deleted, operation="end_own_session", summary="End one of the caller's at once.", tag=TAG),
)(lambda call: sessions.end_own(call.plane, call.caller, call.path["session"]))

_PASSWORD = calls.endpoint(
    "POST",
    "/me/password",
    calls.Doc(
        answer=shapes.PasswordChanged,
        operation="change_password",
        summary="One's own, as a local admin; ends all else that the one before began.",
        tag=TAG,
        body=shapes.NewPassword,
    ),
)(lambda call: local_login.change(call.plane, call.caller, call.read(shapes.NewPassword)))


def _at(above: str, prefix: str) -> list[HTTPRouteHandler]:
    many = f"{above}/people/{{person}}/sessions"

    def doc(answer: Any, operation: str, summary: str, **more: Any) -> calls.Doc:  # noqa: ANN401 - types as values
        return calls.Doc(answer=answer, summary=summary, tag="access", operation=prefix + operation, **more)

    return [
        calls.endpoint(
            "GET", many, doc(rest.Page[shapes.Session], "list_sessions", "Somebody's open sessions in browsers.", query=rest.PageQuery)
        )(lambda call: sessions.page(call.plane, call.caller, call.names, call.query(rest.PageQuery))),
        calls.endpoint("DELETE", f"{many}/{{session}}", doc(rest.Deleted, "end_session", "End one of them at once."))(
            lambda call: sessions.end(call.plane, call.caller, call.names, call.path["session"])
        ),
    ]
