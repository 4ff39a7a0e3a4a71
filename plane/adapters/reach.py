"""How an address that a document names is reached: looked at before, and never through a redirect or a proxy."""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib import parse

import httpx
import msgspec

from plane.adapters.git import url as addresses
from plane.domain import errors
from plane.domain.auditing import sinks

TIMEOUT_S = 30.0
CONNECT_S = 10.0
SHOWN = 200  # characters of an answer that are told
LATER = frozenset({401, 403, 404, 408, 409, 425, 429})  # said of the sink and not of the events: somebody may put it right
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Pinned(msgspec.Struct, frozen=True):
    """A request's URL at the address that was checked, and what it must say so that the far end is still the one by name."""

    url: str
    headers: Mapping[str, str]
    extensions: Mapping[str, str]


class Reach(msgspec.Struct, frozen=True):
    """`allowed`: networks of private addresses that may be reached; `what`: by whom, in sentences."""

    allowed: tuple[Network, ...] = ()
    what: str = "sink"

    def address(self, host: str, port: int) -> str:
        """The address to connect to, checked, so that a second DNS answer cannot move the connection; BackendDown."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as e:
            raise errors.BackendDown(self.what, f"the host name {host} does not resolve") from e
        texts = [str(entry[4][0]).partition("%")[0] for entry in found]
        private = next((text for text in texts if not addresses.reachable(text, self.allowed)), "")
        if private:
            raise errors.BackendDown(self.what, f"{host} is the address {private}, which is not public; an operator may allow its network")
        return texts[0]

    def pinned(self, url: str) -> Pinned:
        """Where a request goes, so that a second DNS answer cannot move it; BackendDown."""
        parts = parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        place = self.address(host, port)
        target = parse.urlunsplit((parts.scheme, f"[{place}]:{port}" if ":" in place else f"{place}:{port}", parts.path, parts.query, ""))
        return Pinned(target, {"Host": parts.netloc.rpartition("@")[2]}, {"sni_hostname": host})

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, ca_pem: str = "", method: str = "POST") -> httpx.Response:
        """One request; an answer below 300.

        Raises:
            BackendDown: no answer, or one that may be another later. Refused: the far end will not have it.
        """
        pinned, host = self.pinned(url), parse.urlsplit(url).hostname or ""
        sent = {name: value for name, value in headers.items() if name.lower() != "host"} | dict(pinned.headers)
        try:
            with httpx.Client(verify=trust(ca_pem), timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_S), trust_env=False) as client:
                answer = client.request(method, pinned.url, content=body, headers=sent, extensions=dict(pinned.extensions))
        except httpx.HTTPError as e:
            raise errors.BackendDown("sink", f"{host} cannot be reached: {str(e) or type(e).__name__}") from e
        return accepted(answer, host)


def accepted(answer: httpx.Response, host: str) -> httpx.Response:
    """An answer below 300; otherwise as `post`."""
    if answer.is_success:
        return answer
    said = f"{host} answered {answer.status_code}: {answer.text[:SHOWN]!r}"
    if answer.is_client_error and answer.status_code not in LATER:
        raise sinks.Refused(said)
    raise errors.BackendDown("sink", said)


def trust(ca_pem: str, *, what: str = "sink") -> ssl.SSLContext:
    """The system's authorities, or those given alone."""
    try:
        return ssl.create_default_context(cadata=ca_pem or None)
    except ssl.SSLError as e:
        raise errors.BackendDown(what, "caPem holds no certificate that can be read") from e
