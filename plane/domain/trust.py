"""Keys that policy bundles are signed with, as `opa sign` and `opa build --signing-key` sign them."""

import re
from typing import Annotated, Literal

import msgspec

from plane.domain.rendering import secrets

MAX_KEY = 20_000
MOST_KEYS = 20
TENANT = "tenant"  # before the names of a tenant's keys; the platform's begin with its own
PublicAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
Algorithm = PublicAlgorithm | Literal["HS256", "HS384", "HS512"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----", re.ASCII)


class Key(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """`name`: the key's id for OPA; `public_key`: PEM; `scope`: what a signature must name as its own, where it is said."""

    name: str
    public_key: Annotated[str, msgspec.Meta(max_length=MAX_KEY)]
    algorithm: PublicAlgorithm = "RS256"
    scope: str = ""


class Trusted(msgspec.Struct, frozen=True):
    """A key to verify with. `name`: with whose it is, as people know it; `key`: PEM, or the secret of HS256 and the like."""

    name: str
    algorithm: Algorithm
    key: secrets.Secret
    scope: str = ""


def trusted(keys: tuple[Key, ...], *, of: str) -> tuple[Trusted, ...]:
    """Keys as a tenant names them."""
    return tuple(Trusted(f"{of}/{one.name}", one.algorithm, secrets.Secret(one.public_key.encode()), one.scope) for one in keys)


def problems(keys: tuple[Key, ...]) -> dict[str, str]:
    """Broken rules by path."""
    found = {}
    if len(keys) > MOST_KEYS:
        found["policyKeys"] = f"at most {MOST_KEYS} keys"
    for number, key in enumerate(keys):
        if not _NAME.fullmatch(key.name) or [one.name for one in keys].count(key.name) > 1:
            found[f"policyKeys[{number}].name"] = "must be a word of letters, digits, `.`, `_` and `-` that no other key has"
        if not _PEM.fullmatch(key.public_key.strip()):
            found[f"policyKeys[{number}].publicKey"] = "must be a public key as `openssl pkey -pubout` prints it, with BEGIN and END"
    return found
