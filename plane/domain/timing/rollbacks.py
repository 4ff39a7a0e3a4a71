"""Automatic rollback: when a release that does an app no good gives way to the last one that did (`spec.syncPolicy.rollback`)."""

import datetime as dt
from collections.abc import Iterator

import msgspec

from plane.domain import apps
from plane.domain.timing import schedules


class Entry(msgspec.Struct, frozen=True):
    """A line of the history that was Synced and Healthy."""

    number: int
    digest: str
    commit: str = ""


class Mark(msgspec.Struct, frozen=True):
    """A release that was rolled back, once and for all: `digest` gave way to `to`; times are RFC 3339."""

    digest: str
    to: Entry
    at: str
    why: str


class Illness(msgspec.Struct, frozen=True):
    """The app is Degraded: since when (RFC 3339), and the object and message that say so."""

    since: str
    message: str = ""


def due(policy: apps.AutoRollback, *, ended: str, ill: Illness | None, unhealthy: bool) -> dt.datetime | None:
    """When to roll back; None: nothing is wrong, or it began too long after the sync to be its fault.

    Args:
        policy: the app's.
        ended: when the sync ended, RFC 3339; of one that was retried, its first try.
        ill: what the agent says of the app since.
        unhealthy: the sync itself failed because something did not become healthy.
    """
    end, patience = dt.datetime.fromisoformat(ended), schedules.length(policy.on_degraded)
    if unhealthy:
        return end + patience
    if ill is None:
        return None
    begun = max(end, dt.datetime.fromisoformat(ill.since))
    return begun + patience if begun <= end + schedules.length(policy.within) else None


def sentence(mark: Mark) -> str:
    """What people who wait for the release are told."""
    what = f"release {mark.digest[:19]} was rolled back to entry {mark.to.number} of the history at {mark.at}, because {mark.why}"
    return f"{what}. It is not synced by itself again: push a fix, or try it once more with `plane app sync`"


def problems(policy: apps.AutoRollback | None) -> Iterator[tuple[str, str]]:
    """Broken rules by path."""
    for name, text in (("onDegraded", policy.on_degraded), ("within", policy.within)) if policy else ():
        try:
            schedules.length(text)
        except schedules.BadWindow:
            yield f"spec.syncPolicy.rollback.{name}", f"{text!r} is not a length of time; write it as 30s, 5m or 1h30m"
