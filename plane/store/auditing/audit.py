"""The audit log's rows: appended in the fact's transaction, sealed later in an order no commit can slip behind."""

import secrets
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.domain import objects
from plane.domain.auditing import audit
from plane.store import batches
from plane.store.engine import Tx
from plane.store.layout import audit_tables, tables

EVENTS, LEAVES, HEADS = audit_tables.events, audit_tables.leaves, audit_tables.heads
NODES, CHECKPOINTS = audit_tables.nodes, audit_tables.checkpoints


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
    project_id: str | None


def append(tx: Tx, events: Sequence[audit.Event], *, project_ids: dict[str, str] | None = None) -> None:
    """Write events in one statement. `project_ids`: event id → project id, for filters."""
    parted = [(*audit.apart(event, salt), salt) for event in events for salt in (secrets.token_bytes(16),)]
    batches.add(tx, EVENTS, [_row(event, (project_ids or {}).get(event.id)) for event, _, _ in parted])
    persons = [
        {"tenant_id": event.tenant, "event_id": event.id, "actor": event.actor.id, "salt": salt, "body": told}
        for event, told, salt in parted
        if told
    ]
    if persons:
        batches.add(tx, audit_tables.personal, persons)


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
    query = sa.select(EVENTS.c.id, EVENTS.c.xid, EVENTS.c.body, EVENTS.c.project_id).where(EVENTS.c.tenant_id == tenant, behind, closed)
    rows = tx.execute(query.order_by(EVENTS.c.xid, EVENTS.c.id).limit(limit))
    return tuple(Unsealed(row.id, row.xid, bytes(row.body), row.project_id) for row in rows)


def waits(tx: Tx, tenant: str, after: Head, kind: str) -> bool:
    """Whether an event of a type was written and has no place yet."""
    behind = sa.tuple_(EVENTS.c.xid, EVENTS.c.id) > sa.tuple_(sa.literal(after.last_xid), sa.cast(after.last_event, EVENTS.c.id.type))
    return (
        tx.execute(sa.select(sa.literal(1)).where(EVENTS.c.tenant_id == tenant, behind, EVENTS.c.type == kind).limit(1)).scalar()
        is not None
    )


class Leaf(msgspec.Struct, frozen=True):
    """What the sealer keeps of one event."""

    event: str
    hash: bytes
    facets: audit.Facets
    project_id: str | None = None


class Growth(msgspec.Struct, frozen=True):
    """A log's head before and after a batch, and the nodes that became full: (height, index) → hash."""

    before: Head
    after: Head
    nodes: dict[tuple[int, int], bytes]


def seal(tx: Tx, tenant: str, growth: Growth, leaves: Iterable[Leaf]) -> None:
    """Give the events their places and move the head."""
    batches.add(tx, LEAVES, [_leaf_row(tenant, growth.before.size + n, leaf) for n, leaf in enumerate(leaves)])
    batches.add(tx, NODES, [{"tenant_id": tenant, "height": at[0], "index": at[1], "hash": hashed} for at, hashed in growth.nodes.items()])
    after = growth.after
    moved = {"size": after.size, "peaks": b"".join(after.peaks), "last_xid": after.last_xid, "last_event": after.last_event}
    tx.execute(sa.update(HEADS).where(HEADS.c.tenant_id == tenant).values(moved))


def _leaf_row(tenant: str, seq: int, leaf: Leaf) -> dict[str, object]:
    facets = leaf.facets
    return {
        "tenant_id": tenant,
        "seq": seq,
        "event_id": leaf.event,
        "leaf": leaf.hash,
        "at": facets.time,
        "project_id": leaf.project_id,
        **{name: getattr(facets, name) for name in ("type", "actor", "target", "cluster", "commit", "outcome", "correlation")},
    }


def add_checkpoint(tx: Tx, tenant: str, point: audit.Checkpoint) -> None:
    """Keep a signed checkpoint."""
    row = {"tenant_id": tenant, **{name: getattr(point, name) for name in ("size", "origin", "root", "time", "signature", "key")}}
    row |= {"counts": objects.canonical(point.counts), "peaks": bytes.fromhex("".join(point.peaks))}
    tx.execute(pg.insert(CHECKPOINTS).values(row).on_conflict_do_nothing())
