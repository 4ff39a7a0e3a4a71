"""How much a tenant may have: what is counted, and the sentence when there is no more."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from plane.domain import errors

Amount = Annotated[int, msgspec.Meta(ge=0)]
MIB = 1024 * 1024
LEAST_RENDER_MIB = 64  # with less, no render of a chart comes to its end
EXPORTS_WITHIN = dt.timedelta(hours=1)
Counted = Literal["projects", "apps", "clusters", "objects", "concurrent syncs", "audit exports an hour"]


class Quotas(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """At most so many; absent: no bound of the tenant's own.

    `clusters`: those it made itself; `objects`: of the releases that are wanted now, together; `repository_mib`: the mirror of one
    repository; `audit_exports`: begun within an hour; `render_seconds_per_hour`: of processor time, from one full hour to the next;
    `render_memory_mib`: of one render.
    """

    projects: Amount | None = None
    apps: Amount | None = None
    clusters: Amount | None = None
    objects: Amount | None = None
    concurrent_syncs: Annotated[int, msgspec.Meta(ge=1)] | None = None
    repository_mib: Annotated[int, msgspec.Meta(ge=1)] | None = None
    audit_exports: Amount | None = None
    render_seconds_per_hour: Annotated[int, msgspec.Meta(ge=1)] | None = None
    render_memory_mib: Annotated[int, msgspec.Meta(ge=LEAST_RENDER_MIB)] | None = None

    def render_bytes(self) -> int | None:
        """What one render may hold."""
        return None if self.render_memory_mib is None else self.render_memory_mib * MIB

    def repository_bytes(self) -> int | None:
        """What one mirror may hold."""
        return None if self.repository_mib is None else self.repository_mib * MIB


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much of a quota is used; no limit: as much as the installation allows."""

    quota: str
    used: int
    limit: int | None = None


def used(quota: Quotas, amounts: Mapping[str, int]) -> tuple[Use, ...]:
    """Each quota as documents spell it, by the amounts of its fields."""
    return tuple(Use(field.encode_name, amounts[field.name], getattr(quota, field.name)) for field in msgspec.structs.fields(Quotas))


class QuotaExceeded(errors.Conflict):
    """There is no room for more; the sentence names quota, use, and the way out.

    `quota`: which, as documents spell it. `until`: when there is room, if time alone makes it.
    """

    code = "quota-exceeded"

    def __init__(self, sentence: str, *, quota: str, until: dt.datetime | None = None) -> None:
        super().__init__(sentence)
        self.quota, self.until = quota, until


class MirrorTooLarge(errors.SourceRefused):
    """A repository holds more than its tenant may have of one."""

    quota = "repositoryMib"


class RenderTooLarge(errors.RenderFailed):
    """A render held more memory than one of its tenant may."""

    quota = "renderMemoryMib"


Reached = QuotaExceeded | MirrorTooLarge | RenderTooLarge


def hour_of(moment: dt.datetime) -> dt.datetime:
    """The full hour before it, in UTC."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


class RenderTime(msgspec.Struct, frozen=True):
    """What a tenant's renders have had of this hour's processor time, and may have."""

    tenant: str
    hour: dt.datetime  # when it began
    used_s: float = 0.0
    quota_s: int | None = None

    def check(self, more_s: float) -> None:
        """Raise QuotaExceeded where that and what was taken since is as much as there is."""
        used = self.used_s + more_s
        if self.quota_s is None or used < self.quota_s:
            return
        until = self.hour + dt.timedelta(hours=1)
        begun, again = (f"{moment:%Y-%m-%dT%H:%MZ}" for moment in (self.hour, until))
        took = f"tenant {self.tenant} may render for {self.quota_s} s of processor time an hour and has had {used:.0f} s since {begun}"
        message = f"{took}; what runs stays, and the app is rendered again at {again}; or ask the platform team for a higher quota"
        raise QuotaExceeded(message, quota="renderSecondsPerHour", until=until)


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
    "audit exports an hour": "wait a while",
}
