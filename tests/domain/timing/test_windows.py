"""Sync windows and freezes: when they are active, what they decide, when that changes."""

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plane.domain.timing import cron, schedules, windows
from tests.support import cases

TARGET = {"app": "web", "namespace": "shop", "cluster": "prod", "server": "https://prod.example"}
MINUTE = dt.timedelta(minutes=1)


def table(file: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases.load(f"windows/{file}.yaml")]


def calendar(case: dict[str, Any]) -> schedules.Calendar:
    return msgspec.convert({name: case.get(name, []) for name in ("windows", "freezes", "above")}, schedules.Calendar)


def target(case: dict[str, Any]) -> schedules.Target:
    return schedules.Target(**case.get("target", TARGET))


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize("case", table("cron"))
def test_a_schedule_fires_as_the_table_says(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(cron.BadSchedule) as refusal:
            cron.parse(case["schedule"])
        assert case["refused"] in str(refusal.value)
        return
    schedule, at = cron.parse(case["schedule"]), moment(case["after"])
    found = []
    for _ in case["fires"]:
        following = cron.after(schedule, at)
        assert following is not None
        found.append(at := following)
    assert found == [moment(fire) for fire in case["fires"]]
    assert [cron.before(schedule, fire + MINUTE / 2, since=dt.datetime.min) for fire in found] == found  # noqa: DTZ901 a wall clock has no zone


@pytest.mark.parametrize("case", [*table("decide"), *table("together")])
def test_a_sync_may_start_as_the_table_says(case: dict[str, Any]) -> None:
    found = {
        at: [windows.decide(calendar(case), target(case), now=moment(at), manual=manual).allowed for manual in (False, True)]
        for at in case["at"]
    }
    assert found == case["at"]
    if "reason" in case:
        assert windows.decide(calendar(case), target(case), now=moment(min(case["at"]))).reason == case["reason"]


@pytest.mark.parametrize("case", table("changes"))
def test_the_answer_changes_when_the_table_says(case: dict[str, Any]) -> None:
    asked: Any = {"now": moment(case["now"]), "manual": case.get("manual", False)}
    assert windows.decide(calendar(case), target(case), **asked).allowed is case["allowed"]
    assert windows.next_change(calendar(case), target(case), **asked) == (moment(case["changes_at"]) if case["changes_at"] else None)


@pytest.mark.parametrize("case", table("overrun"))
def test_a_running_sync_goes_on_as_the_table_says(case: dict[str, Any]) -> None:
    ruling = windows.may_continue(calendar(case), target(case), started=moment(case["started"]), now=moment(case["now"]))
    assert ruling.allowed is case["expected"]


@pytest.mark.parametrize("case", table("problems"))
def test_a_document_is_refused_as_the_table_says(case: dict[str, Any]) -> None:
    assert schedules.problems(calendar(case)) == case["expected"]


def test_a_glob_with_many_braces_ends() -> None:
    window = schedules.Window("deny", "", "", applications=("{a,b}" * 64,))
    assert not schedules.matches(window, schedules.Target("z"))


NUMBERS = st.sampled_from(["*", "0", "5", "*/7", "10-20", "3,9", "?", "*/1"])
SCHEDULES = st.tuples(
    NUMBERS, NUMBERS, st.sampled_from(["*", "1", "15", "*/2", "28-31"]), st.just("*"), st.sampled_from(["*", "0", "1-5", "*/2"])
)
WALLS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31))  # noqa: DTZ001 a wall clock has no zone


@given(SCHEDULES.map(" ".join), WALLS)
def test_nothing_fires_between_a_fire_and_the_next(text: str, wall: dt.datetime) -> None:
    schedule = cron.parse(text)
    following = cron.after(schedule, wall)
    assert following is not None
    assert following > wall
    earlier = cron.before(schedule, following, since=dt.datetime.min)  # noqa: DTZ901 a wall clock has no zone
    assert earlier is not None
    assert earlier <= wall
    assert cron.after(schedule, earlier) == following


@given(SCHEDULES.map(" ".join), WALLS)
def test_a_schedule_fires_in_the_minutes_that_its_fields_say(text: str, wall: dt.datetime) -> None:
    schedule = cron.parse(text)
    floor = wall.replace(second=0, microsecond=0)
    fires = {floor + n * MINUTE for n in range(200) if _says(schedule, floor + n * MINUTE)}
    found, at = set(), floor - MINUTE
    while (following := cron.after(schedule, at)) and following < floor + 200 * MINUTE:
        found.add(at := following)
    assert found == fires


def _says(schedule: cron.Schedule, wall: dt.datetime) -> bool:
    in_month, in_week = wall.day in schedule.days, (wall.weekday() + 1) % 7 in schedule.weekdays
    day = (in_month and in_week) if schedule.free else (in_month or in_week)
    return day and wall.month in schedule.months and wall.hour in schedule.hours and wall.minute in schedule.minutes


WINDOWS = st.lists(
    st.builds(
        schedules.Window,
        kind=st.sampled_from(["allow", "deny"]),
        schedule=st.sampled_from(["0 10 * * *", "*/30 9-17 * * 1-5", "0 22 * * 5", "30 2 * * *", "0 0 1 * *"]),
        duration=st.sampled_from(["10m", "1h", "8h", "62h"]),
        applications=st.just(("*",)),
        manual_sync=st.booleans(),
        time_zone=st.sampled_from(["", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    ),
    max_size=3,
).map(tuple)
NOWS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31), timezones=st.just(dt.UTC))  # noqa: DTZ001 the strategy adds it


@given(WINDOWS, NOWS, st.booleans(), st.floats(0, 1, exclude_max=True))
@settings(max_examples=50)
def test_the_answer_holds_until_it_changes(found: tuple[schedules.Window, ...], now: dt.datetime, manual: bool, share: float) -> None:  # noqa: FBT001
    book, web = schedules.Calendar(found), schedules.Target("web")
    answer = windows.decide(book, web, now=now, manual=manual).allowed
    change = windows.next_change(book, web, now=now, manual=manual)
    if change is None:
        return
    assert windows.decide(book, web, now=change + windows.MICROSECOND, manual=manual).allowed is not answer
    between = now + (change - now) * share
    # at the very moment in which one window ends and the next begins neither is active
    near = [moment for n in (-1, 0, 1) if now <= (moment := between + n * windows.MICROSECOND) < change]
    assert not near or answer in {windows.decide(book, web, now=moment, manual=manual).allowed for moment in near}
