"""What agents answer to the plane's questions: JSON in `Final.live`, tagged, so that an older agent's other answer is seen as such."""

import msgspec

from plane.wire import agent, views


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


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a `live` question with a release wants to know besides."""

    ignored: bool = False  # what `ignoreDifferences` leave out


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an apply does to one object. `diff`: unified, in YAML, masked; `ignored`: likewise, of what rules leave out.

    `action`: create, update, delete, or empty when nothing counts; `former`: tools that it is taken over from.
    """

    key: agent.Key
    action: str = ""
    fields: tuple[str, ...] = ()
    diff: str = ""
    ignored: str = ""
    former: tuple[str, ...] = ()
    extra: tuple[agent.Extra, ...] = ()


class Diff(Answer, frozen=True, kw_only=True, tag="diff"):
    """What an apply of the release that a `live` question names does, as its dry run tells. Objects without news are left out."""

    changes: tuple[Change, ...]


class Logs(Answer, frozen=True, kw_only=True, tag="logs"):
    """The lines went before it, in pieces. `warnings`: what is left out, and why."""

    warnings: tuple[str, ...] = ()


def encode(answer: Answer) -> bytes:
    """JSON."""
    return _ENCODER.encode(answer)


_ENCODER = msgspec.json.Encoder()
