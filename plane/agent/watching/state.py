"""From records to what the plane is told about an app."""

from typing import Literal, cast

import msgspec

from plane.agent.kept import book, records, releases
from plane.agent.watching import watch
from plane.domain import objects
from plane.domain.comparing import ownership
from plane.domain.health import health
from plane.wire import agent

EXTRA = "it is not in Git any more and was not pruned"
COPY = "it carries this app's label and is in no release; it was made by "
STANDS = "it is not in Git any more, which its compare option IgnoreExtraneous lets pass"


def of_object(key: objects.ObjectKey, wanted: book.Wanted, record: records.Record | None, *, owner: str) -> agent.ObjectState:
    """One wanted object as it is."""
    wire = releases.wire_key(key)
    if record is None:
        return agent.ObjectState(key=wire, sync="OutOfSync", health="Missing", message="it is not in the cluster", wave=wanted.wave)
    if record.app != owner:
        return agent.ObjectState(
            key=wire,
            sync="OutOfSync",
            health=record.health.status,
            message=f"it belongs to app {record.live.mark or record.app}",
            wave=wanted.wave,
        )
    synced = record.synced(wanted.digest)
    return agent.ObjectState(
        key=wire,
        sync="Synced" if synced else "OutOfSync",
        health=record.health.status,
        message=record.why,
        fields=() if synced else record.fields,
        wave=wanted.wave,
        extra=tuple(agent.Extra(pointer=one.pointer, manager=one.manager, time=one.time) for one in record.extra),
        more_extra=record.more_extra,
    )


def objects_of(held: book.Held, watches: watch.Watches) -> dict[objects.ObjectKey, agent.ObjectState]:
    """Every object of an app: those it wants and those it still owns."""
    found = {key: of_object(key, wanted, watches.get(key), owner=held.id) for key, wanted in held.objects.items()}
    found |= {key: msgspec.structs.replace(found[key], fight=left.sentence) for key, left in held.fights.items() if key in found}
    for key, record in watches.owned(held.id).items():
        if key not in found and record.ours and not record.live.hook:
            found[key] = _extra(key, record)
        elif key not in found and record.copied is not None and held.options.foreign != "ignore":
            found[key] = _copy(key, record, record.copied)
    return found


def _copy(key: objects.ObjectKey, record: records.Record, made: ownership.Extra) -> agent.ObjectState:
    """An object that somebody else marked as this app's: no difference, nothing to prune, and nobody's health but its own."""
    extra = agent.Extra(pointer=made.pointer, manager=made.manager, time=made.time)
    return agent.ObjectState(key=releases.wire_key(key), message=f"{COPY}{made.manager}", wave=record.live.wave, extra=(extra,))


def _extra(key: objects.ObjectKey, record: records.Record) -> agent.ObjectState:
    """An object that Git does not want any more; one that says IgnoreExtraneous makes no difference."""
    stands = record.live.own.ignore_extraneous is True
    sync: Literal["Synced", "OutOfSync"] = "Synced" if stands else "OutOfSync"
    return agent.ObjectState(
        key=releases.wire_key(key), sync=sync, health=record.health.status, message=STANDS if stands else EXTRA, wave=record.live.wave
    )


def summary(held: book.Held, found: dict[objects.ObjectKey, agent.ObjectState], watches: watch.Watches) -> agent.AppState:
    """The app's own line: out of sync if one object is; as healthy as the worst of them, and which one that is and why.

    What a task waits for, or ran into, stands before it, and of which kinds nothing is known for the time being.
    """
    drifted = any(one.sync == "OutOfSync" for one in found.values())
    ill = ((key, health.Health(cast("health.Status", one.health), one.message)) for key, one in found.items() if one.health != "Healthy")
    worst = health.of_app(ill)
    why = f"{worst.key}: {worst.health.message}".removesuffix(": ") if worst.key else ""
    message = "; ".join(said for said in (held.waiting or held.trouble, *watches.troubles(held.kinds), why) if said)
    return agent.AppState(
        app_id=held.id, generation=held.generation, release=held.release, sync="OutOfSync" if drifted else "Synced",
        health=worst.health.status, message=message,
    )  # fmt: skip


def changed(
    line: agent.AppState, now: dict[objects.ObjectKey, agent.ObjectState], told: dict[objects.ObjectKey, agent.ObjectState] | None
) -> agent.AppState:
    """The line with the objects that differ from what was told last; all of them when nothing was."""
    if told is None:
        return msgspec.structs.replace(line, objects=tuple(now[key] for key in sorted(now)), full=True)
    news = tuple(now[key] for key in sorted(now) if told.get(key) != now[key])
    gone = tuple(releases.wire_key(key) for key in sorted(told.keys() - now.keys()))
    return msgspec.structs.replace(line, objects=news, gone=gone)
