"""Sealing to an agent's key and opening with it: HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, AES-256-GCM."""

import hashlib

import cryptography.exceptions
import msgspec
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import x25519

from plane.domain import errors
from plane.domain.rendering import secrets

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class KeyPair(msgspec.Struct, frozen=True):
    """An agent's sealing keys, 32 raw bytes each."""

    public: bytes
    private: secrets.Secret


class Hpke:
    """`ports.Sealer`; holds nothing, so one serves all threads."""

    def seal(self, public_key: bytes, value: secrets.Secret, context: bytes) -> bytes:
        """32 bytes of encapsulated key, then ciphertext and tag: 48 bytes more than the value. ValueError: not a key."""
        return SUITE.encrypt(value.reveal(), x25519.X25519PublicKey.from_public_bytes(public_key), context)


def open_sealed(private_key: secrets.Secret, ciphertext: bytes, context: bytes) -> secrets.Secret:
    """The value; SecretRefused when key, context or ciphertext is another."""
    key = x25519.X25519PrivateKey.from_private_bytes(private_key.reveal())
    try:
        return secrets.Secret(SUITE.decrypt(ciphertext, key, context))
    except (cryptography.exceptions.InvalidTag, ValueError):
        message = "a sealed value was not made for this agent, object and release; refresh the app to seal it again"
        raise errors.SecretRefused(message) from None


def new_key_pair() -> KeyPair:
    """Fresh keys from the system's random source."""
    key = x25519.X25519PrivateKey.generate()
    return KeyPair(key.public_key().public_bytes_raw(), secrets.Secret(key.private_bytes_raw()))


def public_of(private_key: secrets.Secret) -> bytes:
    """The public half."""
    return x25519.X25519PrivateKey.from_private_bytes(private_key.reveal()).public_key().public_bytes_raw()


def key_id(public_key: bytes) -> str:
    """The name of a key in rows and tasks: 16 hexadecimal digits."""
    return hashlib.sha256(public_key).hexdigest()[:16]
