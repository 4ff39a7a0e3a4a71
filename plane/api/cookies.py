"""The cookies of browsers that log in, and what a request with one must show."""

from typing import Any

from litestar import Response
from litestar.connection import ASGIConnection

from plane.domain import errors
from plane.domain.granting import web
from plane.server import entry

STARTED = "__Host-plane-login"  # ties the end of a log-in to the browser that began it
SESSION = "__Host-plane-session"
Connection = ASGIConnection[Any, Any, Any, Any]


def keep(answer: Response[Any], name: str, value: str, *, seconds: int) -> None:
    """A browser takes the name's prefix only of a cookie that is Secure, for the whole host and for no other (RFC 6265bis, 4.1.3.2)."""
    answer.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def forget(answer: Response[Any], name: str) -> None:
    """With the same attributes: a browser refuses the prefix without them, and would keep the cookie."""
    keep(answer, name, "", seconds=0)


def session(connection: Connection) -> str:
    """The secret of the session that a request shows, or the empty string.

    Raises:
        CrossSite: another site may have made the request.
    """
    secret: str = connection.cookies.get(SESSION, "")
    if secret:
        web.check(asked(connection), own=_own(connection), secret=secret, shown=connection.headers.get(web.HEADER, ""))
    if secret and not secret.startswith(f"gp_{entry.SESSION}_"):
        raise errors.Unauthenticated("the cookie holds no session")
    return secret


def check_own(connection: Connection) -> None:
    """CrossSite when another site may have made a request that begins a session."""
    web.check_site(asked(connection), own=_own(connection))


def asked(connection: Connection) -> web.Asked:
    """What the browser says about who made the request."""
    headers = connection.headers
    method = str(connection.scope.get("method", "GET"))
    return web.Asked(method=method, origin=headers.get("Origin", ""), site=headers.get("Sec-Fetch-Site", ""), host=headers.get("Host", ""))


def _own(connection: Connection) -> str:
    return str(connection.app.state.plane.logins.url)
