"""What the plane and the child that runs scripts say to each other: one order, one answer, each with its length before it."""

import struct
from typing import IO, Any

import msgspec

from plane.domain.health import health_scripts

HEAD = struct.Struct("!I")
MOST_BYTES = 16 * 2**20


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one script."""

    wall_s: float = 1.0  # Argo CD's bound for a jq expression
    memory_bytes: int = 256 * 2**20  # the whole child; a Lua script may use a quarter of it


LIMITS = Limits()


class Paths(msgspec.Struct, frozen=True, tag="paths"):
    """A jq path expression and the object."""

    expression: str
    body: dict[str, Any]


class Lua(msgspec.Struct, frozen=True, tag="lua"):
    """A script with Argo CD's interface, and `obj`."""

    script: str
    body: dict[str, Any]


class Act(msgspec.Struct, frozen=True, tag="act"):
    """A script of Argo CD's resource actions and `obj`; without parameters it tells the actions, with them it does one."""

    script: str
    body: dict[str, Any]
    parameters: dict[str, str] | None = None


class Cel(msgspec.Struct, frozen=True, tag="cel"):
    """Expressions and the object whose top-level fields they name."""

    expressions: health_scripts.Expressions
    body: dict[str, Any]


class Told(msgspec.Struct, frozen=True, tag="told"):
    """The outcome, as the asker knows it."""

    value: Any


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is none, as the end of a sentence. `own`: it is the script's own fault, whatever the object."""

    reason: str
    own: bool = False


class Refused(Exception):
    """A script that cannot be run, or went wrong; the end of a sentence that begins with its name. `own`: as in Failed."""

    def __init__(self, reason: str, *, own: bool = False) -> None:
        self.own = own
        super().__init__(reason)


Order = Paths | Lua | Act | Cel
Answer = Told | Failed
_ORDERS: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def order(body: bytes) -> Order:
    """Read what the plane wrote."""
    return _ORDERS.decode(body)


def answer(body: bytes) -> Answer:
    """Read what a child wrote; EOFError when it is nonsense."""
    try:
        return _ANSWERS.decode(body)
    except msgspec.DecodeError as e:
        raise EOFError from e


def encoded(message: Order | Answer) -> bytes:
    """The bytes of a message."""
    return msgspec.msgpack.encode(message)


def write(stream: IO[bytes] | None, body: bytes) -> None:
    """Send one message."""
    if stream is None:
        raise EOFError
    stream.write(HEAD.pack(len(body)) + body)
    stream.flush()


def read(stream: IO[bytes] | None) -> bytes:
    """Receive one message; EOFError when the other end is gone or talks nonsense."""
    if stream is None:
        raise EOFError
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size or (size := HEAD.unpack(head)[0]) > MOST_BYTES:
        raise EOFError
    body = stream.read(size)
    if len(body) < size:
        raise EOFError
    return body
