"""Which addresses `git` may be sent to: an own parser and allow-list, run before any process starts."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable

import msgspec

from plane.domain import errors

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Iterable[str]]

DEFAULT_PORTS = {"https": 443, "ssh": 22}
MAX_LENGTH = 2048
NAT64 = ipaddress.ip_network("64:ff9b::/96")

_PRINTABLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*\.?|\[[0-9A-Fa-f:.]+\]")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_PATH = re.compile(r"/(?:[A-Za-z0-9._~+@/-]|%[2-7][0-9A-Fa-f])+")
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<user>[^/]*)@)?(?P<host>\[[^\]/]*\]|[^:/@]*)(?::(?P<port>[^/]*))?(?P<path>/.*)?"
)
_SCP = re.compile(r"(?:(?P<user>[A-Za-z0-9_.-]+)@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>[^:].*)")


class Address(msgspec.Struct, frozen=True):
    """A URL taken apart. `host` is lower case, IPv6 without brackets; `user` only for ssh."""

    scheme: str
    host: str
    port: int
    path: str
    user: str = ""

    @property
    def netloc(self) -> str:
        """Host as URLs and known_hosts write it, with the port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{self.netloc}{self.path}"


def parse(url: str) -> Address:
    """Take a repository URL apart; SourceRefused when it is anything but a plain https:// or ssh:// one.

    The sentences never repeat a refused URL: its user part may hold a password.
    """
    if len(url) > MAX_LENGTH or not _PRINTABLE.fullmatch(url):
        raise errors.SourceRefused(
            "repoURL: spaces, line breaks and non-ASCII characters are not allowed; write a plain https:// or ssh:// URL"
        )
    found = _URL.fullmatch(url)
    if not found or found["scheme"] not in DEFAULT_PORTS:
        raise errors.SourceRefused(f"repoURL: only https:// and ssh:// are allowed{_hint(url)}")
    scheme, user, host = found["scheme"], found["user"], found["host"]
    if user is not None and scheme == "https":
        raise errors.SourceRefused("repoURL: an https URL must not hold a user or password; put them into the repository's credential")
    if user is not None and not _USER.fullmatch(user):
        raise errors.SourceRefused("repoURL: the user before @ must be a plain name without a password")
    if not _HOST.fullmatch(host):
        raise errors.SourceRefused("repoURL: the host must be a DNS name or an IP address")
    return Address(scheme, host.strip("[]").rstrip(".").lower(), _port(scheme, found["port"]), _path(found["path"]), user or "")


def _hint(url: str) -> str:
    scp = _SCP.fullmatch(url)
    if scp and "::" not in url and "@" in url:
        return f"; write ssh://{scp['user']}@{scp['host']}/{scp['path'].lstrip('/')}"
    return "; not ext::, file://, http://, git:// or a local path"


def _port(scheme: str, text: str | None) -> int:
    if text is None:
        return DEFAULT_PORTS[scheme]
    if not text.isdecimal() or not 0 < int(text[:6]) < 65536:  # noqa: PLR2004  # TCP's own range
        raise errors.SourceRefused("repoURL: the port must be a number from 1 to 65535")
    return int(text)


def _path(text: str | None) -> str:
    if not text or not _PATH.fullmatch(text):
        raise errors.SourceRefused("repoURL: the path must name a repository, without query, fragment or special characters")
    if ".." in re.sub("%2[eE]", ".", text).split("/"):
        raise errors.SourceRefused("repoURL: the path must not contain `..`")
    return text


def lookup(host: str, port: int) -> tuple[str, ...]:
    """The host's addresses by the system's resolver; BackendDown when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as e:
        raise errors.BackendDown("git", f"the host name {host} does not resolve; check the URL, and the DNS where the plane runs") from e
    return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def pin(address: Address, *, allowed: Iterable[Network], resolve: Resolver = lookup) -> tuple[str, ...]:
    """The addresses to connect to, all of them checked, so that a second DNS answer cannot move the connection.

    Raises:
        SourceRefused: one of them is private, loopback, link-local or otherwise not public, and not in `allowed`.
    """
    networks = tuple(allowed)
    found = tuple(resolve(address.host, address.port))
    for text in found:
        if not reachable(text, networks):
            raise errors.SourceRefused(
                f"repoURL: {address.host} is the address {text}, which is not public; an operator may allow its network for Git"
            )
    return found


def reachable(text: str, allowed: tuple[Network, ...]) -> bool:
    """Whether an address is public, or in a network that was allowed."""
    address = ipaddress.ip_address(text)
    if any(address.version == network.version and address in network for network in allowed):
        return True
    inner = _inner(address)
    if inner is not None:
        return reachable(str(inner), allowed)
    return address.is_global and not address.is_multicast


def _inner(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, so that no notation hides 127.0.0.1 or 169.254.169.254."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
