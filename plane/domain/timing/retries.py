"""When a sync that failed is tried again: `spec.syncPolicy.retry` with Argo CD's fields, defaults and arithmetic."""

import datetime as dt
from collections.abc import Iterator

from plane.domain import apps
from plane.domain.timing import schedules

AUTOMATED = apps.Retry(limit=5)  # of an app that syncs by itself and says nothing


def policy(spec: apps.AppSpec) -> apps.Retry:
    """The rule in force; an app that syncs by hand is not retried unless it says so."""
    return spec.sync_policy.retry or (AUTOMATED if spec.automated() else apps.Retry())


def due(retry: apps.Retry, *, tries: int, failed: dt.datetime) -> dt.datetime | None:
    """When to try again after `tries` retries, the last of which failed at that time; None: not any more."""
    if 0 <= retry.limit <= tries:
        return None
    first, most = _length(retry.backoff.duration), _length(retry.backoff.max_duration)
    steps = min(tries, 64)  # beyond it every back-off has reached its bound, or stays what it is
    return failed + min(first * retry.backoff.factor**steps if retry.backoff.factor > 1 else first, most)


def problems(retry: apps.Retry | None) -> Iterator[tuple[str, str]]:
    """Broken rules by path."""
    if retry is None:
        return
    at = "spec.syncPolicy.retry"
    for name, text in (("duration", retry.backoff.duration), ("maxDuration", retry.backoff.max_duration)):
        try:
            _length(text)
        except schedules.BadWindow:
            yield f"{at}.backoff.{name}", f"{text!r} is not a length of time; write it as 5s, 3m or 1h30m"
    if not 1 <= retry.backoff.factor <= 100:  # noqa: PLR2004 - the bounds are in the sentence
        yield f"{at}.backoff.factor", "must be between 1 and 100"
    if not -1 <= retry.limit <= 1000:  # noqa: PLR2004 - as above
        yield f"{at}.limit", "must be between 0 and 1000, or -1 for no end"


def _length(text: str) -> dt.timedelta:
    """Seconds when there is no unit, as in Argo CD."""
    return schedules.length(f"{text}s" if text.isdecimal() else text)
