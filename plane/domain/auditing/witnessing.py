"""One plane as a witness of another's log: what it looks at, and what it signs (https://c2sp.org/tlog-cosignature)."""

import binascii
from collections.abc import Callable

import msgspec

from plane.domain import errors
from plane.domain.auditing import audit, proof_checks

MOST = 2**53 - 1  # events of a log: what every reader of JSON keeps exact, as `old` of a witness has to
COSIGNATURE = b"\x04"  # the kind of key in notes: Ed25519 over the time and the note


class State(msgspec.Struct, frozen=True):
    """A signed state of a log, as its note says it."""

    origin: str
    size: int
    root: str  # hexadecimal
    text: str  # what is signed


Holds = Callable[[bytes, bytes, bytes], bool]  # whether a key made a signature over a text


def read(note: str, key: str, holds: Holds) -> State:
    """The state of a note whose signature by the verifier key holds; Invalid."""
    try:
        text, _, signed = note.partition("\n\n")
        origin, size, root = text.split("\n")[:3]
        public = audit.unb64(key.split("+", 2)[2])[1:]
        made = next(line for line in signed.splitlines() if line.startswith(f"\u2014 {origin} "))
        marked = audit.unb64(made.rpartition(" ")[2])
        if audit.verifier_key(origin, public) != key or marked[:4] != audit.key_id(origin, public):
            raise errors.Invalid({"key": "is not the one that signed the note"})
        if not holds(public, marked[4:], f"{text}\n".encode()):
            raise errors.Invalid({"note": "its signature does not hold"})
        if not 0 <= int(size) <= MOST:
            raise errors.Invalid({"note": f"says that its log has {size[:40]} events; a witness holds logs of 0 to {MOST}"})
        return State(origin, int(size), audit.unb64(root).hex(), f"{text}\n")
    except (ValueError, IndexError, StopIteration, binascii.Error) as e:
        raise errors.Invalid({"note": "must be a signed note with a checkpoint, and key the verifier key that signed it"}) from e


def continues(known: tuple[int, str], state: State, proof: tuple[str, ...]) -> bool:
    """Whether the state goes on from the (size, root) that the witness knows; size 0: it knows none."""
    if not known[0]:
        return not proof
    path = [bytes.fromhex(one) for one in proof]
    return proof_checks.continues((known[0], bytes.fromhex(known[1])), (state.size, bytes.fromhex(state.root)), path)


def signed_text(state: State, time: int) -> bytes:
    """What a cosignature is over; `time` in seconds since 1970."""
    return f"cosignature/v1\ntime {time}\n{state.text}".encode()


def line(name: str, key: bytes, time: int, signature: bytes) -> str:
    """The cosignature as a line of the note."""
    identity = audit.key_id(name, key, kind=COSIGNATURE)
    return f"\u2014 {name} {audit.b64(identity + time.to_bytes(8, 'big') + signature)}"
