"""Rules of local passwords, and how long wrong ones shut somebody out."""

import datetime as dt

import pytest

from plane.domain import errors
from plane.domain.granting import passwords

MINUTES = [(1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (9, 16), (10, 30), (11, 30), (10_000, 30)]


@pytest.mark.parametrize(("failures", "minutes"), MINUTES)
def test_each_wrong_one_beyond_the_free_ones_costs_twice_as_long(failures: int, minutes: int) -> None:
    assert passwords.locked_for(failures, free=5) == dt.timedelta(minutes=minutes)


def test_whoever_waits_for_the_end_of_a_lock_out_begins_no_clean_slate() -> None:
    assert passwords.MOST < passwords.FORGET


@pytest.mark.parametrize("password", ["", "short", "a" * 40, "abababababab", "x" * 12, "admin-Admin-1234567", "q" * 257])
def test_an_easy_password_is_refused(password: str) -> None:
    with pytest.raises(errors.Invalid, match="new: "):
        passwords.check(password, name="admin")


@pytest.mark.parametrize("password", ["correct horse battery staple", "pässwörter-und-mehr", "0123456789ab"])
def test_a_long_one_is_taken(password: str) -> None:
    passwords.check(password, name="admin")
