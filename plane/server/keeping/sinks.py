"""Sinks: where a log is sent. What opens them is wrapped at once and never given back."""

from typing import Any

import msgspec

from plane.domain import errors
from plane.domain.auditing import details
from plane.domain.auditing import sinks as domain
from plane.domain.rendering import secrets
from plane.server import authorise, context, keys, record
from plane.server import documents as generic
from plane.server.keeping import fingerprints
from plane.store import documents as rows
from plane.store.auditing import sinks as store
from plane.store.delivering import facts
from plane.wire import audit as wire
from plane.wire import documents, rest

MOST = 20  # of one tenant: each reads the whole log once
SHOWN = 100  # events that the far end would not have


def read(row: rows.Row, names: authorise.Names) -> documents.Sink:
    """From a row."""
    return documents.Sink(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=1),
        spec=msgspec.convert(row.spec, domain.SinkSpec),
        status=documents.SinkStatus(
            **generic.common(row),
            position=row.position,
            behind=max(0, row.size - row.position),
            refused=row.dead,
            failures=row.failures,
            problem=row.problem,
            sent_at=facts.stamp(row.sent_at) if row.sent_at else "",
            blocking=row.blocking,
        ),
    )


def _columns(change: generic.Change) -> generic.Columns:
    """Stored secrets stay only while the place stays: they must not be sent where they were not meant for."""
    spec, data, before = change.wish.spec, change.wish.data, change.before
    problems = domain.check(spec, platform=not change.place.names.tenant)
    if problems:
        raise errors.Invalid(problems)
    required, _ = domain.SECRETS[spec.place()]
    moved = before is None or _where(msgspec.convert(before.spec, domain.SinkSpec)) != _where(spec)
    if data is None and required and moved:
        problems["data"] = "is required: a new sink, or another place, needs its secrets"
    elif data is not None:
        problems = domain.check_secrets(spec, data)
    if before is None and rows.count(change.place.tx, store.SINKS, change.place.where()) >= MOST:
        problems["spec"] = f"there are {MOST} sinks here, the most there may be; delete one first"
    if problems:
        raise errors.Invalid(problems)
    return _stored(change, spec, data, moved=moved)


def _stored(change: generic.Change, spec: domain.SinkSpec, data: dict[str, str] | None, *, moved: bool) -> dict[str, Any]:
    place, stored = change.place, {"spec": generic.plain(spec), "paused": spec.paused}
    if change.before is None:
        stored["position"] = 0 if spec.from_start else store.size(place.tx, place.scope.tenant)
    if data is not None:
        bound = keys.wrapping_context(place.scope.tenant, "", f"sink/{change.wish.metadata.name}")
        stored["wrapped"] = change.plane.envelope.wrap(secrets.Secret(msgspec.json.encode(data)), context=bound)
        stored["fingerprints"] = fingerprints.of(change, data)
    elif moved:
        stored |= {"wrapped": None, "fingerprints": {}}
    return stored


def _where(spec: domain.SinkSpec) -> tuple[str, str]:
    found = getattr(spec, spec.place())
    return spec.place(), getattr(found, "url", "") or getattr(found, "endpoint", "") or getattr(found, "host", "")


def replay(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, body: wire.Replay) -> documents.Sink:
    """Send again from a place on; receivers know what they have by the events' ids and places."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant, "", names.name), KIND.may("update")) as place:
        kind = KIND if names.tenant else PLATFORM_KIND
        row = generic.existing(kind, place, lock=True)
        if body.position > row.size:
            raise errors.Invalid({"position": f"is behind the log's end at {row.size}"})
        store.rewind(place.tx, place.scope.tenant, row.id, body.position)
        moved = details.Replayed(start=row.position, to=body.position)
        record.append(plane, place.tx, place.scope, "sink.replayed", target=f"sink/{row.name}", details=moved)
        return place.done(read(generic.existing(kind, place), names))


def refused(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> rest.Page[wire.RefusedEvent]:
    """Events that the far end would not have, the first ones."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant, "", names.name), KIND.may("get")) as place:
        row = generic.existing(KIND if names.tenant else PLATFORM_KIND, place)
        found = store.buried(place.tx, place.scope.tenant, row.id, limit=SHOWN)
    return rest.Page(items=tuple(wire.RefusedEvent(seq=seq, reason=reason) for seq, reason in found))


KIND = generic.Kind(
    type=documents.Sink,
    noun="sink",
    plural="sinks",
    level=1,
    shelf=store.SHELF,
    read=read,
    columns=_columns,
)
PLATFORM_KIND = msgspec.structs.replace(KIND, level=0)
