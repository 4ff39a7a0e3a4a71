"""What others add to objects that are ours: when it is looked for again, what is remembered of it, and taking it away."""

from collections.abc import Sequence
from typing import Any

from plane.agent.applying import apply
from plane.agent.kept import book, records, releases, rules
from plane.agent.watching import cluster
from plane.domain.comparing import fights, ignoring, ownership

MOST = 20  # per object in a report; the rest is counted


def stale(held: book.Held, record: records.Record) -> bool:
    """Whether additions must be looked for. Free for an object of which nobody else owns anything."""
    weight = _weight(held, record)
    if not weight:
        record.weighed, record.extra, record.more_extra = b"", (), 0
    return weight != record.weighed


def wanted(held: book.Held, record: records.Record) -> bool:
    """Whether somebody wants to know of additions, and there can be any."""
    return bool(_weight(held, record))


def remember(held: book.Held, record: records.Record, found: Sequence[ownership.Extra]) -> None:
    """Keep findings. One that was there before keeps its time, so that a manager who writes often makes no news."""
    since = {(one.pointer, one.manager): one.time for one in record.extra}
    record.weighed = _weight(held, record)
    record.extra = tuple(
        ownership.Extra(one.pointer, one.manager, one.operation, since.get((one.pointer, one.manager), one.time)) for one in found[:MOST]
    )
    record.more_extra = len(found[MOST:])


def to_remove(held: book.Held, record: records.Record) -> bool:
    """Whether additions are to be taken away."""
    return held.options.foreign == "revert" and bool(record.extra)


async def remove(there: cluster.Cluster, applier: apply.Applier, held: book.Held, record: records.Record) -> tuple[ownership.Extra, ...]:
    """Take away what others added, as it is now; what was taken away.

    Raises:
        PlaneError: it could not be; the sentence says why.
    """
    wanted_, release = held.objects.get(record.key), there.book.release(held.id)
    live = await applier.get(record.key, wanted_.api_version) if wanted_ else None
    if wanted_ is None or release is None or release.digest != held.release or live is None:
        return ()
    desired = releases.body(release, wanted_.index, releases.values(release, record.key, there.unsealer))
    found = (await there.comparer.judge(desired, live, rules.of(held.options, record.key), foreign=True)).extras
    body = ignoring.removed(live, found)
    if body == live:
        return ()
    try:
        await applier.acting_as(held.options.run_as).put(body)
    except apply.Refused as e:
        if e.status == apply.CONFLICT:
            return ()  # somebody wrote it meanwhile; that is judged by its own event
        raise
    return found


def told(found: Sequence[ownership.Extra]) -> dict[str, Any]:
    """Fields of a heal's report."""
    managers = ", ".join(sorted({one.manager for one in found}))
    return {"fields": tuple(one.pointer for one in found[:MOST]), "manager": managers, "extra": True}


def blows(found: Sequence[ownership.Extra], at: float) -> tuple[fights.Blow, ...]:
    """What was taken away, by who had added it."""
    managers = sorted({one.manager for one in found})
    return tuple(fights.Blow(at, name, tuple(one.pointer for one in found if one.manager == name)) for name in managers)


def _weight(held: book.Held, record: records.Record) -> bytes:
    """Names what additions depend on; empty when there are none."""
    wanted_ = held.objects.get(record.key)
    if not record.others or held.options.foreign == "ignore" or wanted_ is None or wanted_.passive:
        return b""
    return b"".join((record.others, record.digest, wanted_.digest, held.options.foreign.encode()))
