"""Secret values: opened, they exist only as `Secret`; what leaves is `Sealed` and a fingerprint."""

import hashlib
import hmac
import re
from typing import NoReturn

import msgspec

from plane.domain import objects

PLACEHOLDER = re.compile(r"\$\{secret:vault:(?P<alias>[a-z0-9-]+)/(?P<path>[^#}]+)#(?P<key>[^@}]+)(?:@(?P<version>\d+))?\}")


class Secret:
    """An opened value: no repr of it, no equality with text, no encoder takes it. `reveal()` is for sealing and applying only."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes themselves; callers seal, fingerprint or apply them at once."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is a guess made cheap

    def __reduce__(self) -> NoReturn:
        message = "a Secret is never serialised"
        raise TypeError(message)


class VaultRef(msgspec.Struct, frozen=True, order=True):
    """`${secret:vault:ALIAS/PATH#KEY@VERSION}`; version 0 is the newest, which makes a release volatile."""

    alias: str
    path: str
    key: str
    version: int = 0


class Place(msgspec.Struct, frozen=True, order=True):
    """A leaf of an object: its key and the JSON pointer of the string that holds a secret."""

    key: objects.ObjectKey
    pointer: str


class Sealed(msgspec.Struct, frozen=True):
    """One value readable by one agent key only: HPKE ciphertext (encapsulated key first) for one place of one release."""

    place: Place
    ciphertext: bytes


def sealing_context(*, cluster: str, app: str, release: str, place: Place) -> bytes:
    """The HPKE info: what a sealed value is bound to. Ids are UUID text, `release` is the release digest."""
    return objects.canonical(["gitops-plane/seal/v1", cluster, app, release, place])


def fingerprint(key: bytes, place: Place, value: Secret) -> str:
    """`hmac-sha256:` and 32 hexadecimal digits; the place is part of it, so equal values at two places differ."""
    bound = hmac.digest(key, objects.canonical(place), "sha256")
    return f"hmac-sha256:{hmac.new(bound, value.reveal(), hashlib.sha256).hexdigest()[:32]}"
