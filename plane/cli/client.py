"""REST as the commands use it: one connection, bounded patience, every refusal a `failures.Failed`."""

import contextlib
import json
import re
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Self

import httpx
import msgspec

from plane.cli import contexts, failures
from plane.domain import version

BASE = "/api/v1"
CONNECT_S = 5.0
ANSWER_S = 60.0  # a diff waits for an agent, which polls every 30 s at worst
TRIES = 4
PATIENCE_S = 30.0  # the longest pause a server may ask for before we give up instead
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"  # OpenSSL's words, as httpx passes them on
_NO_TLS = "WRONG_VERSION_NUMBER"
_SILENT = "disconnected without sending a response"  # httpx's
_NOISE = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$|\.$")  # numbers and places in OpenSSL's source
STREAM_S = 45.0  # the plane sends a comment every 15 s; three missed mean a dead connection

Json = dict[str, Any]


class Reply(msgspec.Struct, frozen=True):
    """A good answer. `etag` as it came, quotes and all."""

    status: int
    body: Any
    etag: str = ""


class Event(msgspec.Struct, frozen=True):
    """One server-sent event whose data is JSON."""

    name: str
    body: Any
    id: str = ""


class Client:
    """Talks to one plane as one caller; a context manager."""

    def __init__(self, context: contexts.Context) -> None:
        self._place = context.url
        headers = {"Accept": "application/json", "User-Agent": f"plane/{version.VERSION}"}
        if context.token:
            headers["Authorization"] = f"Bearer {context.token}"
        self._http = httpx.Client(
            base_url=context.url.rstrip("/") + BASE,
            headers=headers,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            verify=_trust(context.ca),
            follow_redirects=False,  # a token is for the address it was made for
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: object) -> Reply:
        """One document or one page."""
        return self.call("GET", path, params=params)

    def call(self, method: str, path: str, *, body: object = None, params: Mapping[str, object] | None = None, etag: str = "") -> Reply:
        """Any request. A write carries an Idempotency-Key, so that trying again never does it twice, and If-Match when `etag` is given."""
        sent = {"If-Match": etag} if etag else {}
        if method != "GET":
            sent["Idempotency-Key"] = str(uuid.uuid4())
        request = self._http.build_request(method, path, json=body, params=_given(params or {}), headers=sent)
        response = self._patiently(request)
        return Reply(response.status_code, _json(response), response.headers.get("ETag", ""))

    def items(self, path: str, *, limit: int = 0, **params: object) -> Iterator[Json]:
        """All items of a collection, page by page; `limit` 0: to the end."""
        cursor, left = "", limit
        while True:
            page = self.get(path, cursor=cursor, limit=min(left, 500) if limit else 500, **params).body
            found = page["items"][:left] if limit else page["items"]
            yield from found
            left -= len(found)
            cursor = page.get("next") or ""
            if not cursor or (limit and left <= 0):
                return

    def lines(self, path: str, **params: object) -> Iterator[str]:
        """A long answer, line by line as it arrives."""
        request = self._http.build_request("GET", path, params=_given(params))
        yield from self._stream(request)

    @contextlib.contextmanager
    def opened(self, path: str, **params: object) -> Iterator[httpx.Response]:
        """A long answer whose body is still to be read."""
        response = self._patiently(self._http.build_request("GET", path, params=_given(params)), stream=True)
        try:
            yield response
        except httpx.TransportError as error:
            raise self.away(error) from error
        finally:
            response.close()

    def events(self, path: str, **params: object) -> Iterator[Event]:
        """Server-sent events until the plane closes the stream."""
        request = self._http.build_request("GET", path, params=_given(params), headers={"Accept": "text/event-stream"})
        request.extensions["timeout"] = httpx.Timeout(STREAM_S, connect=CONNECT_S).as_dict()
        yield from parse_events(self._stream(request))

    def _stream(self, request: httpx.Request) -> Iterator[str]:
        response = self._patiently(request, stream=True)
        try:
            yield from response.iter_lines()
        except httpx.TransportError as error:
            raise self.away(error) from error
        finally:
            response.close()

    def _patiently(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """Send, and again when the plane says 503 or 429 or cannot be reached, a bounded number of times."""
        for attempt in range(1, TRIES + 1):
            pause = 0.2 * 2**attempt
            try:
                response = self._http.send(request, stream=stream)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError) as error:
                if attempt == TRIES or _hopeless(error):
                    raise self.away(error) from error
            except httpx.HTTPError as error:
                raise self.away(error) from error
            else:
                asked = _retry_after(response)
                if asked is None or attempt == TRIES or asked > PATIENCE_S:
                    return _accepted(response)
                response.close()
                pause = max(pause, asked)
            time.sleep(pause)
        raise AssertionError

    def away(self, error: Exception) -> failures.Failed:
        """Why the plane did not answer, and what to look at."""
        reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
        plain = _NOISE.sub("", reason)
        return failures.Away(f"the plane at {self._place} cannot be reached: {plain}; {_way_out(reason, self._place)}")


def parse_events(lines: Iterator[str]) -> Iterator[Event]:
    """Events of a text/event-stream: fields until an empty line; comments are heartbeats and say nothing."""
    name, number, parts = "message", "", list[str]()
    for line in lines:
        if not line:
            if parts:
                yield Event(name, json.loads("\n".join(parts)), number)
            name, parts = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            parts.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            number = value


def _given(params: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value not in ("", None)}


def _trust(ca: str) -> ssl.SSLContext:
    """The authorities in the file; without one, the system's, as an agent takes them."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise failures.WrongUse(
            f"{ca}: no PEM certificates can be read here ({error.strerror or error}); name the plane's CA with `--ca` or PLANE_CA"
        ) from error


def _hopeless(error: Exception) -> bool:
    """A certificate that was refused, or an end that speaks no TLS, stays as it is."""
    return any(word in str(error) for word in (_UNTRUSTED, _NO_TLS))


def _way_out(reason: str, place: str) -> str:
    if _UNTRUSTED in reason:
        return "for a certificate of a private authority, name that with `--ca FILE` at `plane login` or `plane context set`"
    if _NO_TLS in reason:
        return "this port does not speak TLS; check the port, or write http:// for a plane behind a proxy of yours"
    if _SILENT in reason and place.startswith("http:"):
        return "if this port speaks TLS, write https://"
    return "check the address with `plane context show`, and that the plane runs"


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait before trying again; None: do not."""
    if response.status_code not in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS}:
        return None
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else None


def _accepted(response: httpx.Response) -> httpx.Response:
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    response.read()
    response.close()
    if response.is_redirect:
        raise failures.WrongUse(
            f"the plane redirects to {response.headers.get('Location', 'nowhere')}; log in to that address if you trust it"
        )
    found = _json(response)
    raise failures.Refused(response.status_code, found if isinstance(found, dict) else {})


def _json(response: httpx.Response) -> Any:  # noqa: ANN401 any JSON
    if response.is_stream_consumed and not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        if not response.is_success:
            return {}
        raise failures.Failed(
            "the answer is not JSON: this address does not seem to be a plane; check it with `plane context show`", code=failures.AWAY
        ) from error
