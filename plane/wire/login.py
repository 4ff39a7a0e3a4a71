"""The REST bodies of logging in."""

from typing import Annotated

import msgspec

from plane.wire import rest

Secret = Annotated[str, msgspec.Meta(min_length=20, max_length=200, pattern=r"^[A-Za-z0-9._~-]+\Z")]


class Way(rest.Answer, frozen=True, kw_only=True):
    """One way to log in."""

    name: str
    title: str


class Ways(rest.Answer, frozen=True, kw_only=True):
    """All ways to log in besides a token. `local`: with a password, for local admins."""

    items: tuple[Way, ...]
    local: bool = False


class WaysQuery(rest.Body, frozen=True, kw_only=True):
    """`tenant`: also where its own people log in."""

    tenant: Annotated[str, msgspec.Meta(max_length=63)] = ""


class ProviderTested(rest.Answer, frozen=True, kw_only=True):
    """`problems`: why log-ins will fail. `redirect`: the address to register there; `device`: codes for other machines work too."""

    ok: bool
    problems: tuple[str, ...] = ()
    redirect: str = ""
    keys: int = 0
    device: bool = False


class Begin(rest.Body, frozen=True, kw_only=True):
    """`back`: an address of the caller's own machine that the browser comes back to; `challenge`: S256 of a verifier (RFC 7636)."""

    back: Annotated[str, msgspec.Meta(max_length=200)]
    challenge: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}\Z")]


class Begun(rest.Answer, frozen=True, kw_only=True):
    """Where the browser goes."""

    url: str


class End(rest.Body, frozen=True, kw_only=True):
    """`code`: what the browser brought back; `verifier`: what the challenge was made of."""

    code: Secret
    verifier: Secret


class DeviceBegun(rest.Answer, frozen=True, kw_only=True):
    """What somebody types at `verificationUri` on any machine; `handle`: what the caller asks again with, every `interval` seconds."""

    handle: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    interval: int
    expires_in: int


class DeviceEnd(rest.Body, frozen=True, kw_only=True):
    """The handle of a log-in under way."""

    handle: Secret


class Exchange(rest.Body, frozen=True, kw_only=True):
    """A token of a machine's own identity provider, and the rule that trusts it: `NAME`, or `TENANT.NAME` for a tenant's own."""

    rule: Annotated[str, msgspec.Meta(max_length=127)]
    token: Annotated[str, msgspec.Meta(max_length=16384)]


class LoggedIn(rest.Answer, frozen=True, kw_only=True):
    """`token` is shown this once; empty while a device's log-in is still under way. `slowDown`: ask 5 seconds more rarely from now on."""

    token: str = ""
    slow_down: bool = False
    name: str = ""
    expires_at: str = ""


class ThisSession(rest.Answer, frozen=True, kw_only=True):
    """The session that asks; `csrfToken`: what the header X-CSRF-Token holds in each of its changes."""

    id: str
    name: str
    csrf_token: str
    expires_at: str


class Session(rest.Answer, frozen=True, kw_only=True):
    """A browser's session; `address` and `browser`: where it was begun, `usedAt`: to within a minute, `this`: it is the one that asks."""

    id: str
    name: str
    address: str
    browser: str
    created_at: str
    expires_at: str
    used_at: str = ""
    this: bool = False


class Local(rest.Body, frozen=True, kw_only=True):
    """A local admin's name and password."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class NewPassword(rest.Body, frozen=True, kw_only=True):
    """One's own, in place of the one before."""

    current: Annotated[str, msgspec.Meta(max_length=256)]
    new: Annotated[str, msgspec.Meta(max_length=256)]


class PasswordChanged(rest.Answer, frozen=True, kw_only=True):
    """`ended`: other tokens and sessions of one's own that the password before had begun."""

    name: str
    ended: int
