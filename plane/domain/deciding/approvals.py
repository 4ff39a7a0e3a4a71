"""That somebody said yes: to the deletions of a release, to what policy wants looked at, or to what somebody else had asked for."""

from typing import Literal

import msgspec

To = Literal["deletions", "policy", "order"]


class Approval(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who said yes, when, and to which release; an order is agreed to before it has one.

    `by` and `by_id`: the person, without the name where that was erased; `at`: RFC 3339; `event`: the one that tells it; `approval`: of
    an order, as the list of them names it.
    """

    to: To
    by: str = ""
    by_id: str
    at: str
    release: str = ""
    event: str = ""
    approval: str = ""
