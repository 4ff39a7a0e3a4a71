"""What agents answer to the plane's questions: JSON in `Final.live`, tagged, so that an older agent's other answer is seen as such."""

from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer"):
    """The root of all answers."""


class Absent(Answer, frozen=True, kw_only=True, tag="absent"):
    """What was asked about is not there, or not the app's."""

    sentence: str


class Manifest(Answer, frozen=True, kw_only=True, tag="manifest"):
    """One live object, masked."""

    body: dict[str, Any]


def encode(answer: Answer) -> bytes:
    """JSON."""
    return _ENCODER.encode(answer)


_ENCODER = msgspec.json.Encoder()
