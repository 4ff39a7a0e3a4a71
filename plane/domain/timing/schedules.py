"""Sync windows and freezes as documents say them: their fields, their rules, and which apps they are about."""

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterator
from typing import Literal

import msgspec

from plane.domain.permitting import globs
from plane.domain.timing import cron

MAX_DESCRIPTION = 255
YEARS = range(1970, 9000)  # arithmetic with zones and lengths needs room before Python's year 9999

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_LENGTH = re.compile(r"(\d+\.?\d*|\.\d+)(h|ms|m|us|µs|μs|ns|s)", re.ASCII)


class Window(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A recurring time; fields as in Argo CD's AppProject. It matches nothing when none of the three lists has an entry."""

    kind: Literal["allow", "deny"]
    schedule: str  # five cron fields
    duration: str  # 2h, 1h30m, as Go writes it
    applications: tuple[str, ...] = ()  # globs, as the two below; OR between the lists unless and_operator
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    and_operator: bool = False
    manual_sync: bool = False
    time_zone: str = ""  # IANA; empty: UTC
    sync_overrun: bool = False
    description: str = ""


class Freeze(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """No sync for once; without `until` it holds until somebody removes it. Lists narrow it; without any it is about every app."""

    reason: str
    owner: str
    starts: str = ""  # RFC 3339, as `until`; empty: at once
    until: str = ""
    applications: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    manual_sync: bool = False


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody stopped an app, or a project with all its apps, for now; without `until` it holds until somebody releases it."""

    reason: str
    owner: str
    since: str = ""  # RFC 3339, as `until`
    until: str = ""
    over: Literal["app", "project"] = "app"


class Calendar(msgspec.Struct, frozen=True):
    """What holds for an app: windows of its project and, `above`, of its tenant; freezes of both; holds of itself and its project.

    Project and tenant each decide by their own windows: what the tenant's close, no window of a project opens.
    """

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    holds: tuple[Hold, ...] = ()
    above: tuple[Window, ...] = ()


class Target(msgspec.Struct, frozen=True):
    """What a sync is about. A cluster is matched by name and by address."""

    app: str
    namespace: str = ""
    cluster: str = ""
    server: str = ""


class BadWindow(ValueError):
    """A window that cannot be read; the message is the rule."""


def matches(window: Window, target: Target) -> bool:
    """Whether a window is about an app: one of its lists, or all that have entries when `andOperator` says so."""
    found = [
        any(globs.matches(glob, text) for glob in listed for text in texts)
        for listed, texts in (
            (window.applications, (target.app,)),
            (window.namespaces, (target.namespace,)),
            (window.clusters, [text for text in (target.cluster, target.server) if text]),
        )
        if listed
    ]
    return bool(found) and (all(found) if window.and_operator else any(found))


def length(text: str) -> dt.timedelta:
    """A length of time as Go writes it: `2h`, `1h30m`, `90m`, `1.5h`.

    Raises:
        BadWindow: no such length, or none at all.
    """
    parts = _LENGTH.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise BadWindow(f"duration {text!r} is not a length of time; write it as 30m, 2h or 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds < 366 * 86400:
        raise BadWindow(f"duration {text!r} must be more than nothing and less than a year")
    return dt.timedelta(seconds=seconds)


def freezes(freeze: Freeze, target: Target) -> bool:
    """Whether a freeze is about an app: all of its lists that have entries match."""
    narrow = Window("deny", "", "", freeze.applications, freeze.namespaces, freeze.clusters, and_operator=True)
    return matches(narrow, target) or not (freeze.applications or freeze.namespaces or freeze.clusters)


def problems(calendar: Calendar) -> dict[str, str]:
    """Broken rules by path, below `syncWindows` and `freezes`: what a document must not say, stricter than what a ruling bears."""
    found: dict[str, str] = {}
    for n, window in enumerate(calendar.windows):
        at = f"syncWindows[{n}]"
        for field, rule in _faults(window):
            found[f"{at}.{field}"] = rule
        if not (window.applications or window.namespaces or window.clusters):
            found[at] = "matches nothing; name applications, namespaces or clusters ('*' for all)"
    for n, freeze in enumerate(calendar.freezes):
        found |= {f"freezes[{n}].{field}": rule for field, rule in _freeze_faults(freeze)}
    return found


def _faults(window: Window) -> Iterator[tuple[str, str]]:
    try:
        cron.parse(window.schedule)
    except cron.BadSchedule as error:
        yield "schedule", str(error)
    try:
        length(window.duration)
    except BadWindow as error:
        yield "duration", str(error)
    if window.time_zone and zone(window.time_zone) is None:
        yield "timeZone", f"{window.time_zone!r} is no zone of the IANA list; write it as Europe/Berlin"
    yield from _glob_faults(window)
    if len(window.description) > MAX_DESCRIPTION:
        yield "description", f"must be at most {MAX_DESCRIPTION} characters"


def _glob_faults(narrow: Window | Freeze) -> Iterator[tuple[str, str]]:
    """What cannot be read matches nothing, so that a window would stop nobody."""
    for field in ("applications", "namespaces", "clusters"):
        for n, glob in enumerate(getattr(narrow, field)):
            if rule := globs.problem(glob):
                yield f"{field}[{n}]", rule


def _freeze_faults(freeze: Freeze) -> Iterator[tuple[str, str]]:
    yield from _glob_faults(freeze)
    for field, text in (("reason", freeze.reason), ("owner", freeze.owner)):
        if not text.strip():
            yield field, "must say something: people who are stopped want to know"
    times = {field: moment(text) for field, text in (("starts", freeze.starts), ("until", freeze.until)) if text}
    for field, found in times.items():
        if found is None:
            yield field, "must be a time with its zone, such as 2026-12-20T18:00:00Z"
    starts, until = times.get("starts"), times.get("until")
    if starts and until and until <= starts:
        yield "until", "must be later than starts"


def zone(name: str) -> dt.tzinfo | None:
    """The zone of a name, UTC for an empty one, None for one that nobody knows."""
    try:
        return zoneinfo.ZoneInfo(name) if name else dt.UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def moment(text: str) -> dt.datetime | None:
    """An RFC 3339 time; None when it is none or has no zone."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo and found.year in YEARS else None
