"""Kubernetes quantities (`1`, `1000m`, `1Ki`, `1e3`) and Go durations (`90m`, `1h30m0s`) as exact numbers."""

import decimal
import re

_QUANTITY = re.compile(r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([-+]?[0-9]{1,2}))?")
_SUFFIXES = {
    **{suffix: decimal.Decimal(10) ** power for suffix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)},
    **{f"{letter}i": decimal.Decimal(2) ** (10 * power) for power, letter in enumerate("KMGTPE", start=1)},
}
_MAX_LENGTH = 64

_DURATION = re.compile(r"([-+]?)((?:[0-9]*\.?[0-9]+\.?(?:ns|us|µs|ms|s|m|h))+|0)")
_DURATION_PART = re.compile(r"([0-9]*\.?[0-9]*)(ns|us|µs|ms|s|m|h)")
_UNITS = {
    unit: decimal.Decimal(nanoseconds)
    for unit, nanoseconds in {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}.items()
}


def parse(value: object) -> decimal.Decimal | None:
    """The exact number, or None when it is no quantity."""
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    return decimal.Decimal(number) * _SUFFIXES.get(suffix, decimal.Decimal(1)) * decimal.Decimal(10) ** int(exponent or 0)


def same(left: object, right: object) -> bool:
    """Whether two spellings mean the same amount."""
    first = parse(left)
    return first is not None and first == parse(right)


def duration(value: object) -> decimal.Decimal | None:
    """Nanoseconds of a Go duration, or None when it is none."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) and len(value) <= _MAX_LENGTH else None
    if match is None:
        return None
    total = sum((decimal.Decimal(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(match[2])), decimal.Decimal(0))
    return -total if match[1] == "-" else total


def same_duration(left: object, right: object) -> bool:
    """Whether two spellings mean the same time."""
    first = duration(left)
    return first is not None and first == duration(right)
