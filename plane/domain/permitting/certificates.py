"""Client certificates that agents show besides their own signed requests: by SPIFFE ID, or one certificate by its fingerprint."""

import re
from collections.abc import Iterable
from urllib import parse

import msgspec

from plane.domain.permitting import globs

_SPIFFE = re.compile(r"spiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._*-]{1,200}){1,10}")  # SPIFFE ID 2.1, with * inside a segment
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")
CLIENT = b"x-client-cert"  # the PEM, percent-encoded: nginx's $ssl_client_escaped_cert
FORWARDED = b"x-forwarded-client-cert"  # Envoy's, with Cert among its parts
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_ELEMENT = re.compile(rb'(?:^|[;,])Cert="([^"]*)"', re.IGNORECASE)
REMEDY = "give the agent --certificate-file and --certificate-key-file, and the server PLANE_TLS_CLIENT_CA"


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end of a connection, as the handshake proved it. `uris`: of the certificate's alternative names."""

    fingerprint: str = ""
    uris: tuple[str, ...] = ()


NOBODY = Peer()


def told(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The certificate (PEM) that a proxy tells of; empty where it tells of none, or of several, which cannot all be its client's."""
    found = [(name, value) for name, value in headers if name in (FORWARDED, CLIENT)]
    if len(found) != 1:
        return b""
    [(name, value)] = found
    if name == CLIENT:
        return parse.unquote_to_bytes(value)
    certificates = _ELEMENT.findall(value)
    one = len(certificates) == 1 and b"," not in _QUOTED.sub(b"", value)
    return parse.unquote_to_bytes(certificates[0]) if one else b""


def problem(wanted: str) -> str:
    """Why no certificate can be meant, or the empty string."""
    if not wanted or _SPIFFE.fullmatch(wanted) or _FINGERPRINT.fullmatch(wanted):
        return ""
    return "must be spiffe://TRUST-DOMAIN/PATH, where * stands for any part of a segment, or sha256: and 64 hex digits of the certificate"


def refusal(wanted: str, peer: Peer) -> str:
    """Why a peer is not who is wanted, or the empty string."""
    if not wanted or wanted == peer.fingerprint:
        return ""
    if not peer.fingerprint:
        return f"this cluster's agent must show a client certificate and came without one; {REMEDY}"
    shown = ", ".join(peer.uris) or peer.fingerprint
    # an X.509-SVID has one URI (SPIFFE X509-SVID 2): with several, one issuer would speak for two
    if len(peer.uris) == 1 and re.fullmatch(globs.starred([re.escape(part) for part in wanted.split("*")], "[^/]"), peer.uris[0]):
        return ""
    return f"the certificate is {shown[:300]}, which is not what the cluster's spec.agentCertificate names"
