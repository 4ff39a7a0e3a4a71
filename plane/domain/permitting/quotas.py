"""How much a tenant may have: what is counted, and the sentence when there is no more."""

from typing import Annotated, Literal

import msgspec

from plane.domain import errors

Amount = Annotated[int, msgspec.Meta(ge=0)]
Counted = Literal["projects", "apps", "clusters", "objects", "concurrent syncs"]


class Quotas(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """At most so many; absent: no bound of the tenant's own.

    `clusters`: those it made itself; `objects`: of the releases that are wanted now, together.
    """

    projects: Amount | None = None
    apps: Amount | None = None
    clusters: Amount | None = None
    objects: Amount | None = None
    concurrent_syncs: Annotated[int, msgspec.Meta(ge=1)] | None = None


class QuotaExceeded(errors.Conflict):
    """There is no room for more; the sentence names quota, use, and the way out."""

    code = "quota-exceeded"


def exceeded(what: Counted, *, quota: int | None, used: int, more: int = 1) -> str:
    """Why there is no room for more, or the empty string."""
    if quota is None or used + more <= quota:
        return ""
    asked = f" and this needs {more} more" if more > 1 else ""
    return f"the tenant's quota is {quota} {what}, {used} are in use{asked}; {_WAYS_OUT[what]}, or ask the platform team for a higher quota"


_WAYS_OUT: dict[Counted, str] = {
    "projects": "delete one",
    "apps": "delete one",
    "clusters": "delete one",
    "objects": "remove some",
    "concurrent syncs": "wait until one is through",
}
