"""Requests to a registry: every hop's address checked and pinned, time and size bounded, no log-in carried to another host."""

import ssl
import time
from collections.abc import Mapping
from urllib import parse

import httpx
import msgspec

from plane.adapters import reach
from plane.domain import errors
from plane.domain.reading import addresses

WHAT = "registry"
HOPS = 5  # registries send to a store of blobs, and that may send on
DEADLINE_S = 300.0  # of a whole look, as of a fetch from Git, so that nobody holds a worker by one byte at a time
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OWN = ("Authorization",)  # what is said to the registry and to nobody it sends us to


class Answer(msgspec.Struct, frozen=True):
    """`headers`: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wish(msgspec.Struct, frozen=True):
    """A request. `most`: bytes of the answer."""

    method: str
    url: str
    most: int
    headers: Mapping[str, str] = {}


class Transport:
    """For one look at one repository, which begins now. `ca_pem`: whom alone to trust; empty: the system's authorities."""

    def __init__(self, way: reach.Reach, *, ca_pem: str, deadline_s: float = DEADLINE_S) -> None:
        self._way, self._until = way, time.monotonic() + deadline_s
        self._trust = reach.trust(ca_pem, what=WHAT)

    def ask(self, wish: Wish) -> Answer:
        """The last hop's answer, whatever its status.

        Raises:
            BackendDown: no answer, or the look's time is over. SourceRefused: it is too large, or leads where we do not follow.
        """
        for _ in range(HOPS + 1):
            answer = self._hop(wish)
            if answer.status not in REDIRECTS:
                return answer
            wish = _followed(wish, answer.headers.get("location", ""))
        raise errors.SourceRefused(f"{_host(wish.url)} was reached by more than {HOPS} redirects; name the registry itself")

    def _hop(self, wish: Wish) -> Answer:
        pinned = self._way.pinned(wish.url)
        headers = {"Accept-Encoding": "identity", **wish.headers, **pinned.headers}
        wait = httpx.Timeout(reach.TIMEOUT_S, connect=reach.CONNECT_S)
        try:
            # A client for each hop: a connection kept open is known by its address, and two names may share one.
            with (
                httpx.Client(verify=self._trust, timeout=wait, trust_env=False) as client,
                client.stream(wish.method, pinned.url, headers=headers, extensions=dict(pinned.extensions)) as answer,
            ):
                body = _body(answer, wish, self._until)
        except (httpx.HTTPError, ssl.SSLError) as e:
            raise errors.BackendDown(WHAT, f"{_host(wish.url)} cannot be reached: {str(e) or type(e).__name__}") from e
        return Answer(answer.status_code, {name.lower(): text for name, text in answer.headers.items()}, body)


def _body(answer: httpx.Response, wish: Wish, until: float) -> bytes:
    found = bytearray()
    for piece in answer.iter_raw():
        found += piece
        if len(found) > wish.most:
            raise errors.SourceRefused(f"{_host(wish.url)} answers with more than the {wish.most:,} bytes that were to be expected")
        if time.monotonic() > until:
            raise errors.BackendDown(WHAT, f"{_host(wish.url)} takes too long for its answers")
    return bytes(found)


def _followed(wish: Wish, location: str) -> Wish:
    """SourceRefused for a place that is none, or not behind TLS."""
    url = parse.urljoin(wish.url, location)
    parts = addresses.parts(url)
    if not location or parts is None or parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise errors.SourceRefused(f"{_host(wish.url)} redirects to what is no https:// address")
    kept = wish.headers if _host(url) == _host(wish.url) else {name: text for name, text in wish.headers.items() if name not in OWN}
    return msgspec.structs.replace(wish, url=parse.urldefrag(url).url, headers=kept)


def _host(url: str) -> str:
    """With its port: another port may be somebody else's."""
    return parse.urlsplit(url).netloc.rpartition("@")[2].lower()
