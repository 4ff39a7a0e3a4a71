"""The audit log's rows: appended in the fact's transaction, sealed later in an order no commit can slip behind."""

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import audit, objects
from plane.store import audit_tables, tables
from plane.store.engine import Tx

EVENTS, LEAVES, HEADS, CHECKPOINTS = audit_tables.events, audit_tables.leaves, audit_tables.heads, audit_tables.checkpoints


class Head(msgspec.Struct, frozen=True):
    """How far a log is sealed; `peaks` as domain.audit.extend keeps them."""

    size: int
    peaks: tuple[bytes, ...]
    last_xid: int
    last_event: str


class Unsealed(msgspec.Struct, frozen=True):
    """An event waiting for its place."""

    id: str
    xid: int
    body: bytes


EMPTY = Head(0, (), 0, tables.NIL)


def append(tx: Tx, events: Sequence[audit.Event], *, project_ids: dict[str, str] | None = None) -> None:
    """Write events in one statement. `project_ids`: event id → project id, for filters."""
    if events:
        tx.execute(sa.insert(EVENTS), [_row(event, (project_ids or {}).get(event.id)) for event in events])


def _row(event: audit.Event, project: str | None) -> dict[str, object]:
    return {
        "tenant_id": event.tenant,
        "id": event.id,
        "at": event.time,
        "type": event.type,
        "project_id": project,
        "target": event.target,
        "correlation": event.correlation,
        "body": objects.canonical(event),
    }


def logs_with_news(tx: Tx) -> tuple[str, ...]:
    """Tenants whose log has events after its head; a dispatch transaction."""
    return tuple(str(row[0]) for row in tx.execute(_LOGS_WITH_NEWS, {"nil": tables.NIL}))


_LOGS_WITH_NEWS = sa.text("""
    SELECT l.id FROM (SELECT id FROM tenants UNION ALL SELECT CAST(:nil AS uuid)) AS l
    LEFT JOIN audit_heads h ON h.tenant_id = l.id
    WHERE EXISTS (
        SELECT 1 FROM audit_events e WHERE e.tenant_id = l.id
        AND (e.xid, e.id) > (coalesce(h.last_xid, 0), coalesce(h.last_event, CAST(:nil AS uuid)))
    )
""")


def head(tx: Tx, tenant: str) -> Head:
    """The log's head, locked until the transaction ends; made when there is none."""
    wanted = {"tenant_id": tenant, "size": 0, "peaks": b"", "last_xid": 0, "last_event": tables.NIL}
    tx.execute(pg.insert(HEADS).values(wanted).on_conflict_do_nothing())
    row = tx.execute(sa.select(HEADS).where(HEADS.c.tenant_id == tenant).with_for_update()).one()
    peaks = tuple(row.peaks[start : start + 32] for start in range(0, len(row.peaks), 32))
    return Head(row.size, peaks, row.last_xid, row.last_event)


def unsealed(tx: Tx, tenant: str, after: Head, *, limit: int) -> tuple[Unsealed, ...]:
    """Events after the head in (transaction, id) order, up to the oldest transaction still open: nothing can commit in front of them."""
    behind = sa.tuple_(EVENTS.c.xid, EVENTS.c.id) > sa.tuple_(sa.literal(after.last_xid), sa.cast(after.last_event, EVENTS.c.id.type))
    closed = EVENTS.c.xid < sa.text("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")
    query = sa.select(EVENTS.c.id, EVENTS.c.xid, EVENTS.c.body).where(EVENTS.c.tenant_id == tenant, behind, closed)
    rows = tx.execute(query.order_by(EVENTS.c.xid, EVENTS.c.id).limit(limit))
    return tuple(Unsealed(row.id, row.xid, bytes(row.body)) for row in rows)


def seal(tx: Tx, tenant: str, before: Head, after: Head, leaves: Iterable[tuple[str, bytes]]) -> None:
    """Give the events their places and move the head."""
    rows = [{"tenant_id": tenant, "seq": before.size + n, "event_id": event, "leaf": leaf} for n, (event, leaf) in enumerate(leaves)]
    tx.execute(sa.insert(LEAVES), rows)
    moved = {"size": after.size, "peaks": b"".join(after.peaks), "last_xid": after.last_xid, "last_event": after.last_event}
    tx.execute(sa.update(HEADS).where(HEADS.c.tenant_id == tenant).values(moved))


def add_checkpoint(tx: Tx, tenant: str, point: audit.Checkpoint) -> None:
    """Keep a signed checkpoint."""
    row = {"tenant_id": tenant, **{name: getattr(point, name) for name in ("size", "origin", "root", "time", "signature")}}
    tx.execute(pg.insert(CHECKPOINTS).values(row).on_conflict_do_nothing())


def last_checkpoint(tx: Tx, tenant: str) -> audit.Checkpoint | None:
    """The newest checkpoint of a log."""
    row = tx.execute(
        sa.select(CHECKPOINTS).where(CHECKPOINTS.c.tenant_id == tenant).order_by(CHECKPOINTS.c.size.desc()).limit(1)
    ).one_or_none()
    return row if row is None else audit.Checkpoint(origin=row.origin, size=row.size, root=row.root, time=row.time, signature=row.signature)


def page(tx: Tx, tenant: str, *, since: dt.datetime, project: str = "", after: int = -1, limit: int = 500) -> tuple[audit.Sealed, ...]:
    """Sealed events in order of their place, after `after`; with a project only that project's events."""
    joined = LEAVES.join(EVENTS, sa.and_(EVENTS.c.tenant_id == LEAVES.c.tenant_id, EVENTS.c.id == LEAVES.c.event_id))
    query = sa.select(LEAVES.c.seq, LEAVES.c.leaf, EVENTS.c.body).select_from(joined)
    query = query.where(LEAVES.c.tenant_id == tenant, LEAVES.c.seq > after, EVENTS.c.at >= since)
    if project:
        query = query.where(EVENTS.c.project_id == project)
    rows = tx.execute(query.order_by(LEAVES.c.seq).limit(limit))
    return tuple(audit.Sealed(row.seq, bytes(row.leaf).hex(), msgspec.json.decode(row.body, type=audit.Event)) for row in rows)
