"""Why somebody may do something, or what is missing: every grant that says something about it, weighed."""

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import msgspec

from plane.domain import access
from plane.domain.granting import conditions, roles

Verdict = Literal["allows", "elsewhere", "lacks", "unmet", "not-taken"]


class Held(msgspec.Struct, frozen=True):
    """A grant and where it comes from. `source`: `rolebinding x`, or `by hand`; `place`: what it is over, in names.

    `glass`: it must be taken first; `taken`: it is, until then.
    """

    grant: access.Grant
    source: str
    place: str
    group: str = ""
    glass: bool = False
    taken: dt.datetime | None = None


class Asked(msgspec.Struct, frozen=True):
    """What is asked: the permission, over what, and the moment and place that it is asked from."""

    permission: str
    target: access.Target
    now: dt.datetime
    address: str = ""
    login: dt.datetime | None = None


class Weighed(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One grant: whether it allows, and the sentence."""

    verdict: Verdict
    because: str


_ORDER: tuple[Verdict, ...] = ("allows", "not-taken", "unmet", "lacks", "elsewhere")  # the nearest to yes first


def weigh(everything: Iterable[Held], asked: Asked) -> tuple[Weighed, ...]:
    """All grants of somebody, those first that allow, or come nearest."""
    return tuple(sorted((_weigh(held, asked) for held in everything), key=lambda one: (_ORDER.index(one.verdict), one.because)))


def conclude(weighed: Iterable[Weighed], *, who: str, permission: str, where: str) -> tuple[bool, str]:
    """Whether it is allowed, and the one sentence: the grant that allows it, or what is missing."""
    found = tuple(weighed)
    if found and found[0].verdict == "allows":
        return True, found[0].because
    missing = f"nothing gives {who} {permission} over {where}"
    near = [one.because for one in found if one.verdict != "elsewhere"]
    return False, "; ".join([missing, *near[:3]])


def _weigh(held: Held, asked: Asked) -> Weighed:
    grant = held.grant
    through = f" to the group {held.group}" if held.group else ""
    said = f"{held.source} gives {grant.role} over {held.place}{through}"
    if not roles.holds(grant.holds, asked.permission):
        place = "lacks" if _covers(grant, asked.target) else "elsewhere"
        return Weighed(place, f"{said}, which does not hold {asked.permission}")  # type: ignore[arg-type]  # one of two verdicts
    if not _covers(grant, asked.target):
        return Weighed("elsewhere", f"{said}, which is elsewhere")
    if not grant.gives(asked.permission):
        return Weighed("unmet", f"{said}, but the token is narrowed to {', '.join(sorted(grant.scopes))}")
    if held.glass and not (held.taken and held.taken > asked.now):
        return Weighed("not-taken", f"{said}, once it is taken with `plane auth break-glass {held.source.rpartition(' ')[2]}`")
    if why := conditions.unmet(grant.terms, now=asked.now, address=asked.address, login=asked.login):
        return Weighed("unmet", f"{said}, but {why}")
    if not conditions.fits(grant.terms, asked.target.cluster):
        labels = ",".join(f"{key}={value}" for key, value in grant.terms.clusters)
        return Weighed("unmet", f"{said}, but only on clusters with {labels}")
    return Weighed("allows", f"{said}, which holds {asked.permission}")


def _covers(grant: access.Grant, target: access.Target) -> bool:
    """Whether the place contains the target, whatever the cluster."""
    terms = msgspec.structs.replace(grant.terms, clusters=())
    return access.covers(msgspec.structs.replace(grant, terms=terms), target)
