"""Whether a sync may start now, and when the answer changes: sync windows as Argo CD decides about them, freezes and holds above them.

A window's clock is the wall clock of its zone: on the day the clocks change, a window that spans the change is an hour longer or
shorter, as in Argo CD. Windows gate the start of a sync, never rendering or looking.
"""

import datetime as dt
import functools
import itertools
import math
from collections.abc import Sequence

import msgspec

from plane.domain.timing import cron, schedules

PAUSES = 8  # how many closed times ahead are worth knowing: four days of nightly windows
MICROSECOND = dt.timedelta(microseconds=1)

_STEPS = 1000  # moments that are looked at for the next change; a window that opens and closes oftener changes nothing for people
_STRIDE = dt.timedelta(days=30)  # no zone changes its offset twice in that time without being seen
_CHAIN = 7 * 24 * 60  # fires that run into each other before a window counts as open for good


class Ruling(msgspec.Struct, frozen=True):
    """Whether a sync may start, and the sentence that says why."""

    allowed: bool
    reason: str


class _Clock(msgspec.Struct, frozen=True):
    """A window that was read."""

    window: schedules.Window
    schedule: cron.Schedule
    length: dt.timedelta
    zone: dt.tzinfo


class _Book(msgspec.Struct, frozen=True):
    """What of a calendar is about one app. `groups`: the clocks of the tenant and of the project, which decide apart."""

    groups: tuple[tuple[_Clock, ...], ...]
    freezes: tuple[schedules.Freeze, ...]
    holds: tuple[schedules.Hold, ...] = ()

    @property
    def clocks(self) -> tuple[_Clock, ...]:
        """All of them."""
        return tuple(itertools.chain(*self.groups))


def decide(calendar: schedules.Calendar, target: schedules.Target, *, now: dt.datetime, manual: bool = False) -> Ruling:
    """Whether a sync may start.

    Args:
        calendar: all windows and freezes; those that do not match the target do not count.
        target: the app and where it goes.
        now: with a zone.
        manual: a person asked for the sync.
    """
    try:
        return _judge(_book(calendar, target), now, manual=manual)
    except schedules.BadWindow as error:
        return Ruling(allowed=False, reason=f"{error}; no sync starts until it is mended")


def next_change(calendar: schedules.Calendar, target: schedules.Target, *, now: dt.datetime, manual: bool = False) -> dt.datetime | None:
    """The first moment, in UTC, after which `decide` says the opposite; None: none is in sight.

    It looks from boundary to boundary, a microsecond behind each, because a window's ends do not belong to it. At most 0.1 s.
    """
    try:
        return _next(_book(calendar, target), now, manual=manual)
    except schedules.BadWindow:
        return None


def _next(book: _Book, now: dt.datetime, *, manual: bool) -> dt.datetime | None:
    allowed, seen = _judge(book, now, manual=manual).allowed, now
    ends = [_boundary(clock, now) for clock in book.clocks]
    for _ in range(_STEPS):
        ends = [_boundary(clock, seen) if end and end < seen else end for clock, end in zip(book.clocks, ends, strict=True)]
        frozen = bool(_stopping(book, seen, manual=manual))  # then no window matters
        coming = [end for end in ends if end and not frozen] + _turns(book, seen)
        if not coming:
            return None
        seen = min(coming) + MICROSECOND
        if _judge(book, seen, manual=manual).allowed != allowed:
            return min(coming).astimezone(dt.UTC)
    return None


def pauses(calendar: schedules.Calendar, target: schedules.Target, *, now: dt.datetime) -> tuple[tuple[int, int], ...]:
    """The next times in which nothing starts by itself, at most PAUSES: from and until in Unix seconds, 0 for no end in sight."""
    mine = _about(calendar, target)
    at = int(now.timestamp())
    return tuple((max(start, at), end) for start, end in _spans(mine, now.replace(second=0, microsecond=0)) if not end or end > at)


