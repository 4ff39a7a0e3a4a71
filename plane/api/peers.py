"""The client's certificate, where the server ends TLS itself and asks for one."""

from litestar.types import HTTPScope

from plane.domain.permitting import certificates

EXTENSION = "plane.tls"  # of the ASGI scope; no header of a request can say it


def of(scope: HTTPScope) -> certificates.Peer:
    """Who is at the other end; NOBODY without a certificate."""
    found = (scope.get("extensions") or {}).get(EXTENSION, {})
    peer = found.get("peer") if isinstance(found, dict) else None
    return peer if isinstance(peer, certificates.Peer) else certificates.NOBODY
