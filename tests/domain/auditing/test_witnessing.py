"""What a witness takes for a state of a log."""

import pytest

from plane.domain import errors
from plane.domain.auditing import audit, witnessing

KEY = b"k" * 32


def note(size: str) -> str:
    text = f"log\n{size}\n{audit.b64(bytes(32))}\n"
    return f"{text}\n\u2014 log {audit.b64(audit.key_id('log', KEY) + bytes(64))}\n"


def read(size: str) -> witnessing.State:
    return witnessing.read(note(size), audit.verifier_key("log", KEY), lambda *_: True)


def test_a_state_has_the_size_that_its_note_says() -> None:
    assert [read(size).size for size in ("0", "7", str(2**53 - 1))] == [0, 7, 2**53 - 1]


@pytest.mark.parametrize("size", [str(2**53), str(2**63), "9" * 30, "-1"])
def test_a_size_that_no_log_has_is_refused_with_a_sentence(size: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        read(size)
    assert refused.value.problems == {"note": f"says that its log has {size} events; a witness holds logs of 0 to 9007199254740991"}
