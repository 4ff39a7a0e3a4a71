"""What Kubernetes says of objects: its Event objects, equal ones folded into one with a count."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from plane.domain import objects


class Event(msgspec.Struct, frozen=True):
    """One Event object, or several equal ones. Times are RFC 3339; `uid`: of the object that it is about."""

    key: objects.ObjectKey
    uid: str
    type: str
    reason: str
    message: str
    source: str = ""
    count: int = 1
    first: str = ""
    last: str = ""


class _Source(msgspec.Struct, frozen=True):
    component: str = ""


class _Series(msgspec.Struct, frozen=True, rename="camel"):
    count: int = 0
    last_observed_time: str | None = None


class _Involved(msgspec.Struct, frozen=True, rename="camel"):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""


class _Meta(msgspec.Struct, frozen=True, rename="camel"):
    creation_timestamp: str | None = None


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    involved_object: _Involved = _Involved()
    metadata: _Meta = _Meta()
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: _Series | None = None
    source: _Source | None = None
    reporting_component: str = ""


_BODY = msgspec.json.Decoder(_Body)


def read(raw: bytes | msgspec.Raw) -> Event:
    """An Event of the core API, by either of the two ways in which times and counts are written."""
    body = _BODY.decode(raw)
    about, series = body.involved_object, body.series or _Series()
    began = body.first_timestamp or body.event_time or body.metadata.creation_timestamp or ""
    return Event(
        key=objects.ObjectKey(about.api_version.rpartition("/")[0], about.kind, about.namespace, about.name),
        uid=about.uid,
        type=body.type,
        reason=body.reason,
        message=body.message.strip(),
        source=(body.source.component if body.source else "") or body.reporting_component,
        count=max(body.count or 0, series.count, 1),
        first=_seconds(began),
        last=_seconds(series.last_observed_time or body.last_timestamp or began),
    )


def folded(events: Iterable[Event]) -> tuple[Event, ...]:
    """Equal events as one; newest last."""
    groups: dict[Event, list[Event]] = defaultdict(list)
    for event in events:
        groups[msgspec.structs.replace(event, count=1, first="", last="")].append(event)
    found = [
        msgspec.structs.replace(
            same, count=sum(one.count for one in several), first=min(one.first for one in several), last=max(one.last for one in several)
        )
        for same, several in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.last, one.first, one.key, one.reason)))


def _seconds(time: str) -> str:
    """Without a fraction, which only some controllers write: whole seconds sort as text."""
    return f"{time.partition('.')[0]}Z" if "." in time else time
