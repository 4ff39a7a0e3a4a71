"""A proxy in front of an API server that fails as networks and API servers do, where and as often as a test says.

    with faultproxy.start(cluster.kubeconfig, tmp_path) as proxy:
        rule = proxy.add(faultproxy.Rule(faultproxy.Status(429, retry_after_s=1), method="PATCH", path="/apis/apps/.*", times=2))
        ...  # a client with proxy.kubeconfig
        proxy.remove(rule)
        assert proxy.count(method="PATCH") == 3

The first rule that fits a request decides; requests no rule fits go through. It speaks to the API server with the kubeconfig's client
certificate for whoever shows the proxy's own token, and hands every other Authorization on as it came.
"""

import asyncio
import base64
import contextlib
import datetime as dt
import functools
import json
import pathlib
import re
import secrets
import ssl
import threading
from collections.abc import AsyncIterator, Iterator, Mapping

import aiohttp
import msgspec
import yaml
import yarl
from aiohttp import web

from plane.run import certificates, threaded
from plane.run.devcluster import credentials
from tests.support import waiting

HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
}
REASONS = {  # Kubernetes' own reason per status
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class Status(msgspec.Struct, frozen=True):
    """Answers with this code and a Kubernetes Status; the API server hears nothing. 410 on a watch or list is `Expired`."""

    code: int
    message: str = "a fault was ordered"
    retry_after_s: int | None = None


class Delay(msgspec.Struct, frozen=True):
    """Passes the request on, late."""

    seconds: float


class Drop(msgspec.Struct, frozen=True):
    """Closes the connection instead of answering; `applied`: the API server has done the work and only its answer is lost."""

    applied: bool = False


class Hang(msgspec.Struct, frozen=True):
    """Half-open: the connection stays and nothing ever comes; `applied`: the API server has done the work."""

    applied: bool = False


class CutWatch(msgspec.Struct, frozen=True):
    """Passes a watch on and breaks the connection after so many events."""

    events: int = 0


class FreezeWatch(msgspec.Struct, frozen=True):
    """Passes a watch on and falls silent after so many events, the connection open."""

    events: int = 0


class GoneWatch(msgspec.Struct, frozen=True):
    """Opens a watch whose first event is the error 410 Expired, as an API server does whose history is too short."""


Fault = Status | Delay | Drop | Hang | CutWatch | FreezeWatch | GoneWatch


class Rule(msgspec.Struct, frozen=True):
    """A fault, where it strikes and how often. Rules with a watch fault strike watches only."""

    fault: Fault
    method: str = "*"
    path: str = ".*"  # a regular expression the whole path must match, without the query
    query: str = ".*"  # the same for the query
    times: int | None = None


class Request(msgspec.Struct, frozen=True):
    """One request as it came and how it was answered; status 0 when the connection was dropped or still hangs."""

    method: str
    path: str
    query: str
    status: int


class FaultProxy:
    """The running proxy; every method may be called from any thread at any time."""

    def __init__(self, kubeconfig: pathlib.Path) -> None:
        self.kubeconfig = kubeconfig
        self.token = secrets.token_urlsafe(24)
        self._lock = threading.Condition()
        self._rules: list[tuple[Rule, int]] = []  # with how often each has struck
        self._requests: list[Request] = []
        self._watches: list[asyncio.Future[None]] = []

    def add(self, rule: Rule) -> Rule:
        """After those that are there."""
        with self._lock:
            self._rules.append((rule, 0))
        return rule

    def remove(self, rule: Rule) -> None:
        """Also one that has struck its last time."""
        with self._lock:
            self._rules = [(kept, struck) for kept, struck in self._rules if kept is not rule]

    def clear(self) -> None:
        """Remove all rules, forget all requests."""
        with self._lock:
            self._rules.clear()
            self._requests.clear()

    @property
    def requests(self) -> tuple[Request, ...]:
        """Answered or given up so far, in the order of their ends; a watch counts from its start."""
        with self._lock:
            return tuple(self._requests)

    def count(self, *, method: str = "*", path: str = ".*", status: int | None = None) -> int:
        """How many requests fit; patterns as in a Rule."""
        return sum(_fits(method, path, one.method, one.path) and status in {None, one.status} for one in self.requests)

    def until(self, *, method: str = "*", path: str = ".*", status: int | None = None) -> None:
        """Wait for the first request that fits; one that hangs has status 0."""
        with self._lock:
            fits = lambda: any(_fits(method, path, one.method, one.path) and status in {None, one.status} for one in self._requests)  # noqa: E731
            assert self._lock.wait_for(fits, waiting.PATIENCE_S), f"waited {waiting.PATIENCE_S:.0f} s for {method} {path}"

    def break_watches(self) -> None:
        """Cut every watch that is open now, so that rules strike what comes in its place."""
        with self._lock:
            for cut in self._watches:
                cut.get_loop().call_soon_threadsafe(cut.set_result, None)
            self._watches.clear()

    def watching(self, request: web.BaseRequest) -> asyncio.Future[None]:
        """Done when this watch is to be cut; never for what is no watch."""
        cut: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if request.query.get("watch") in {"1", "true"}:
            with self._lock:
                self._watches.append(cut)
        return cut

    def struck(self, request: web.BaseRequest) -> Fault | None:
        """The fault of the first rule that fits, counted."""
        watch = request.query.get("watch") in {"1", "true"}
        with self._lock:
            for place, (rule, times) in enumerate(self._rules):
                fits = _fits(rule.method, rule.path, request.method, request.path) and (watch or not _of_watches(rule.fault))
                fits = fits and re.fullmatch(rule.query, request.query_string) is not None
                if fits and (rule.times is None or times < rule.times):
                    self._rules[place] = (rule, times + 1)
                    return rule.fault
        return None

    def record(self, request: web.BaseRequest, status: int) -> None:
        """Note an answer."""
        with self._lock:
            self._requests.append(Request(method=request.method, path=request.path, query=request.query_string, status=status))
            self._lock.notify_all()


class Target(msgspec.Struct, frozen=True):
    """The API server, and how to reach it as the kubeconfig's user and as nobody."""

    server: str
    admin: ssl.SSLContext
    anonymous: ssl.SSLContext


class Upstream(msgspec.Struct, frozen=True):
    """Open sessions to the API server."""

    server: str
    admin: aiohttp.ClientSession
    anonymous: aiohttp.ClientSession


@contextlib.contextmanager
def start(kubeconfig: pathlib.Path, folder: pathlib.Path) -> Iterator[FaultProxy]:
    """Stand before the cluster of this kubeconfig (current context, client certificate) until the end of the block."""
    proxy = FaultProxy(folder / "faultproxy.kubeconfig")
    authority = certificates.Authority("faultproxy", now=dt.datetime.now(dt.UTC))
    authority.server("faultproxy", ("127.0.0.1", "localhost")).write(folder, "faultproxy")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "faultproxy.crt", folder / "faultproxy.key")
    with threaded.serve(functools.partial(_resources, proxy, _target(kubeconfig, folder)), tls=tls) as served:
        url = f"https://127.0.0.1:{served.port}"
        text = credentials.kubeconfig("faultproxy", server=url, ca=authority.pair.certificate, user={"token": proxy.token})
        certificates.write_private(proxy.kubeconfig, text.encode())
        yield proxy


