"""Somebody in a browser: a session's cookie, and what the plane's own pages send with it."""

import httpx
import msgspec

from plane.domain import access
from plane.domain.granting import web
from plane.server import context, entry
from plane.store import engine
from plane.store.people import logins, people
from tests.support.rest import V1, Api

ORIGIN = "https://plane.example"
OWN = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Host": "plane.example"}


class Browser(msgspec.Struct, frozen=True):
    """One session."""

    api: Api
    secret: str

    def call(self, method: str, path: str, body: object = None, **headers: str | None) -> httpx.Response:
        """As the plane's own page does it; a header that is None is left out."""
        sent: dict[str, str | None] = {**OWN, "Cookie": f"__Host-plane-session={self.secret}", web.HEADER: web.proof(self.secret)}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in sent.items() if value is not None}
        return self.api.client.request(method, V1 + path, headers=given, json=body)


def session(api: Api, plane: context.Plane, name: str, *, tenant: str = "") -> Browser:
    """A new one of somebody who is there."""
    return Browser(api, _entered(plane, name, tenant=tenant, kind=entry.SESSION))


def login(api: Api, plane: context.Plane, name: str, *, tenant: str = "") -> Api:
    """The same by their command line: a token that nobody made for them."""
    return api.with_token(_entered(plane, name, tenant=tenant, kind="user"))


def _entered(plane: context.Plane, name: str, *, tenant: str, kind: str) -> str:
    home = access.PLATFORM_TENANT
    if tenant:
        with engine.dispatch(plane.engine) as tx:
            place = people.place(tx, tenant, "")
            assert place
            home = place[0]
    with engine.begin(plane.engine, access.Scope(home, access.SYSTEM)) as tx:
        who = logins.named(tx, home, name, "user")
        assert who
        made = entry.Made(home, who, "web-test", entry.LONGEST, kind, "test")
        return entry.issue(plane, tx, made, entry.Origin("192.0.2.7", "Browser/1.0")).token