@functools.lru_cache(maxsize=256)  # a project's apps have their windows in common, and are decided about together
def _spans(calendar: schedules.Calendar, since: dt.datetime) -> tuple[tuple[int, int], ...]:
    """The same from a minute on, for a calendar of which all is about the app."""
    try:
        book = _read(calendar)
    except schedules.BadWindow:
        return ((int(since.timestamp()), 0),)
    found: list[tuple[int, int]] = []
    at, shut = since, not _judge(book, since, manual=False).allowed
    while len(found) < PAUSES:
        turn = _next(book, at, manual=False)
        if shut:
            found.append((int(at.timestamp()), math.ceil(turn.timestamp()) if turn else 0))
        if turn is None:
            break
        at, shut = turn + MICROSECOND, not shut
    return tuple(found)


def may_continue(
    calendar: schedules.Calendar, target: schedules.Target, *, started: dt.datetime, now: dt.datetime, manual: bool = False
) -> Ruling:
    """Whether a sync that is under way may go on: it may start now, or it might then and what stops it now has syncOverrun.

    That is every active deny window, or else every allow window, also those that were closed when it began, as in Argo CD. A freeze or a
    hold has no overrun: somebody wants everything to stand still.
    """
    ruling = decide(calendar, target, now=now, manual=manual)
    if ruling.allowed or not decide(calendar, target, now=started, manual=manual).allowed:
        return ruling
    book = _book(calendar, target)
    if _stopping(book, now, manual=manual):
        return ruling
    shut = [clocks for clocks in book.groups if not _open(clocks, now, manual=manual).allowed]
    closing = [clock for clocks in shut for clock in _closing(clocks, now)]
    if closing and all(clock.window.sync_overrun for clock in closing):
        return Ruling(allowed=True, reason=f"{ruling.reason}, but the sync began before and syncOverrun lets it end")
    return ruling


def _book(calendar: schedules.Calendar, target: schedules.Target) -> _Book:
    """Raises BadWindow for a window about the app that cannot be read."""
    return _read(_about(calendar, target))


def _about(calendar: schedules.Calendar, target: schedules.Target) -> schedules.Calendar:
    return schedules.Calendar(
        tuple(window for window in calendar.windows if schedules.matches(window, target)),
        tuple(freeze for freeze in calendar.freezes if schedules.freezes(freeze, target)),
        calendar.holds,
        tuple(window for window in calendar.above if schedules.matches(window, target)),
    )


def _read(calendar: schedules.Calendar) -> _Book:
    groups = tuple(tuple(map(_clock, listed)) for listed in (calendar.above, calendar.windows) if listed)
    return _Book(groups, calendar.freezes, calendar.holds)


def _closing(clocks: Sequence[_Clock], now: dt.datetime) -> list[_Clock]:
    """What keeps a group shut: every active deny window, or else every allow window."""
    denying = [clock for clock in clocks if clock.window.kind == "deny" and _active(clock, now)]
    return denying or [clock for clock in clocks if clock.window.kind == "allow"]


def _clock(window: schedules.Window) -> _Clock:
    """A zone that nobody knows counts as UTC, as in Argo CD; `problems` refuses it in a document."""
    try:
        schedule = cron.parse(window.schedule)
        return _Clock(window, schedule, schedules.length(window.duration), schedules.zone(window.time_zone) or dt.UTC)
    except (cron.BadSchedule, schedules.BadWindow) as error:
        rule = str(error) if isinstance(error, schedules.BadWindow) else f"schedule {window.schedule!r} {error}"
        raise schedules.BadWindow(f"the {window.kind} window's {rule}") from error


def _in_force(starts: str, until: str, now: dt.datetime) -> bool:
    begin, end = schedules.moment(starts), schedules.moment(until)
    return (begin is None or begin <= now) and (end is None or now < end)


def _stopping(book: _Book, now: dt.datetime, *, manual: bool) -> list[str]:
    """Sentences of the holds and freezes in force."""
    holds = [_hold_sentence(hold) for hold in book.holds if _in_force("", hold.until, now)]
    freezes = [freeze for freeze in book.freezes if not (manual and freeze.manual_sync)]
    return holds + [_freeze_sentence(freeze) for freeze in freezes if _in_force(freeze.starts, freeze.until, now)]


def _active(clock: _Clock, now: dt.datetime) -> bool:
    """Some fire lies inside (now - length, now), both ends left out."""
    wall = _wall(clock, now)
    return cron.before(clock.schedule, wall, since=wall - clock.length) is not None


