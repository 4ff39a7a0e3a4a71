"""HTTP over TLS whose requests know the client's certificate, which uvicorn itself does not hand over."""

import asyncio
import hashlib
import ipaddress
import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from uvicorn.protocols.http import httptools_impl

from plane.api import peers
from plane.domain.permitting import certificates

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Protocol(httptools_impl.HttpToolsProtocol):
    """Requests carry the peer that the handshake proved; those of a proxy, the one that it tells of."""

    proxies: Sequence[Network] = ()
    _peer = certificates.NOBODY
    _of_proxy = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class above
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        shown = tls.getpeercert(binary_form=True) if isinstance(tls, ssl.SSLObject) else None
        if shown:
            self._peer = read(shown)
        self._of_proxy = self.client is not None and _within(self.client[0], self.proxies)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {peers.EXTENSION: {"peer": certificates.NOBODY if self._of_proxy else self._peer}}

    def on_headers_complete(self) -> None:
        if self._of_proxy:
            self.scope["extensions"] = {peers.EXTENSION: {"peer": read_pem(certificates.told(self.headers))}}
        super().on_headers_complete()


def behind(proxies: Sequence[Network]) -> type[Protocol]:
    """The protocol of a server that believes what these proxies tell of their clients. Their own certificates stand for nobody."""
    return type("Protocol", (Protocol,), {"proxies": tuple(proxies)})


def read_pem(text: bytes) -> certificates.Peer:
    """From PEM; NOBODY for what is none."""
    try:
        return read(x509.load_pem_x509_certificate(text).public_bytes(serialization.Encoding.DER))
    except ValueError:
        return certificates.NOBODY


def _within(address: str, networks: Sequence[Network]) -> bool:
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)  # as a listener for both families sees an IPv4 caller
    return any((mapped or found) in network for network in networks)


def read(certificate: bytes) -> certificates.Peer:
    """From DER; one whose names cannot be read has none."""
    fingerprint = f"sha256:{hashlib.sha256(certificate).hexdigest()}"
    try:
        names = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return certificates.Peer(fingerprint)
    return certificates.Peer(fingerprint, tuple(names.value.get_values_for_type(x509.UniformResourceIdentifier)))
