"""Encryption of what the plane must keep, under a master key that is not in the database: AES-256-GCM."""

import base64
import binascii
import collections
import hashlib
import os
import threading
import time

import cryptography.exceptions
import msgspec
from cryptography.hazmat.primitives.ciphers import aead

from plane import ports
from plane.adapters.secrets import vault
from plane.domain import errors
from plane.domain.rendering import secrets

KEY_BYTES = 32
NONCE_BYTES = 12  # random: good for 2^32 values under one master key (NIST SP 800-38D §8.3)
LOCAL, TRANSIT = b"\x01", b"\x02"  # first byte of a wrapped value: who can unwrap it
ID_BYTES = 8
KEPT_S = 300.0  # a data key that Vault opened is used again for so long, in memory: one call per value and not per render
KEPT = 1024  # data keys


def parse_master_key(text: bytes, *, where: str) -> secrets.Secret:
    """32 random bytes, raw, or as 64 hexadecimal digits or base64; SecretRefused names `where` and how to make one.

    32 ASCII characters are refused: they are a password or half a key, not 32 random bytes.
    """
    if len(text) == KEY_BYTES and not text.isascii():
        return secrets.Secret(text)
    for decode in (binascii.unhexlify, lambda word: base64.b64decode(word, validate=True)):
        try:
            key = decode(text.strip())
        except (binascii.Error, ValueError):
            continue
        if len(key) == KEY_BYTES:
            return secrets.Secret(key)
    raise errors.SecretRefused("the master key must be 32 random bytes; make one with: openssl rand -hex 32", where=where)


class _DataKey(msgspec.Struct):
    plaintext: str
    ciphertext: str = ""

    def __repr__(self) -> str:
        return "_DataKey(…)"


class _Answer(msgspec.Struct):
    data: _DataKey


class Local:
    """`ports.Envelope` under a key from a file or the environment; `older` keys still unwrap."""

    kind = LOCAL

    def __init__(self, master: secrets.Secret, *, older: tuple[secrets.Secret, ...] = ()) -> None:
        self._id = _key_id(master)
        self._keys = {_key_id(key): key for key in (*older, master)}

    def wrap(self, value: secrets.Secret, *, context: bytes) -> bytes:
        """`LOCAL`, the key's id, nonce, ciphertext."""
        return LOCAL + self._id + _encrypt(self._keys[self._id], value, context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> secrets.Secret:
        """The value; SecretRefused when key or context is another."""
        _check_kind(wrapped, LOCAL)
        key_id = wrapped[1 : 1 + ID_BYTES]
        if key_id not in self._keys:
            message = f"a stored secret was encrypted under the master key {key_id.hex()}, which this process was not given"
            raise errors.SecretRefused(message)
        return _decrypt(self._keys[key_id], wrapped[1 + ID_BYTES :], context)

    def current(self, wrapped: bytes) -> bool:
        """Whether the present key wrapped it."""
        return wrapped[: 1 + ID_BYTES] == LOCAL + self._id


class Transit:
    """`ports.Envelope` under a key that never leaves Vault's transit engine: each value has a data key, and Vault keeps none."""

    kind = TRANSIT

    def __init__(self, sessions: vault.Sessions, access: ports.VaultAccess, *, key: str) -> None:
        self._sessions = sessions
        self._access = access
        self._key = key
        self._lock = threading.Lock()
        self._opened: collections.OrderedDict[bytes, tuple[secrets.Secret, float]] = collections.OrderedDict()

    def wrap(self, value: secrets.Secret, *, context: bytes) -> bytes:
        """`TRANSIT`, two bytes of length, the data key as Vault wrapped it, nonce, ciphertext."""
        with self._sessions.client(self._access) as client:
            answer = client.secrets.transit.generate_data_key(self._key, "plaintext", mount_point=self._access.mount)
            data_key = msgspec.convert(answer, _Answer).data
        wrapped = data_key.ciphertext.encode()
        return TRANSIT + len(wrapped).to_bytes(2, "big") + wrapped + _encrypt(_key(data_key), value, context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> secrets.Secret:
        """The value; SecretRefused when key or context is another or Vault says no, BackendDown when it says nothing."""
        _check_kind(wrapped, TRANSIT)
        end = 3 + int.from_bytes(wrapped[1:3], "big")
        return _decrypt(self._open(wrapped[3:end]), wrapped[end:], context)

    def current(self, wrapped: bytes) -> bool:
        """Whether Vault's newest version of the key would give the same kind of value; only Vault knows, so values are wrapped anew."""
        del wrapped
        return False

    def _open(self, data_key: bytes) -> secrets.Secret:
        now = time.monotonic()
        with self._lock:
            found = self._opened.get(data_key)
        if found and found[1] > now:
            return found[0]
        with self._sessions.client(self._access) as client:
            answer = client.secrets.transit.decrypt_data(self._key, data_key.decode(), mount_point=self._access.mount)
            opened = _key(msgspec.convert(answer, _Answer).data)
        with self._lock:
            self._opened[data_key] = (opened, now + KEPT_S)
            if len(self._opened) > KEPT:
                self._opened.popitem(last=False)
        return opened


class Ring:
    """`ports.Envelope` of several: the first wraps, each unwraps its own kind. For moving from a file to Vault's transit and back."""

    def __init__(self, current: Local | Transit, *others: Local | Transit) -> None:
        self._current = current
        self._kinds = {one.kind: one for one in (*others, current)}

    def wrap(self, value: secrets.Secret, *, context: bytes) -> bytes:
        """As the first does."""
        return self._current.wrap(value, context=context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> secrets.Secret:
        """As the one that wrapped it does; refuses as the first when none did."""
        return self._kinds.get(wrapped[:1], self._current).unwrap(wrapped, context=context)

    def current(self, wrapped: bytes) -> bool:
        """Whether the first one's present key wrapped it."""
        return self._current.current(wrapped)


def _key(found: _DataKey) -> secrets.Secret:
    return secrets.Secret(base64.b64decode(found.plaintext))


def _encrypt(key: secrets.Secret, value: secrets.Secret, context: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + aead.AESGCM(key.reveal()).encrypt(nonce, value.reveal(), context)


def _decrypt(key: secrets.Secret, sealed: bytes, context: bytes) -> secrets.Secret:
    try:
        return secrets.Secret(aead.AESGCM(key.reveal()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context))
    except (cryptography.exceptions.InvalidTag, ValueError):
        message = "a stored secret does not belong to this place or was changed; enter the credential again"
        raise errors.SecretRefused(message) from None


def _check_kind(wrapped: bytes, kind: bytes) -> None:
    if wrapped[:1] != kind:
        message = "a stored secret was encrypted by another kind of master key (file or Vault transit); start with that one"
        raise errors.SecretRefused(message)


def _key_id(key: secrets.Secret) -> bytes:
    return hashlib.sha256(b"gitops-plane/master-key-id/v1" + key.reveal()).digest()[:ID_BYTES]
