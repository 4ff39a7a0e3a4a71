"""What agents answer to the plane's questions: JSON in `Final.live`, tagged, so that an older agent's other answer is seen as such."""

import msgspec

from plane.wire import views


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer"):
    """The root of all answers."""


class Absent(Answer, frozen=True, kw_only=True, tag="absent"):
    """What was asked about is not there, or not the app's."""

    sentence: str


class Manifests(Answer, frozen=True, kw_only=True, tag="manifests"):
    """Live objects, masked."""

    live: views.Live


class Tree(Answer, frozen=True, kw_only=True, tag="tree"):
    """An app's objects and what descends from them."""

    tree: views.Tree


class Events(Answer, frozen=True, kw_only=True, tag="events"):
    """What Kubernetes says of them."""

    events: views.KubeEvents


def encode(answer: Answer) -> bytes:
    """JSON."""
    return _ENCODER.encode(answer)


_ENCODER = msgspec.json.Encoder()
