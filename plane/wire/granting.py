"""Who may do what: questions about it and their answers; break-glass roles; what waits for a second person."""

from typing import Annotated, Literal

import msgspec

from plane.domain import weighing
from plane.wire import rest

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Reason = Annotated[str, msgspec.Meta(min_length=8, max_length=500)]


class Wish(rest.Body, frozen=True, kw_only=True):
    """VERB and RESOURCE as people say them: `sync` and `app`, `action:apps/Deployment/restart` and `app`. `project`, `app`: where."""

    verb: Word
    resource: Word
    project: str = ""
    app: str = ""


class WishOf(Wish, frozen=True, kw_only=True):
    """`who`: somebody else than the caller, who then needs access:get."""

    who: str = ""


class Ruling(rest.Answer, frozen=True, kw_only=True):
    """Whether it is allowed now, and the grant that allows it, or what is missing."""

    allowed: bool
    because: str
    permission: str


class Explained(Ruling, frozen=True, kw_only=True):
    """With all that was weighed, the nearest to yes first."""

    weighed: tuple[weighing.Weighed, ...]


class Able(rest.Answer, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who may, or may once something holds."""

    kind: Literal["User", "ServiceAccount", "Group"]
    name: str
    role: str
    because: str
    now: bool = False


class Break(rest.Body, frozen=True, kw_only=True):
    """Why a break-glass role is taken, and for how long."""

    reason: Reason
    minutes: Annotated[int, msgspec.Meta(ge=1, le=240)] = 60


class Glass(rest.Answer, frozen=True, kw_only=True, omit_defaults=True):
    """A break-glass role that somebody took. `ended_at` empty: it holds until `until`, if that is still to come."""

    binding: str
    role: str
    person: str
    reason: str
    taken_at: str
    until: str
    ended_at: str = ""


class Approval(rest.Answer, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody asked for that needs a second person: `order` as it was sent, `permission` as it is needed there."""

    id: str
    person: str
    permission: str
    order: str
    asked_at: str
    expires_at: str
    approved_at: str = ""
    used_at: str = ""
