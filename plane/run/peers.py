"""HTTP over TLS whose requests know the client's certificate, which uvicorn itself does not hand over."""

import asyncio
import hashlib
import ssl

from cryptography import x509
from uvicorn.protocols.http import httptools_impl

from plane.api import peers
from plane.domain.permitting import certificates


class Protocol(httptools_impl.HttpToolsProtocol):
    """Requests carry the peer that the handshake proved."""

    _peer = certificates.NOBODY

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the class above
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        shown = tls.getpeercert(binary_form=True) if isinstance(tls, ssl.SSLObject) else None
        if shown:
            self._peer = read(shown)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {peers.EXTENSION: {"peer": self._peer}}


def read(certificate: bytes) -> certificates.Peer:
    """From DER; one whose names cannot be read has none."""
    fingerprint = f"sha256:{hashlib.sha256(certificate).hexdigest()}"
    try:
        names = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return certificates.Peer(fingerprint)
    return certificates.Peer(fingerprint, tuple(names.value.get_values_for_type(x509.UniformResourceIdentifier)))
