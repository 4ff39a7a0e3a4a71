"""When agents are to leave drift alone: the closed times ahead, as a decision about each moment would have them."""

import datetime as dt

import pytest

from plane.domain.timing import schedules, windows

NOW = dt.datetime(2026, 1, 1, 12, 0, 20, tzinfo=dt.UTC)
WEB = schedules.Target("web", "shop", "east")
NIGHT = schedules.Window("deny", "0 22 * * *", "8h", ("*",))
DAY = schedules.Window("allow", "0 8 * * 1-5", "10h", ("*",), time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    "calendar",
    [
        schedules.Calendar((NIGHT,)),
        schedules.Calendar((DAY,)),
        schedules.Calendar((DAY, NIGHT)),
        schedules.Calendar(freezes=(schedules.Freeze("x", "ada", "2026-01-01T12:00:10Z", "2026-01-01T12:00:40Z"),)),
        schedules.Calendar((NIGHT,), holds=(schedules.Hold("x", "ada", until="2026-01-01T13:00:00Z"),)),
    ],
    ids=["deny", "allow", "both", "within a minute", "held"],
)
def test_each_pause_is_closed_inside_and_open_outside(calendar: schedules.Calendar) -> None:
    spans = windows.pauses(calendar, WEB, now=NOW)
    second = dt.timedelta(seconds=1)
    assert spans
    for start, end in spans:
        begin, until = (dt.datetime.fromtimestamp(at, dt.UTC) for at in (start, end))
        inside = begin + second, begin + (until - begin) / 2, until - second
        assert not any(windows.decide(calendar, WEB, now=moment).allowed for moment in inside)
        assert windows.decide(calendar, WEB, now=until + second).allowed
        assert start <= NOW.timestamp() or windows.decide(calendar, WEB, now=begin - second).allowed


def test_a_hold_without_an_end_has_none_and_begins_now() -> None:
    calendar = schedules.Calendar((NIGHT,), holds=(schedules.Hold("x", "ada"),))
    assert windows.pauses(calendar, WEB, now=NOW) == ((int(NOW.timestamp()), 0),)


def test_windows_about_other_apps_make_no_pause() -> None:
    other = schedules.Window("deny", "0 22 * * *", "8h", ("api",))
    assert windows.pauses(schedules.Calendar((other,)), WEB, now=NOW) == ()


def test_a_window_that_cannot_be_read_is_a_pause_until_it_is_mended() -> None:
    broken = schedules.Window("deny", "never", "8h", ("*",))
    assert windows.pauses(schedules.Calendar((broken,)), WEB, now=NOW)[0][1] == 0
