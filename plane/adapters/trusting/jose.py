"""Signed tokens of others, read strictly: one JSON object per part, one signature, a key of the issuer's own, our algorithm."""

import base64
import binascii
import json
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from joserfc import errors as jose
from joserfc import jwk, jws

from plane.domain.granting import login

MOST_BYTES = 16 * 1024
MOST_KEYS = 50
RSA_BITS = 2048
FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})  # whatever else a header says would choose the key, or the meaning, for us
_PART = re.compile(r"[A-Za-z0-9_-]+")
Json = dict[str, Any]


class Unknown(login.Refused):
    """No key of the issuer has this id: a fresh look at its keys may help."""


def verify(token: str, keys: Sequence[Json], *, algorithms: Collection[str], kinds: Collection[str] = ("", "jwt")) -> Json:
    """The claims of a token that one of the keys signed; `kinds`: what its `typ` may be, in small letters.

    Raises:
        Refused: it is malformed, or signed by nobody of them. Unknown: its key is not among them.
    """
    header, claims = _read(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise login.Refused("alg is not one of the provider's")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower() not in kinds:
        raise login.Refused("typ is another kind of token")
    if foreign := header.keys() - HEADER:
        raise login.Refused(f"the header holds {min(foreign)[:20]!r}")
    if kid is not None and not isinstance(kid, str):
        raise login.Refused("kid is no text")
    _check_signature(token, _key(keys, algorithm, kid), algorithm)
    return claims


def keys_of(text: bytes) -> tuple[Json, ...]:
    """The public signature keys in a JWK set; those that are no such keys are passed over."""
    found = _object(text)
    listed = found.get("keys")
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise login.Refused(f"the provider's key set holds no list of at most {MOST_KEYS} keys")
    return tuple(one for one in listed if isinstance(one, dict) and one.get("kty") in FAMILIES.values() and one.get("use", "sig") == "sig")


def _read(token: str) -> tuple[Json, Json]:
    if len(token) > MOST_BYTES:
        raise login.Refused("it is too large")
    parts = token.split(".")
    if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):  # noqa: PLR2004 - header, claims, signature
        raise login.Refused("it is no signed token")
    return _object(_decoded(parts[0])), _object(_decoded(parts[1]))


def _decoded(part: str) -> bytes:
    try:
        found = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as e:
        raise login.Refused("a part of it is not base64url") from e
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != part:
        raise login.Refused("a part of it has a second spelling")
    return found


def _object(text: bytes) -> Json:
    try:
        found = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as e:
        raise login.Refused("a part of it is not one JSON object") from e
    if not isinstance(found, dict):
        raise login.Refused("a part of it is not one JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_number(_: str) -> None:
    raise ValueError


def _key(keys: Sequence[Json], algorithm: str, kid: str | None) -> Json:
    """The one key that may have signed it: by its id, and of the algorithm's family; without an id there must be one alone."""
    family = [one for one in keys if one.get("kty") == FAMILIES[algorithm[:2]] and one.get("alg", algorithm) == algorithm]
    fitting = [one for one in family if algorithm not in CURVES or one.get("crv") == CURVES[algorithm]]
    found = [one for one in fitting if kid is None or one.get("kid") == kid]
    if not found:
        raise Unknown("no key of the provider's has this kid and fits this alg")
    if len(found) > 1:
        raise login.Refused("more than one key of the provider's may have signed it")
    return found[0]


def _check_signature(token: str, key: Mapping[str, Any], algorithm: str) -> None:
    public = {name: value for name, value in key.items() if name in {"kty", "n", "e", "crv", "x", "y"}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys that are short: those are refused below
            if public["kty"] == "RSA" and int.from_bytes(_decoded(public["n"])).bit_length() < RSA_BITS:
                raise login.Refused(f"the provider's key has fewer than {RSA_BITS} bits")
            jws.deserialize_compact(token, jwk.import_key(public), algorithms=[algorithm])
    except (jose.JoseError, ValueError, TypeError, KeyError) as e:
        raise login.Refused("its signature does not hold") from e
