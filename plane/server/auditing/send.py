"""The sender: takes the log to its sinks, each in order and at least once, and refuses changes when a mandatory one is too far behind."""

import datetime as dt
import functools
from collections.abc import Callable

import msgspec
import structlog

from plane.domain import access, errors
from plane.domain.auditing import audit, audit_proofs, details
from plane.domain.auditing import sinks as domain
from plane.domain.rendering import secrets
from plane.server import context, keys, record
from plane.server.auditing import seal_log
from plane.store import engine
from plane.store.auditing import audit_reading
from plane.store.auditing import sinks as store

log = structlog.get_logger()
SINKS = 8  # taken at once by one process
BATCHES = 50  # of one sink in one turn; then others have theirs
LONGEST_PAUSE_S = 300.0  # between two tries of a sink that fails
PROVING = frozenset({"s3", "file"})  # what they keep proves itself, so nothing is left out


def send(plane: context.Plane, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """One turn for every sink that is due; returns how many batches went."""
    with engine.dispatch(plane.engine) as tx:
        due = store.lease(tx, limit=SINKS)
    return sum(_turn(plane, one, stopping) for one in due)


def _turn(plane: context.Plane, one: store.Due, stopping: Callable[[], bool]) -> int:
    scope, sent = access.Scope(one.tenant, access.SYSTEM), 0
    try:
        while sent < BATCHES and not stopping() and _batch(plane, scope, one.id):
            sent += 1
    except errors.PlaneError as e:
        with engine.begin(plane.engine, scope) as tx:
            sink = store.load(tx, one.tenant, one.id)
            if sink:
                pause = min(LONGEST_PAUSE_S, 2.0**sink.failures)
                store.failed(tx, one.tenant, one.id, str(e), pause_s=pause)
                log.warning("sink.delayed", tenant=one.tenant, sink=sink.name, failures=sink.failures + 1, reason=str(e))
    with engine.begin(plane.engine, scope) as tx:
        store.free(tx, one.tenant, one.id)
    return sent


def _batch(plane: context.Plane, scope: access.Scope, identity: str) -> bool:
    """Send what lies between the sink's position and a signed state; False: it has all."""
    with engine.begin(plane.engine, scope) as tx:
        sink = store.load(tx, scope.tenant, identity)
        spec = msgspec.convert(sink.spec, domain.SinkSpec) if sink else domain.SinkSpec()
        read = functools.partial(_newest, plane) if spec.place() in domain.WITNESSES else _read
        batch = read(tx, scope.tenant, sink.position) if sink and sink.position < sink.size else None
    if sink is None or batch is None:
        return False
    witness, data = spec.place() in domain.WITNESSES, _opened(plane, scope.tenant, sink)
    quiet = spec.timestamp is not None and not batch.news
    refused = [] if witness else _deliver(plane, spec, data, _chosen(batch, spec))
    told = plane.sinks[spec.place()].send(spec, data, batch) if witness and not quiet else None
    with engine.begin(plane.engine, scope) as tx:
        for seq, reason in refused:
            store.bury(tx, scope.tenant, identity, seq, reason)
        if told:
            record.append(plane, tx, scope, audit.STAMPED, target=f"sink/{sink.name}", details=told)
        store.sent(tx, scope.tenant, identity, before=sink.position, after=batch.end.size, pause_s=0.0 if quiet else spec.pause_s())
    return not witness


def _read(tx: engine.Tx, tenant: str, position: int) -> domain.Batch | None:
    """Up to the last signed state within reach; two of them are never further apart than a sealer's batch."""
    end = audit_reading.checkpoint_around(tx, tenant, position + seal_log.BATCH, above=False)
    if end is None or end.size <= position:
        return None
    start = audit_reading.checkpoint_around(tx, tenant, position, above=False)
    rows = audit_reading.stretch(
        tx, tenant, audit_reading.Asked(), first=start.size if start else 0, end=end.size, limit=2 * seal_log.BATCH
    )
    return domain.Batch(end.origin, rows, start, end)


def _newest(plane: context.Plane, tx: engine.Tx, tenant: str, position: int) -> domain.Batch | None:
    """The newest signed state alone."""
    end = audit_reading.last_checkpoint(tx, tenant)
    if end is None or end.size <= position:
        return None

    def prove(old: int) -> tuple[bytes, ...]:
        with engine.begin(plane.engine, access.Scope(tenant, access.SYSTEM)) as other:
            return audit_proofs.consistency(audit_reading.nodes(other, tenant), old, end.size)

    news = audit_reading.other_than(tx, tenant, audit.STAMPED, first=position, end=end.size)
    return domain.Batch(end.origin, (), audit_reading.checkpoint_around(tx, tenant, position, above=False), end, prove, news=news)


def _chosen(batch: domain.Batch, spec: domain.SinkSpec) -> domain.Batch:
    if not spec.types or spec.place() in PROVING:
        return batch
    return msgspec.structs.replace(
        batch, rows=tuple(row for row in batch.rows if any(_is(seal_log.kind(row.body), one) for one in spec.types))
    )


def _is(kind: str, wanted: str) -> bool:
    stem = wanted.removesuffix("*")
    return kind == wanted if stem == wanted else kind.startswith(stem)


def _deliver(plane: context.Plane, spec: domain.SinkSpec, data: dict[str, secrets.Secret], batch: domain.Batch) -> list[tuple[int, str]]:
    """Send the batch; in smaller ones when the far end will not have it, down to the events that it is about, which are given back."""
    try:
        plane.sinks[spec.place()].send(spec, data, batch)
    except domain.Refused as e:
        if spec.place() in PROVING:  # a part of what proves itself as a whole would take its place
            raise errors.BackendDown("sink", str(e)) from e
        if len(batch.rows) <= 1:
            return [(row.seq, str(e)) for row in batch.rows]
        middle = len(batch.rows) // 2
        halves = (batch.rows[:middle], batch.rows[middle:])
        return [one for rows in halves for one in _deliver(plane, spec, data, msgspec.structs.replace(batch, rows=rows))]
    return []


def _opened(plane: context.Plane, tenant: str, sink: store.Sink) -> dict[str, secrets.Secret]:
    if sink.wrapped is None:
        return {}
    clear = plane.envelope.unwrap(sink.wrapped, context=keys.wrapping_context(tenant, "", f"sink/{sink.name}"))
    return {name: secrets.Secret(text.encode()) for name, text in msgspec.json.decode(clear.reveal(), type=dict[str, str]).items()}


def judge(plane: context.Plane) -> int:
    """Begin or end to refuse changes where mandatory sinks fell behind or caught up; returns how many changed. Each is an event."""
    with engine.dispatch(plane.engine) as tx:
        found = store.mandatory(tx)
    return sum(_judge(plane, one) for one in found)


def _judge(plane: context.Plane, one: store.Due) -> bool:
    scope = access.Scope(one.tenant, access.SYSTEM)
    with engine.begin(plane.engine, scope) as tx:
        sink = store.load(tx, one.tenant, one.id)
        if sink is None:
            return False
        spec, now = msgspec.convert(sink.spec, domain.SinkSpec), plane.clock.now()
        late = sink.oldest is not None and now - sink.oldest > dt.timedelta(seconds=spec.block_seconds)
        blocking = spec.mandatory and (sink.size - sink.position > spec.block_events or late)
        if blocking == sink.blocking:
            return False
        store.block(tx, one.tenant, one.id, blocking=blocking)
        kind, behind = "audit.mode.blocked" if blocking else "audit.mode.opened", sink.size - sink.position
        record.append(plane, tx, scope, kind, target=f"sink/{sink.name}", details=details.Behind(behind=behind))
    return True