def _target(kubeconfig: pathlib.Path, folder: pathlib.Path) -> Target:
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    pair = folder / "upstream.pem"
    certificates.write_private(pair, decoded(user, "client-certificate-data") + decoded(user, "client-key-data"))
    known, unknown = (ssl.create_default_context(cadata=decoded(cluster, "certificate-authority-data").decode()) for _ in range(2))
    known.load_cert_chain(pair)
    return Target(server=cluster["server"], admin=known, anonymous=unknown)


@contextlib.asynccontextmanager
async def _resources(proxy: FaultProxy, target: Target) -> AsyncIterator[threaded.Handler]:
    async with _session(target.admin) as admin, _session(target.anonymous) as anonymous:
        yield functools.partial(_answer, proxy, Upstream(server=target.server, admin=admin, anonymous=anonymous))


def _session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    return aiohttp.ClientSession(connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None))


async def _answer(proxy: FaultProxy, upstream: Upstream, request: web.BaseRequest) -> web.StreamResponse:
    await request.read()  # as an API server does; to answer before would cost the client its connection
    match proxy.struck(request):
        case Status() as fault:
            proxy.record(request, fault.code)
            return _status(fault)
        case GoneWatch():
            proxy.record(request, 200)
            return web.Response(body=json.dumps({"type": "ERROR", "object": _body(Status(410))}) + "\n", content_type="application/json")
        case Drop(applied=applied):
            await _swallowed(proxy, upstream, request, applied=applied)
            return _broken(request)
        case Hang(applied=applied):
            await _swallowed(proxy, upstream, request, applied=applied)
            await asyncio.Event().wait()
            return _broken(request)
        case Delay(seconds=seconds):
            await asyncio.sleep(seconds)
            return await _passed(proxy, upstream, request, None)
        case (CutWatch() | FreezeWatch() | None) as fault:
            return await _passed(proxy, upstream, request, fault)


