"""Only the agent it was sealed for opens a value, and only at its place."""

import subprocess
import sys

import pytest

from plane.adapters.secrets import sealing
from plane.domain import errors
from plane.domain.rendering import secrets

CANARY = b"canary-7f3a-p4ssw0rd"
KEYS = sealing.new_key_pair()
SEALED = sealing.Hpke().seal(KEYS.public, secrets.Secret(CANARY), b"context")


def test_the_agent_opens_what_was_sealed_for_it() -> None:
    assert sealing.open_sealed(KEYS.private, SEALED, b"context").reveal() == CANARY


@pytest.mark.parametrize("value", [b"", b"\x00\xff", b"x" * 1024 * 1024])
def test_any_bytes_survive(value: bytes) -> None:
    sealed = sealing.Hpke().seal(KEYS.public, secrets.Secret(value), b"c")
    assert sealing.open_sealed(KEYS.private, sealed, b"c").reveal() == value
    assert len(sealed) == len(value) + 48


@pytest.mark.parametrize(
    ("key", "sealed", "context"),
    [
        (sealing.new_key_pair().private, SEALED, b"context"),
        (KEYS.private, SEALED, b"another context"),
        (KEYS.private, SEALED[:-1] + bytes([SEALED[-1] ^ 1]), b"context"),
        (KEYS.private, b"", b"context"),
        (KEYS.private, SEALED[:20], b"context"),
    ],
    ids=["key", "context", "flipped bit", "empty", "cut"],
)
def test_anything_else_is_refused_without_a_word_of_the_value(key: secrets.Secret, sealed: bytes, context: bytes) -> None:
    with pytest.raises(errors.SecretRefused, match="refresh the app") as refused:
        sealing.open_sealed(key, sealed, context)
    assert CANARY.decode() not in repr(refused.value)


def test_sealing_twice_gives_two_ciphertexts() -> None:
    assert sealing.Hpke().seal(KEYS.public, secrets.Secret(CANARY), b"context") != SEALED


def test_a_key_pair_shows_no_private_key() -> None:
    assert KEYS.private.reveal().hex() not in repr(KEYS)
    assert repr(KEYS.private.reveal()) not in repr(KEYS)


def test_a_key_has_a_name() -> None:
    assert len(sealing.key_id(KEYS.public)) == 16
    assert sealing.key_id(KEYS.public) != sealing.key_id(sealing.new_key_pair().public)


def test_the_agent_gets_no_server_package_with_it() -> None:
    code = (
        "import sys, plane.adapters.secrets.sealing, plane.domain.rendering.opening;"
        "print([n for n in ('sqlalchemy','litestar','git','hvac','opa_client','requests') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
