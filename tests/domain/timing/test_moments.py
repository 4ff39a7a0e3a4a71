"""An agent's clock may say anything."""

import math

import pytest

from plane.domain.timing import moments

CLOCKS = [(0.0, 1970), (1_800_000_000.5, 2027), (-1.0, 1970), (math.nan, 1970), (math.inf, 9999), (1e300, 9999), (-math.inf, 1970)]


@pytest.mark.parametrize(("seconds", "year"), CLOCKS)
def test_what_no_calendar_has_becomes_the_nearest_that_one_has(seconds: float, year: int) -> None:
    assert moments.of_clock(seconds).year == year
