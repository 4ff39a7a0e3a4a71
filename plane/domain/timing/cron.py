"""Cron schedules of five fields as Argo CD reads them (robfig/cron, without seconds and without `@daily`).

Written here and not taken from a library, because the differences decide when a window is open: day of week 7 is an error, `?` is `*`,
`*/2` restricts the day where Vixie's cron lets it restrict nothing, and two restricted day fields are joined by OR.
"""

import bisect
import datetime as dt
import re
from collections.abc import Iterator

import msgspec

HORIZON_DAYS = 8 * 366 + 1  # 29 February comes every eight years at the worst (1896 to 1904, 2096 to 2104)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(?P<low>\*|\?|\w+)(?:-(?P<high>\w+))?(?:/(?P<step>\d+))?", re.ASCII)
_MINUTE = dt.timedelta(minutes=1)


class _Field(msgspec.Struct, frozen=True):
    """What one field may hold. Names count from `low`."""

    title: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


class BadSchedule(ValueError):
    """Text that is no schedule; the message is the rule."""


class Schedule(msgspec.Struct, frozen=True):
    """Sorted numbers per field. A day field that begins with `*` is free: the other one alone decides about the day."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]  # 0: Sunday
    free: bool


def parse(text: str) -> Schedule:
    """Read five fields.

    Raises:
        BadSchedule: names the field and what it may hold; also a schedule that never comes, such as 30 February.
    """
    words = text.split()
    if len(words) != len(_FIELDS):
        wanted = ", ".join(field.title for field in _FIELDS)
        raise BadSchedule(f"has {len(words)} fields; it needs five: {wanted}")
    found = [_read(word, field) for word, field in zip(words, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (numbers for numbers, _ in found)
    schedule = Schedule(minutes, hours, days, months, weekdays, free=found[2][1] or found[4][1])
    if after(schedule, dt.datetime(2000, 1, 1)) is None:  # noqa: DTZ001 a wall clock has no zone
        raise BadSchedule("never comes: no month has such a day")
    return schedule


def after(schedule: Schedule, wall: dt.datetime) -> dt.datetime | None:
    """The first fire later than a moment of a wall clock; None when none comes."""
    start = wall.replace(second=0, microsecond=0) + _MINUTE
    for day in _days(schedule, start.date(), 1):
        time = _first(schedule, start.time() if day == start.date() else dt.time.min)
        if time:
            return dt.datetime.combine(day, time)
    return None


def before(schedule: Schedule, wall: dt.datetime, *, since: dt.datetime) -> dt.datetime | None:
    """The last fire earlier than a moment and later than another; None when there is none."""
    floor = wall.replace(second=0, microsecond=0)
    end = floor if floor < wall else floor - _MINUTE
    for day in _days(schedule, end.date(), -1):
        if day < since.date():
            return None
        time = _last(schedule, end.time() if day == end.date() else dt.time.max)
        if time:
            fire = dt.datetime.combine(day, time)
            return fire if fire > since else None
    return None


def _first(schedule: Schedule, start: dt.time) -> dt.time | None:
    """The first time of a day that is not before `start`."""
    hours, minutes = schedule.hours, schedule.minutes
    at = bisect.bisect_left(hours, start.hour)
    if at < len(hours) and hours[at] == start.hour:
        minute = bisect.bisect_left(minutes, start.minute)
        if minute < len(minutes):
            return dt.time(hours[at], minutes[minute])
        at += 1
    return dt.time(hours[at], minutes[0]) if at < len(hours) else None


def _last(schedule: Schedule, end: dt.time) -> dt.time | None:
    """The last time of a day that is not after `end`."""
    hours, minutes = schedule.hours, schedule.minutes
    at = bisect.bisect_right(hours, end.hour) - 1
    if at >= 0 and hours[at] == end.hour:
        minute = bisect.bisect_right(minutes, end.minute) - 1
        if minute >= 0:
            return dt.time(hours[at], minutes[minute])
        at -= 1
    return dt.time(hours[at], minutes[-1]) if at >= 0 else None


def _days(schedule: Schedule, start: dt.date, step: int) -> Iterator[dt.date]:
    for n in range(HORIZON_DAYS):
        ordinal = start.toordinal() + n * step
        if not 1 <= ordinal <= dt.date.max.toordinal():
            return
        day = dt.date.fromordinal(ordinal)
        in_month, in_week = day.day in schedule.days, day.isoweekday() % 7 in schedule.weekdays
        if day.month in schedule.months and ((in_month and in_week) if schedule.free else (in_month or in_week)):
            yield day


def _read(word: str, field: _Field) -> tuple[tuple[int, ...], bool]:
    """The numbers of one field, and whether it is free."""
    found = [_range(part, field) for part in word.split(",")]
    return tuple(sorted({number for numbers, _ in found for number in numbers})), any(free for _, free in found)


def _range(part: str, field: _Field) -> tuple[range, bool]:
    match = _PART.fullmatch(part)
    if match is None:
        raise BadSchedule(f"has {part!r} as {field.title}; write *, 5, 1-5, */10 or a list with commas")
    step = int(match["step"] or 1)
    if step == 0:
        raise BadSchedule(f"has the step 0 in {part!r} as {field.title}; a step is 1 or more")
    if match["low"] in "*?":
        if match["high"]:
            raise BadSchedule(f"has {part!r} as {field.title}; a range has a number on both sides")
        return range(field.low, field.high + 1, step), step == 1
    low = _number(match["low"], field)
    high = _number(match["high"], field) if match["high"] else field.high if match["step"] else low
    if low > high:
        raise BadSchedule(f"has the range {part!r} as {field.title}, which ends before it begins")
    return range(low, high + 1, step), False


def _number(word: str, field: _Field) -> int:
    if word.lower() in field.names:
        return field.low + field.names.index(word.lower())
    if not word.isdigit() or not field.low <= int(word) <= field.high:
        raise BadSchedule(
            f"has {word!r} as {field.title}, which is {field.low} to {field.high}{', 0 for Sunday' if field.names == _DAYS else ''}"
        )
    return int(word)
