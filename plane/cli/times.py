"""Times as people write and read them."""

import datetime as dt
import re

from plane.cli import failures

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d+)([smhdw])")


def span(text: str) -> dt.timedelta:
    """`90s`, `5m`, `24h`, `7d`, `2w`, also together as `1h30m`."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise failures.WrongUse(f"{text!r} is not a length of time; write it as 90s, 5m, 24h or 7d")
    return dt.timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


def since(text: str, *, now: dt.datetime) -> str:
    """RFC 3339 UTC of a date, a time or a length of time before now; a time without zone counts as UTC."""
    if _SPAN.match(text) and text[-1] in _UNITS:
        return stamp(now - span(text))
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise failures.WrongUse(f"{text!r} is neither a length of time (24h, 7d) nor a date (2026-11-21, 2026-11-21T10:00:00Z)") from error
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))


def ahead(text: str, *, now: dt.datetime) -> str:
    """RFC 3339 UTC of a time, or of a length of time from now."""
    if _SPAN.match(text) and text[-1] in _UNITS:
        return stamp(now + span(text))
    return since(text, now=now)


def stamp(moment: dt.datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def age(text: str, *, now: dt.datetime) -> str:
    """How long ago, one unit, as kubectl shows it: `45s`, `12m`, `5h`, `3d`; what is not a time stays as it is."""
    try:
        seconds = max(0, int((now - dt.datetime.fromisoformat(text)).total_seconds()))
    except (ValueError, TypeError):
        return text
    for unit, size, until in (("s", 1, 120), ("m", 60, 7200), ("h", 3600, 172800)):
        if seconds < until:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86400}d"