async def _swallowed(proxy: FaultProxy, upstream: Upstream, request: web.BaseRequest, *, applied: bool) -> None:
    """What is answered reaches nobody."""
    if applied:
        async with _sent(proxy, upstream, request) as answer:
            await answer.read()
    proxy.record(request, 0)


async def _passed(
    proxy: FaultProxy, upstream: Upstream, request: web.BaseRequest, fault: CutWatch | FreezeWatch | None
) -> web.StreamResponse:
    async with _sent(proxy, upstream, request) as answer:
        response = web.StreamResponse(status=answer.status, headers=_end_to_end(answer.headers))
        if answer.content_length is None:
            response.enable_chunked_encoding()
        proxy.record(request, answer.status)
        await response.prepare(request)
        if fault is None:
            passing = asyncio.ensure_future(_copy(answer, response))
            cut = proxy.watching(request)
            await asyncio.wait([passing, cut], return_when=asyncio.FIRST_COMPLETED)
            if cut.done():
                passing.cancel()
                return _broken(request)
            await passing
        else:
            await _events(answer, response, fault.events)
            if isinstance(fault, CutWatch):
                return _broken(request)
            await asyncio.Event().wait()
        await response.write_eof()
        return response


async def _copy(answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
    with contextlib.suppress(ConnectionResetError):  # a client that was killed reads no more
        async for chunk in answer.content.iter_any():
            await response.write(chunk)


async def _events(answer: aiohttp.ClientResponse, response: web.StreamResponse, count: int) -> None:
    """Pass on so many lines: a JSON watch has one event per line."""
    for _ in range(count):
        await response.write(await answer.content.readuntil(b"\n"))


@contextlib.asynccontextmanager
async def _sent(proxy: FaultProxy, upstream: Upstream, request: web.BaseRequest) -> AsyncIterator[aiohttp.ClientResponse]:
    headers = _end_to_end(request.headers)
    session = upstream.anonymous
    if request.headers.get("Authorization") == f"Bearer {proxy.token}":
        session = upstream.admin
        del headers["Authorization"]
    url = yarl.URL(upstream.server + request.path_qs, encoded=True)
    async with session.request(request.method, url, headers=headers, data=await request.read() or None, allow_redirects=False) as answer:
        yield answer


def _status(fault: Status) -> web.Response:
    headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
    return web.json_response(_body(fault), status=fault.code, headers=headers)


def _body(fault: Status) -> dict[str, object]:
    """The Status object an API server sends with this code."""
    details = {} if fault.retry_after_s is None else {"details": {"retryAfterSeconds": fault.retry_after_s}}
    said = {"status": "Failure", "message": fault.message, "reason": REASONS.get(fault.code, ""), "code": fault.code}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, **said, **details}


def _broken(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}


def _fits(wanted: str, pattern: str, method: str, path: str) -> bool:
    return wanted in {"*", method} and re.fullmatch(pattern, path) is not None


def _of_watches(fault: Fault) -> bool:
    return isinstance(fault, CutWatch | FreezeWatch | GoneWatch)


def decoded(user: Mapping[str, str], key: str) -> bytes:
    """A `…-data` field of a kubeconfig."""
    return base64.b64decode(user[key])
