"""Signatures as cosign 2 keeps them: payloads that name an artifact's digest, at a tag beside it, with a signature over each.

Source: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md, simple signing and tag-based discovery.
"""

from collections.abc import Callable, Iterator

import msgspec

from plane.adapters.registry import signatures
from plane.domain.judging import artifacts

PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE, CERTIFICATE = "dev.cosignproject.cosign/signature", "dev.sigstore.cosign/certificate"
MOST_SIGNATURES = 20  # looked at
MAX_PAYLOAD_BYTES = 64 * 1024
Fetch = Callable[[artifacts.Descriptor], bytes]


class _Image(msgspec.Struct):
    digest: str = msgspec.field(name="docker-manifest-digest")


class _Critical(msgspec.Struct):
    image: _Image
    type: str


class _Payload(msgspec.Struct):
    critical: _Critical


def tag(digest: str) -> str:
    """Where the signatures of an artifact are kept, in its own repository."""
    return f"{digest.replace(':', '-')}.sig"


def claims(found: artifacts.Manifest, digest: str, fetch: Fetch) -> Iterator[signatures.Claim]:
    """What is at that tag; payloads are fetched one by one, as somebody asks for them."""
    for layer in [layer for layer in found.layers if layer.media_type == PAYLOAD][:MOST_SIGNATURES]:
        if layer.annotations.get(CERTIFICATE):
            yield signatures.Claim(keyless=True)
        elif layer.size <= MAX_PAYLOAD_BYTES:
            payload = fetch(layer)
            yield signatures.Claim(payload, layer.annotations.get(SIGNATURE, ""), about=_names(payload, digest))


def _names(payload: bytes, digest: str) -> bool:
    """Whether it is about this artifact; a signature that was copied from another one is about that."""
    try:
        found = msgspec.json.decode(payload, type=_Payload).critical
    except (msgspec.DecodeError, RecursionError):
        return False
    return found.type == "cosign container image signature" and found.image.digest == digest
