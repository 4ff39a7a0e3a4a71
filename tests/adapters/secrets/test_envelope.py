"""What the plane keeps is readable with its master key and in its own place only."""

import base64
import os
import traceback

import msgspec
import pytest

from plane import ports
from plane.adapters.secrets import envelope
from plane.adapters.secrets import vault as adapter
from plane.domain import errors
from plane.domain.rendering import secrets
from tests.support import vault as support

CANARY = b"canary-7f3a-p4ssw0rd"
MASTER = secrets.Secret(os.urandom(32))
LOCAL = envelope.Local(MASTER)
WRAPPED = LOCAL.wrap(secrets.Secret(CANARY), context=b"acme/shop/git")


def test_what_was_wrapped_is_unwrapped() -> None:
    assert LOCAL.unwrap(WRAPPED, context=b"acme/shop/git").reveal() == CANARY
    assert CANARY not in WRAPPED


def test_wrapping_twice_gives_two_texts() -> None:
    assert LOCAL.wrap(secrets.Secret(CANARY), context=b"acme/shop/git") != WRAPPED


@pytest.mark.parametrize(
    ("wrapped", "context", "sentence"),
    [
        (WRAPPED, b"globex/shop/git", "does not belong to this place"),
        (WRAPPED[:-1] + bytes([WRAPPED[-1] ^ 1]), b"acme/shop/git", "was changed"),
        (WRAPPED[:12], b"acme/shop/git", "was changed"),
        (b"", b"acme/shop/git", "another kind of master key"),
        (b"\x02" + WRAPPED[1:], b"acme/shop/git", "another kind of master key"),
    ],
    ids=["context", "flipped bit", "cut", "empty", "kind"],
)
def test_anything_else_is_refused(wrapped: bytes, context: bytes, sentence: str) -> None:
    with pytest.raises(errors.SecretRefused, match=sentence) as refused:
        LOCAL.unwrap(wrapped, context=context)
    assert CANARY.decode() not in "".join(traceback.format_exception(refused.value))


def test_another_master_key_is_named_by_its_id() -> None:
    with pytest.raises(errors.SecretRefused, match=r"under the master key [0-9a-f]{16}, which this process was not given"):
        envelope.Local(secrets.Secret(os.urandom(32))).unwrap(WRAPPED, context=b"acme/shop/git")


def test_an_older_master_key_still_unwraps() -> None:
    newer = envelope.Local(secrets.Secret(os.urandom(32)), older=(MASTER,))
    assert newer.unwrap(WRAPPED, context=b"acme/shop/git").reveal() == CANARY
    assert newer.wrap(secrets.Secret(CANARY), context=b"c")[1:9] != WRAPPED[1:9]


KEY = bytes(range(200, 232))


FORMS = {"raw": KEY, "hex": KEY.hex().encode() + b"\n", "base64": base64.b64encode(KEY), "upper": b" " + KEY.hex().upper().encode()}


@pytest.mark.parametrize("text", FORMS.values(), ids=list(FORMS))
def test_a_master_key_is_read_in_its_usual_forms(text: bytes) -> None:
    assert envelope.parse_master_key(text, where="PLANE_MASTER_KEY").reveal() == KEY


@pytest.mark.parametrize("text", [b"", b"password", b"00" * 16, KEY + b"\n\n", "ä".encode() * 16 + b"x"])
def test_any_other_master_key_is_refused_and_not_quoted(text: bytes) -> None:
    with pytest.raises(errors.SecretRefused, match="PLANE_MASTER_KEY: the master key must be 32 random bytes") as refused:
        envelope.parse_master_key(text, where="PLANE_MASTER_KEY")
    assert not text or repr(text) not in "".join(traceback.format_exception(refused.value))


@pytest.fixture(scope="module")
def access(vault: support.DevVault) -> ports.VaultAccess:
    vault.call("transit/keys/plane", type="aes256-gcm96")
    rules = (
        'path "transit/datakey/plaintext/plane" { capabilities = ["update"] } path "transit/decrypt/plane" { capabilities = ["update"] }'
    )
    return msgspec.structs.replace(vault.role("plane", rules, token_ttl="10m"), mount="transit")


def test_vault_transit_keeps_the_master_key(vault: support.DevVault, access: ports.VaultAccess) -> None:
    transit = envelope.Transit(adapter.Sessions(), access, key="plane")
    wrapped = transit.wrap(secrets.Secret(CANARY), context=b"c")
    vault.call("transit/keys/plane/rotate")
    assert transit.unwrap(wrapped, context=b"c").reveal() == CANARY
    assert CANARY not in wrapped
    with pytest.raises(errors.SecretRefused, match="does not belong to this place"):
        transit.unwrap(wrapped, context=b"d")
    with pytest.raises(errors.SecretRefused, match="another kind of master key"):
        LOCAL.unwrap(wrapped, context=b"c")


def test_a_key_that_vault_does_not_give_is_refused(access: ports.VaultAccess) -> None:
    with pytest.raises(errors.SecretRefused, match="vault:main: Vault denied access"):
        envelope.Transit(adapter.Sessions(), access, key="other").wrap(secrets.Secret(CANARY), context=b"c")


def test_a_data_key_of_another_vault_is_refused(access: ports.VaultAccess) -> None:
    word = b"vault:v1:" + base64.b64encode(os.urandom(60))
    wrapped = envelope.TRANSIT + len(word).to_bytes(2, "big") + word + os.urandom(40)
    with pytest.raises(errors.PlaneError):
        envelope.Transit(adapter.Sessions(), access, key="plane").unwrap(wrapped, context=b"c")


def test_a_ring_wraps_with_its_first_and_unwraps_what_either_wrapped(vault: support.DevVault) -> None:
    vault.call("transit/keys/ring")
    access = msgspec.structs.replace(vault.token('path "transit/*" { capabilities = ["update"] }', "ring"), mount="transit")
    ring = envelope.Ring(envelope.Transit(adapter.Sessions(), access, key="ring"), LOCAL)
    wrapped = ring.wrap(secrets.Secret(CANARY), context=b"acme/shop/git")
    found = [ring.unwrap(each, context=b"acme/shop/git").reveal() for each in (wrapped, WRAPPED)]
    assert (wrapped[:1], found) == (envelope.TRANSIT, [CANARY, CANARY])
    with pytest.raises(errors.SecretRefused, match="another kind of master key"):
        ring.unwrap(b"\x09nothing", context=b"acme/shop/git")


def test_what_vault_opened_a_moment_ago_is_opened_without_it(vault: support.DevVault) -> None:
    vault.call("transit/keys/kept")
    access = msgspec.structs.replace(vault.token('path "transit/*" { capabilities = ["update"] }', "kept"), mount="transit")
    transit = envelope.Transit(adapter.Sessions(), access, key="kept")
    wrapped = transit.wrap(secrets.Secret(CANARY), context=b"c")
    assert transit.unwrap(wrapped, context=b"c").reveal() == CANARY
    vault.call("transit/keys/kept/config", deletion_allowed=True)
    vault.http.delete("transit/keys/kept").raise_for_status()
    assert transit.unwrap(wrapped, context=b"c").reveal() == CANARY
    with pytest.raises(errors.SecretRefused):
        envelope.Transit(adapter.Sessions(), access, key="kept").unwrap(wrapped, context=b"c")
