"""Forged and confused tokens: none of them is somebody's. Each case changes one good token; its name says how."""

import base64
import datetime as dt
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import errors, jwk, jws

from plane.adapters.trusting import jose
from plane.domain.granting import login
from tests.support import cases

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
AT = int(NOW.timestamp())
ISSUER = "https://login.example"
GOOD = {"iss": ISSUER, "aud": "plane", "sub": "ana", "iat": AT, "exp": AT + 300}
GOOD_HEADER = {"alg": "RS256", "kid": "one", "typ": "JWT"}
CORPUS = cases.named("jose")


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Keys:
    """The provider's, another's, and secrets that a forger could make of what is public."""

    def __init__(self) -> None:
        made = rsa.generate_private_key(65537, 2048)
        public = made.public_key()
        self.by_name: dict[str, Any] = {
            "ours": jwk.import_key(_pem(made), "RSA"),
            "theirs": jwk.import_key(_pem(rsa.generate_private_key(65537, 2048)), "RSA"),
            "ec": jwk.import_key(_pem(ec.generate_private_key(ec.SECP256R1())), "EC"),
            "public-pem": public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
            "public-der": public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
            "empty": b"",
        }
        ours = self.by_name["ours"].as_dict(private=False)
        self.published = (
            {**ours, "kid": "one", "use": "sig"},
            {**self.by_name["ec"].as_dict(private=False), "kid": "two", "use": "sig"},
        )


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


def forge(keys: Keys, case: dict[str, Any]) -> str:
    """`header` and `claims` change the good ones (null: without); `rawHeader` and `rawClaims` stand in their place, as text or JSON.

    `key` signs, as `signedWith` says; `text` is what becomes of the token.
    """
    changed = [
        {**GOOD_HEADER, **case.get("header", {})},
        {**GOOD, **{name: _claim(value) for name, value in case.get("claims", {}).items()}},
    ]
    header, claims = ({name: value for name, value in one.items() if value is not None} for one in changed)
    signed = f"{_part(case.get('rawHeader', header))}.{_part(case.get('rawClaims', claims))}"
    return str(case.get("text", "{token}")).format(token=f"{signed}.{_signature(keys, case, signed)}", signed=signed, padding="A" * 20_000)


def _claim(value: object) -> object:
    """`now+60` as a time."""
    return AT + int(value.removeprefix("now")) if isinstance(value, str) and value.startswith("now") else value


def _part(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _signature(keys: Keys, case: dict[str, Any], signed: str) -> str:
    algorithm, key = case.get("signedWith", "RS256"), keys.by_name[case.get("key", "ours")]
    if algorithm == "HS256":
        found = hmac.digest(key, signed.encode(), "sha256")
    else:
        found = jws.JWSRegistry(algorithms=[algorithm]).get_alg(algorithm).sign(signed.encode(), key)
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()


def read(token: str, keys: Keys) -> dict[str, Any]:
    found = jose.verify(token, keys.published, algorithms=["RS256", "ES256"])
    if why := login.registered(found, issuer=ISSUER, audience="plane", now=NOW):
        raise login.Refused(why)
    return found


def test_a_good_token_is_read(keys: Keys) -> None:
    assert read(forge(keys, {}), keys) == GOOD


def test_a_token_of_another_of_the_providers_keys_is_read(keys: Keys) -> None:
    assert read(forge(keys, {"header": {"alg": "ES256", "kid": "two"}, "key": "ec", "signedWith": "ES256"}), keys) == GOOD


@pytest.mark.parametrize("case", [case for _, case in CORPUS], ids=[name for name, _ in CORPUS])
def test_a_forged_token_is_refused(keys: Keys, case: dict[str, Any]) -> None:
    with pytest.raises(login.Refused) as refused:
        read(forge(keys, case), keys)
    assert case["why"] in refused.value.reason


def test_a_short_key_of_the_providers_is_none(keys: Keys) -> None:
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - as a forger wants it
    with pytest.warns(errors.SecurityWarning):
        weak = jwk.import_key(_pem(small), "RSA")
    keys.by_name["weak"] = weak
    token = forge(keys, {"key": "weak", "header": {"kid": "weak"}})
    with pytest.raises(login.Refused) as refused:
        jose.verify(token, [{**weak.as_dict(private=False), "kid": "weak"}], algorithms=["RS256"])
    assert "2048 bits" in refused.value.reason


def test_an_unknown_key_asks_for_a_fresh_look(keys: Keys) -> None:
    with pytest.raises(jose.Unknown):
        read(forge(keys, {"header": {"kid": "next"}}), keys)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"keys": [{"kty": "oct", "k": "AA"}, {"kty": "RSA", "use": "enc"}, {"kty": "RSA"}, 7]}', 1),
        ('{"keys": []}', 0),
    ],
)
def test_only_keys_that_verify_are_taken(text: str, found: int) -> None:
    assert len(jose.keys_of(text.encode())) == found


@pytest.mark.parametrize("text", ["[]", "{}", '{"keys": {}}', "x", '{"keys": [' + ",".join(["{}"] * 51) + "]}"])
def test_a_key_set_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(login.Refused):
        jose.keys_of(text.encode())
