"""Whose key signed an artifact, whatever form its signatures are kept in."""

import base64
import binascii
from collections.abc import Iterable, Sequence

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from plane.domain import trust
from plane.domain.judging import origins

HOW = "sign it with `cosign sign --key`"


class Claim(msgspec.Struct, frozen=True):
    """One signature, in base64. `said`: the bytes it is over; `about`: it names this artifact; `keyless`: it brings a certificate."""

    said: bytes = b""
    signature: str = ""
    about: bool = False
    keyless: bool = False


def judged(claims: Iterable[Claim], keys: Sequence[trust.Trusted]) -> origins.Signed:
    """The first that one of the keys made. A key of a scope signs bundles alone: cosign's signatures have none."""
    able = [key for key in keys if not key.scope]
    seen: list[Claim] = []
    for claim in claims:
        seen.append(claim)
        if claim.about and not claim.keyless and (by := next((key.name for key in able if _made(key, claim)), "")):
            return origins.Signed(by=by)
    if not seen:
        return origins.Signed(problem=f"carries no signature of cosign; {HOW}")
    if all(claim.keyless for claim in seen):
        return origins.Signed(problem=f"is signed without a key (keyless), and only keys can be trusted here; {HOW}")
    named = ", ".join(key.name for key in able) or "there are none for cosign"
    return origins.Signed(problem=f"is signed by none of the keys that are trusted here ({named})")


def _made(key: trust.Trusted, claim: Claim) -> bool:
    try:
        made = base64.b64decode(claim.signature, validate=True)
        public = serialization.load_pem_public_key(key.key.reveal())
        if key.algorithm == "ES256" and isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(made, claim.said, ec.ECDSA(hashes.SHA256()))
        elif key.algorithm == "RS256" and isinstance(public, rsa.RSAPublicKey):
            public.verify(made, claim.said, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, binascii.Error):
        return False
    return True