def _wall(clock: _Clock, now: dt.datetime) -> dt.datetime:
    return now.astimezone(clock.zone).replace(tzinfo=None)


def _judge(book: _Book, now: dt.datetime, *, manual: bool) -> Ruling:
    """Argo CD's decision for each group of windows; a hold or a freeze is a deny window that always comes first."""
    if stopping := _stopping(book, now, manual=manual):
        return Ruling(allowed=False, reason=stopping[0])
    rulings = [_open(clocks, now, manual=manual) for clocks in book.groups]
    if not rulings:
        return Ruling(allowed=True, reason="no sync window matches this app")
    return next((ruling for ruling in rulings if not ruling.allowed), rulings[-1])


def _open(clocks: Sequence[_Clock], now: dt.datetime, *, manual: bool) -> Ruling:
    denies = [clock for clock in clocks if clock.window.kind == "deny"]
    allows = [clock for clock in clocks if clock.window.kind == "allow"]
    if active := [clock for clock in denies if _active(clock, now)]:
        return _gate(active, "is active", manual=manual)
    if active := [clock for clock in allows if _active(clock, now)]:
        return Ruling(allowed=True, reason=f"{_named(active[0])} is active")
    if allows:
        return _gate(allows, "is not active", manual=manual)
    return Ruling(allowed=True, reason="no deny window is active")


def _gate(closed: Sequence[_Clock], state: str, *, manual: bool) -> Ruling:
    """A manual sync passes only when every one of the windows lets it."""
    strict = [clock for clock in closed if not clock.window.manual_sync]
    if manual and not strict:
        return Ruling(allowed=True, reason=f"{_named(closed[0])} {state} and lets manual syncs pass")
    shown = (strict if manual else closed)[0]
    also = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
    return Ruling(allowed=False, reason=f"{_named(shown)}{also} {state}{', and it lets no manual sync pass' if manual else ''}")


def _named(clock: _Clock) -> str:
    window = clock.window
    zone = window.time_zone if window.time_zone and schedules.zone(window.time_zone) else "UTC"
    why = f" ({window.description})" if window.description else ""
    return f"the {window.kind} window {window.schedule!r} for {window.duration} in {zone}{why}"


def _freeze_sentence(freeze: schedules.Freeze) -> str:
    end = f"until {freeze.until}" if freeze.until else "until somebody lifts it"
    return f"frozen {end} by {freeze.owner}: {freeze.reason}"


def _hold_sentence(hold: schedules.Hold) -> str:
    end = f"until {hold.until}" if hold.until else f"until somebody runs `plane {hold.over} unhold`"
    held = "held" if hold.over == "app" else "the project is held"
    return f"{held} by {hold.owner} {end}: {hold.reason}"


def _turns(book: _Book, now: dt.datetime) -> list[dt.datetime]:
    """When freezes and holds begin and end from now on."""
    texts = [text for freeze in book.freezes for text in (freeze.starts, freeze.until)] + [hold.until for hold in book.holds]
    found = (schedules.moment(text) for text in texts)
    return [moment for moment in found if moment and moment >= now]


def _boundary(clock: _Clock, now: dt.datetime) -> dt.datetime | None:
    """When a window opens or closes next, or a moment before that from which to look again; None: never again."""
    wall = _wall(clock, now)
    last = cron.before(clock.schedule, wall, since=wall - clock.length)
    end = _end(clock, last) if last else cron.after(clock.schedule, wall - MICROSECOND)
    return None if end is None else _instant(clock.zone, now, end - wall)


def _end(clock: _Clock, fire: dt.datetime) -> dt.datetime | None:
    """When a run of fires that reach into each other ends."""
    for _ in range(_CHAIN):
        following = cron.after(clock.schedule, fire)
        if following is None or following > fire + clock.length:
            return fire + clock.length
        fire = following
    return None


def _instant(zone: dt.tzinfo, now: dt.datetime, distance: dt.timedelta) -> dt.datetime:
    """As long after now as the wall clock says, but never beyond a change of the clocks: from there the wall clock is read anew."""
    start = now.astimezone(dt.UTC)
    end = start + min(distance, _STRIDE)
    offset = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == offset:
        return end
    while end - start > MICROSECOND:
        middle = start + (end - start) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            start = middle
        else:
            end = middle
    return end
