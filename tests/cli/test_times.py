import datetime as dt

import pytest

from plane.cli import failures, times

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", "2026-11-21T11:58:30Z"),
        ("24h", "2026-11-20T12:00:00Z"),
        ("1h30m", "2026-11-21T10:30:00Z"),
        ("2w", "2026-11-07T12:00:00Z"),
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2026-11-01T08:00:00+02:00", "2026-11-01T06:00:00Z"),
    ],
)
def test_since_takes_a_length_of_time_or_a_date(text: str, moment: str) -> None:
    assert times.since(text, now=NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "24", "h", "24h ago", "2026-13-01"])
def test_since_refuses_the_rest_and_says_how_to_write_it(text: str) -> None:
    with pytest.raises(failures.WrongUse, match="24h"):
        times.since(text, now=NOW)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("2026-11-21T11:59:30Z", "30s"),
        ("2026-11-21T11:30:00Z", "30m"),
        ("2026-11-21T02:00:00.5Z", "9h"),
        ("2026-11-01T12:00:00Z", "20d"),
        ("2026-11-21T12:00:05Z", "0s"),  # clocks differ
        ("soon", "soon"),
    ],
)
def test_an_age_has_one_unit(text: str, age: str) -> None:
    assert times.age(text, now=NOW) == age
