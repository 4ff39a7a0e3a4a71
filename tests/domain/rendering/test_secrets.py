"""A `Secret` shows itself to nobody who does not ask for it."""

import copy
import json
import pickle
from collections.abc import Callable

import msgspec
import pytest

from plane.domain import objects
from plane.domain.rendering import secrets

CANARY = "canary-7f3a-p4ssw0rd"
SECRET = secrets.Secret(CANARY.encode())
PLACE = secrets.Place(objects.ObjectKey("", "Secret", "shop", "db"), "/data/password")


def test_no_text_of_a_secret_holds_its_value() -> None:
    assert CANARY not in f"{SECRET}{SECRET!r}{[SECRET]}{(SECRET,)!s}"


@pytest.mark.parametrize(
    "encode",
    [json.dumps, msgspec.json.encode, msgspec.msgpack.encode, pickle.dumps, copy.deepcopy],
    ids=["json", "msgspec json", "msgpack", "pickle", "copy"],
)
def test_no_encoder_takes_a_secret(encode: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as refused:
        encode(SECRET)
    assert CANARY not in str(refused.value)


def test_a_secret_equals_no_text() -> None:
    assert all(text != SECRET for text in (CANARY, CANARY.encode()))
    assert secrets.Secret(CANARY.encode()) == SECRET


def test_a_secret_has_no_hash() -> None:
    with pytest.raises(TypeError):
        hash(SECRET)


def test_a_fingerprint_depends_on_key_place_and_value() -> None:
    other = secrets.Place(PLACE.key, "/data/other")
    prints = {
        secrets.fingerprint(b"k", PLACE, SECRET),
        secrets.fingerprint(b"l", PLACE, SECRET),
        secrets.fingerprint(b"k", other, SECRET),
        secrets.fingerprint(b"k", PLACE, secrets.Secret(b"x")),
    }
    assert len(prints) == 4
    assert all(len(text) == len("hmac-sha256:") + 32 for text in prints)


def test_a_sealing_context_binds_every_part() -> None:
    parts = {"cluster": "c", "app": "a", "release": "r", "place": PLACE}
    changed = {secrets.sealing_context(**{**parts, name: "x"}) for name in ("cluster", "app", "release")}  # type: ignore[arg-type]
    assert len(changed | {secrets.sealing_context(cluster="c", app="a", release="r", place=PLACE)}) == 4
