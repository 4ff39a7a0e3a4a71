"""Waivers: a rule does not stop certain objects for a time, because somebody said so and somebody else agreed.

A waiver marks a violation and never hides it: it stays in the verdict, with the waiver's name beside it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from plane.domain import objects
from plane.domain.judging import policy
from plane.domain.permitting import globs

USUAL = dt.timedelta(days=90)  # longer ones are the platform's to approve
LONGEST = dt.timedelta(days=365)
BREAK_GLASS = dt.timedelta(hours=4)
REMINDERS = (dt.timedelta(days=14), dt.timedelta(days=7), dt.timedelta(days=1))  # before the end

CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})

State = Literal["requested", "in-force", "expired", "revoked"]


class WaiverSpec(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """What is waived, where, why and until when.

    `policy`: the set whose rule it is, `platform/NAME` for one of the platform's or of its profiles. `apps`, `clusters`, `namespaces`
    and `names` are globs, `kinds` are kinds with their groups (`apps/Deployment`, `Service`); empty lists leave out nothing.
    `images`: only objects all of whose containers run one of these. `digests`: only these versions of objects, as verdicts name them.
    `break_glass`: counts at once, for four hours at most, and is looked at afterwards.
    """

    policy: str
    rule: str
    reason: str
    expires_at: str  # RFC 3339
    apps: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    ticket: str = ""
    compensating_control: str = ""
    break_glass: bool = False


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver with its life. `name`: as people know it, PROJECT/NAME."""

    name: str
    spec: WaiverSpec
    requested_by: str
    approved_by: str = ""
    revoked_by: str = ""


class Subject(msgspec.Struct, frozen=True):
    """An object as waivers look at it; `digest` names this version of it."""

    key: objects.ObjectKey
    digest: str
    images: frozenset[str] = frozenset()


def subject(manifest: objects.Manifest) -> Subject:
    """What waivers look at of an object: its digest, and the images of all containers anywhere in it."""
    return Subject(manifest.key, objects.digest(objects.canonical(manifest.body)), frozenset(_images(manifest.body)))


def problems(spec: WaiverSpec, *, at: dt.datetime) -> dict[str, str]:
    """What is wrong with a waiver that is asked for now, by field."""
    found: dict[str, str] = {}
    if not spec.reason.strip():
        found["spec.reason"] = "say why the rule shall not count"
    if not spec.policy:
        found["spec.policy"] = "name the rule's policy set, as `plane app explain` does: house, or platform/house for the platform's"
    if not spec.rule or "*" in spec.rule:
        found["spec.rule"] = "name one rule, as `plane app explain` does"
    end = ends(spec)
    longest, length = (BREAK_GLASS, "4 hours") if spec.break_glass else (LONGEST, "365 days")
    if end is None:
        found["spec.expiresAt"] = "must be a time like 2027-01-31T00:00:00Z, with its zone"
    elif not at < end <= at + longest:
        found["spec.expiresAt"] = f"must lie in the next {length}"
    several = (("apps", spec.apps), ("clusters", spec.clusters), ("namespaces", spec.namespaces), ("names", spec.names))
    for field, patterns in several:
        found |= {f"spec.{field}[{number}]": bad for number, glob in enumerate(patterns) if (bad := globs.problem(glob))}
    return found


def ends(spec: WaiverSpec) -> dt.datetime | None:
    """When it counts no more; None for a text that is no time."""
    try:
        moment = dt.datetime.fromisoformat(spec.expires_at)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def state(waiver: Waiver, *, at: dt.datetime) -> State:
    """Where a waiver stands. It counts while in force, and at no other time."""
    end = ends(waiver.spec)
    return standing(waiver, over=end is None or end <= at)


def standing(waiver: Waiver, *, over: bool) -> State:
    """The same where it is known whether its time is over."""
    if waiver.revoked_by:
        return "revoked"
    if over:
        return "expired"
    return "in-force" if waiver.approved_by or waiver.spec.break_glass else "requested"


def long(spec: WaiverSpec, *, at: dt.datetime) -> bool:
    """Longer than what a tenant approves by itself."""
    end = ends(spec)
    return end is not None and end > at + USUAL


def reminder(before: dt.datetime | None, waiver: Waiver, *, at: dt.datetime) -> dt.timedelta | None:
    """How long before its end somebody is to be reminded now; None when nobody is. `before`: when that was last looked at."""
    end = ends(waiver.spec)
    if end is None or state(waiver, at=at) != "in-force":
        return None
    due = [left for left in REMINDERS if end - left <= at and (before is None or before < end - left)]
    return min(due, default=None)


def waive(
    judged: Iterable[policy.Judged], waivers: Iterable[Waiver], subjects: Mapping[str, Subject], *, app: str, cluster: str, at: dt.datetime
) -> tuple[policy.Judged, ...]:
    """Violations with the waiver that counts for each, if any: the first by name. `subjects`: by the text of their key."""
    held = sorted(
        (one for one in waivers if state(one, at=at) == "in-force" and _any(one.spec.apps, app) and _any(one.spec.clusters, cluster)),
        key=lambda one: one.name,
    )
    return tuple(_waived(one, held, subjects.get(one.violation.object)) for one in judged)


def next_change(waivers: Iterable[Waiver], *, at: dt.datetime) -> dt.datetime | None:
    """When the first of those in force ends."""
    return min((end for one in waivers if state(one, at=at) == "in-force" and (end := ends(one.spec))), default=None)


def _waived(judged: policy.Judged, held: list[Waiver], subject: Subject | None) -> policy.Judged:
    if subject is None:
        return judged
    waiver = next((one.name for one in held if _covers(one.spec, judged.violation, subject)), "")
    return msgspec.structs.replace(judged, digest=subject.digest, waiver=waiver)


def _covers(spec: WaiverSpec, violation: policy.Violation, subject: Subject) -> bool:
    key = subject.key
    return (
        (spec.policy, spec.rule) == (violation.policy, violation.rule)
        and (not spec.kinds or _kind(key) in spec.kinds)
        and _any(spec.namespaces, key.namespace)
        and _any(spec.names, key.name)
        and (not spec.images or (bool(subject.images) and subject.images <= frozenset(spec.images)))
        and (not spec.digests or subject.digest in spec.digests)
    )


def _images(body: object) -> Iterator[str]:
    if isinstance(body, list):
        for one in body:
            yield from _images(one)
    elif isinstance(body, dict):
        for name, value in body.items():
            if name in CONTAINERS and isinstance(value, list):
                yield from (str(one["image"]) for one in value if isinstance(one, dict) and "image" in one)
            else:
                yield from _images(value)


def _kind(key: objects.ObjectKey) -> str:
    return f"{key.group}/{key.kind}" if key.group else key.kind


def _any(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(globs.matches(glob, text) for glob in patterns)
