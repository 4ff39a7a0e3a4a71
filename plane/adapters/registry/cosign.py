"""Who signed an artifact, as `cosign sign --key` keeps it: payloads that name the artifact's digest, and a signature over each.

Source: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md, simple signing and tag-based discovery.
"""

import base64
import binascii
from collections.abc import Callable, Sequence

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from plane.domain import trust
from plane.domain.judging import artifacts, origins

PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE, CERTIFICATE = "dev.cosignproject.cosign/signature", "dev.sigstore.cosign/certificate"
MOST_SIGNATURES = 20  # looked at
MAX_PAYLOAD_BYTES = 64 * 1024
Fetch = Callable[[artifacts.Descriptor], bytes]
HOW = "sign it with `cosign sign --key … --new-bundle-format=false`"


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


def unsigned(digest: str) -> origins.Signed:
    """There is nothing at that tag."""
    return origins.Signed(problem=f"carries no signature of cosign (no tag {tag(digest)[:19]}….sig); {HOW}")


def signed(found: artifacts.Manifest, digest: str, keys: Sequence[trust.Trusted], fetch: Fetch) -> origins.Signed:
    """Which of the keys signed the artifact. A key of a scope signs bundles alone: cosign's signatures have none."""
    layers = [layer for layer in found.layers if layer.media_type == PAYLOAD][:MOST_SIGNATURES]
    own = [layer for layer in layers if not layer.annotations.get(CERTIFICATE)]
    able = [key for key in keys if not key.scope]
    for layer in own:
        if layer.size > MAX_PAYLOAD_BYTES:
            continue
        payload, signature = fetch(layer), layer.annotations.get(SIGNATURE, "")
        for key in able:
            if _names(payload, digest) and _verifies(key, payload, signature):
                return origins.Signed(by=key.name)
    if layers and not own:
        return origins.Signed(problem=f"is signed without a key (keyless), and only keys can be trusted here; {HOW}")
    named = ", ".join(key.name for key in able) or "there are none for cosign"
    return origins.Signed(problem=f"is signed by none of the keys that are trusted here ({named})")


def _names(payload: bytes, digest: str) -> bool:
    """Whether it is about this artifact; a signature that was copied from another one is about that."""
    try:
        found = msgspec.json.decode(payload, type=_Payload).critical
    except (msgspec.DecodeError, RecursionError):
        return False
    return found.type == "cosign container image signature" and found.image.digest == digest


def _verifies(key: trust.Trusted, payload: bytes, signature: str) -> bool:
    try:
        made = base64.b64decode(signature, validate=True)
        public = serialization.load_pem_public_key(key.key.reveal())
        if key.algorithm == "ES256" and isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(made, payload, ec.ECDSA(hashes.SHA256()))
        elif key.algorithm == "RS256" and isinstance(public, rsa.RSAPublicKey):
            public.verify(made, payload, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, binascii.Error):
        return False
    return True
