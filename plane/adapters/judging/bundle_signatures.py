"""Who signed an OPA bundle: one JSON Web Token over the hashes of its files.

Source: https://www.openpolicyagent.org/docs/management-bundles, signature format; how structured files are hashed: v1/bundle/hash.go.
"""

import hashlib
import hmac
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import msgspec
from cryptography import exceptions
from joserfc import errors as jose
from joserfc import jwk, jws

from plane.domain import errors, trust
from plane.domain.judging import bundles, origins

FIELD = f"{bundles.FIELD}/{bundles.SIGNATURES}"
HASHES = {
    "MD5": "",  # broken: two files of one hash are found in seconds; so is SHA-1
    "SHA-1": "",
    "SHA-224": "sha224",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA-512-224": "sha512_224",
    "SHA-512-256": "sha512_256",
}
STRUCTURED = frozenset({bundles.MANIFEST, "data.json"})
_LINES = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029"})  # Go's encoder writes these so, Python's does not


class _Signatures(msgspec.Struct):
    signatures: tuple[str, ...] = ()
    plugin: str = ""


class _File(msgspec.Struct):
    name: str
    hash: str
    algorithm: str = "SHA-256"


class _Claims(msgspec.Struct):
    files: tuple[_File, ...]
    scope: str = ""


class _Number(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


def signed(contents: Mapping[str, bytes], keys: Sequence[trust.Trusted]) -> origins.Signed:
    """Which of the keys signed these files.

    Raises:
        Invalid: one did, and the files are not those that it signed; or the signature is no such thing.
    """
    body = contents.get(bundles.SIGNATURES)
    if body is None:
        return origins.Signed(problem=f"carries no signature ({bundles.SIGNATURES}); sign it with `opa sign` or `opa build --signing-key`")
    token = _token(body)
    for key in keys:
        if (payload := _payload(token, key)) is not None:
            _check(contents, _claims(payload), key)
            return origins.Signed(by=key.name)
    named = ", ".join(key.name for key in keys) or "there are none"
    return origins.Signed(problem=f"is signed by none of the keys that are trusted here ({named})")


def _token(body: bytes) -> str:
    try:
        found = msgspec.json.decode(body, type=_Signatures)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.Invalid({FIELD: f"cannot be read: {error}"}) from error
    if len(found.signatures) != 1 or found.plugin not in {"", "_default"}:
        raise errors.Invalid({FIELD: "must hold exactly one signature, made by OPA itself and no plug-in"})
    return found.signatures[0]


def _payload(token: str, key: trust.Trusted) -> bytes | None:
    """What the key signed; None: it did not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys that are short, which whoever trusts them has seen
            return jws.deserialize_compact(token, _key(key), algorithms=[key.algorithm]).payload
    except (jose.JoseError, ValueError, TypeError, KeyError, RecursionError, exceptions.UnsupportedAlgorithm):
        return None


def _key(key: trust.Trusted) -> jwk.Key:
    match key.algorithm[:2]:
        case "HS":
            return jwk.import_key(key.key.reveal(), "oct")
        case "ES":
            return jwk.import_key(key.key.reveal(), "EC")
        case _:
            return jwk.import_key(key.key.reveal(), "RSA")


def _claims(payload: bytes) -> _Claims:
    try:
        return msgspec.json.decode(payload, type=_Claims)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.Invalid({FIELD: f"signs no list of files: {error}"}) from error


def _check(contents: Mapping[str, bytes], claims: _Claims, key: trust.Trusted) -> None:
    if key.scope and claims.scope != key.scope:
        raise errors.Invalid({FIELD: f"has the scope {claims.scope[:80]!r}, and key {key.name} signs for {key.scope!r} alone"})
    listed = {one.name: one for one in claims.files}
    present = contents.keys() - {bundles.SIGNATURES}
    problems = dict(_differences(contents, listed, sorted(present)))
    if missing := sorted(listed.keys() - present):
        problems[FIELD] = f"signs {missing[0]}, which is not in the bundle"
    if problems:
        raise errors.Invalid(problems)


def _differences(contents: Mapping[str, bytes], listed: Mapping[str, _File], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        field = f"{bundles.FIELD}/{name}"
        if name not in listed:
            yield field, "is not among the files that the bundle's signature is about"
        elif not (algorithm := HASHES.get(listed[name].algorithm)):
            yield field, f"is signed by {listed[name].algorithm[:20]!r}, which is not safe or not known; sign with SHA-256"
        elif not hmac.compare_digest(hashlib.new(algorithm, _hashed(name, contents[name])).hexdigest(), listed[name].hash):
            yield field, "is not what was signed"


def _hashed(name: str, body: bytes) -> bytes:
    """Of structured files their meaning, keys sorted, without blanks; of others their bytes."""
    last = name.rpartition("/")[2]
    if last in {"data.yaml", "data.yml"}:
        raise errors.Invalid({f"{bundles.FIELD}/{name}": "cannot be compared with what was signed; keep data in data.json"})
    if last not in STRUCTURED:
        return body
    try:
        value = json.loads(body, parse_float=_Number, parse_int=_Number, parse_constant=_no_number)
        return _canonical(value).encode()
    except (ValueError, RecursionError) as error:
        raise errors.Invalid({f"{bundles.FIELD}/{name}": "is not JSON"}) from error


def _canonical(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    match value:
        case _Number():
            return str(value)
        case dict():
            return "{" + ",".join(f"{_canonical(key)}:{_canonical(value[key])}" for key in sorted(value, key=str.encode)) + "}"
        case list():
            return "[" + ",".join(map(_canonical, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False).translate(_LINES)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)
