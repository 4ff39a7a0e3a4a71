"""Signatures as cosign 3 keeps them: Sigstore bundles that refer to an artifact, each with a signed statement about its digest.

Source: https://github.com/sigstore/protobuf-specs, sigstore_bundle.proto; https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.
"""

import base64
import binascii

import msgspec

from plane.adapters.registry import signatures
from plane.domain.judging import artifacts

BUNDLE = "application/vnd.dev.sigstore.bundle"  # and a version
STATEMENT = "application/vnd.in-toto+json"
SIGNS = "https://sigstore.dev/cosign/sign/v1"  # other predicates attest something about an artifact, and approve nothing
MAX_BUNDLE_BYTES = 256 * 1024
MOST_BUNDLES = 20  # looked at


class _Material(msgspec.Struct, rename="camel"):
    certificate: object = None
    x509_certificate_chain: object = None


class _Signature(msgspec.Struct):
    sig: str


class _Envelope(msgspec.Struct, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


class _Bundle(msgspec.Struct, rename="camel"):
    dsse_envelope: _Envelope
    verification_material: _Material = msgspec.field(default_factory=_Material)


class _Subject(msgspec.Struct):
    digest: dict[str, str] = {}


class _Statement(msgspec.Struct, rename="camel"):
    predicate_type: str
    subject: tuple[_Subject, ...] = ()


def is_bundle(layer: artifacts.Descriptor) -> bool:
    """Whether it is worth fetching."""
    return layer.media_type.startswith(BUNDLE) and layer.size <= MAX_BUNDLE_BYTES


def claim(bundle: bytes, digest: str) -> signatures.Claim | None:
    """None for what signs no artifact: an attestation, or no such bundle."""
    try:
        found = msgspec.json.decode(bundle, type=_Bundle)
        payload = base64.b64decode(found.dsse_envelope.payload, validate=True)
        statement = msgspec.json.decode(payload, type=_Statement)
    except (msgspec.DecodeError, RecursionError, binascii.Error, ValueError):
        return None
    envelope, material = found.dsse_envelope, found.verification_material
    if envelope.payload_type != STATEMENT or statement.predicate_type != SIGNS or len(envelope.signatures) != 1:
        return None
    about = any(f"sha256:{one.digest.get('sha256', '')}" == digest for one in statement.subject)
    said = b"DSSEv1 %d %b %d %b" % (len(STATEMENT), STATEMENT.encode(), len(payload), payload)
    keyless = material.certificate is not None or material.x509_certificate_chain is not None
    return signatures.Claim(said, envelope.signatures[0].sig, about=about, keyless=keyless)
