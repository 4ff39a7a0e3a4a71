"""The plane's signing key: an Ed25519 private key in a PEM file that only the plane's user may read."""

import os
import pathlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from plane.domain import errors


class SigningKeyUnusable(errors.PlaneError):
    """The file is not an Ed25519 private key in PEM form."""

    code = "signing-key-unusable"


class FileSigner:
    """Signs with the key of one file."""

    def __init__(self, path: pathlib.Path) -> None:
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError) as e:
            message = f"{path} holds no readable private key; make one with `openssl genpkey -algorithm ed25519`"
            raise SigningKeyUnusable(message) from e
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            message = f"{path} holds another kind of key than Ed25519"
            raise SigningKeyUnusable(message)
        self._key = key

    def sign(self, context: bytes, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(context + message)

    def public_key(self) -> bytes:
        """32 bytes."""
        return self._key.public_key().public_bytes_raw()


def create(path: pathlib.Path) -> None:
    """Write a fresh key, readable by its owner only; an existing file is left alone."""
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
