"""Keys that the audit log's states are signed with: files, or Vault's transit engine, which never gives them away."""

import base64
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from plane import ports
from plane.adapters.secrets import vault
from plane.adapters.trusting import signer
from plane.domain import errors

LOOK_S = 60.0  # a key rotated in Vault is in use this much later


class Files:
    """`ports.LogSigner`: the present key's file first."""

    def __init__(self, signers: Sequence[signer.FileSigner]) -> None:
        self._signers = {one.public_key(): one for one in signers}

    def keys(self) -> tuple[bytes, ...]:
        """The present one first."""
        return tuple(self._signers)

    def sign(self, key: bytes, message: bytes) -> bytes:
        """64 bytes."""
        return self._signers[key].sign(b"", message)


class _Key(msgspec.Struct):
    keys: dict[str, Any]  # by version, what is known of it
    type: str
    min_encryption_version: int = 0
    min_available_version: int = 0


class _Signed(msgspec.Struct):
    signature: str  # vault:v3:base64


class _Answer(msgspec.Struct):
    data: _Key


class _SignedAnswer(msgspec.Struct):
    data: _Signed


class Transit:
    """`ports.LogSigner`: a key of type ed25519. Vault's rotate makes a new version; those before it sign until the log has told of it."""

    def __init__(
        self, sessions: vault.Sessions, access: ports.VaultAccess, *, key: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions, self._access, self._name, self._monotonic = sessions, access, key, monotonic
        self._lock = threading.Lock()
        self._versions: dict[bytes, int] = {}
        self._looked = float("-inf")

    def keys(self) -> tuple[bytes, ...]:
        """The newest version first; looked up once a minute."""
        with self._lock:
            if self._monotonic() - self._looked > LOOK_S:
                self._versions, self._looked = self._read(), self._monotonic()
            return tuple(self._versions)

    def sign(self, key: bytes, message: bytes) -> bytes:
        """64 bytes, made by the version whose key it is."""
        encoded = base64.b64encode(message).decode()
        with self._sessions.client(self._access) as client:
            answer = client.secrets.transit.sign_data(
                self._name, hash_input=encoded, key_version=self._versions[key], mount_point=self._access.mount
            )
        return base64.b64decode(msgspec.convert(answer, _SignedAnswer).data.signature.rpartition(":")[2])

    def _read(self) -> dict[bytes, int]:
        with self._sessions.client(self._access) as client:
            found = msgspec.convert(client.secrets.transit.read_key(self._name, mount_point=self._access.mount), _Answer).data
        if found.type != "ed25519":
            raise errors.SecretRefused(f"the transit key {self._name!r} is of type {found.type}; checkpoints need ed25519")
        lowest = max(found.min_encryption_version, found.min_available_version, 1)
        versions = sorted((int(version) for version in found.keys if int(version) >= lowest), reverse=True)
        return {base64.b64decode(found.keys[str(version)]["public_key"]): version for version in versions}
