"""Moments as another machine's clock tells them."""

import datetime as dt
import math

_LATEST = 253_402_300_799.0  # the last second of the year 9999


def of_clock(seconds: float) -> dt.datetime:
    """UTC, from seconds since 1970; what no calendar has becomes the nearest that one has, so that no word is lost for its clock."""
    return dt.datetime.fromtimestamp(0.0 if math.isnan(seconds) else min(max(seconds, 0.0), _LATEST), dt.UTC)
