"""Sinks: which have something to send, how far each is, and what its far end would not have."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store import documents
from plane.store.engine import Tx
from plane.store.layout import audit_tables, sink_tables

SINKS, DEAD, HEADS, LEAVES = sink_tables.sinks, sink_tables.dead, audit_tables.heads, audit_tables.leaves
LEASE_S = 120  # longer than the longest request a batch is sent with; a worker that died costs this much
_OF = SINKS.outerjoin(HEADS, HEADS.c.tenant_id == SINKS.c.tenant_id)
_REFUSED = (
    sa.select(sa.func.count()).where(DEAD.c.tenant_id == SINKS.c.tenant_id, DEAD.c.sink_id == SINKS.c.id).scalar_subquery().label("dead")
)
_WHOLE = sa.select(SINKS, sa.func.coalesce(HEADS.c.size, 0).label("size"), _REFUSED).select_from(_OF)
SHELF = documents.Shelf(SINKS, _WHOLE, _WHOLE)


class Due(msgspec.Struct, frozen=True):
    """A sink that has something to send, leased."""

    tenant: str
    id: str


class Sink(msgspec.Struct, frozen=True):
    """One to send to. `oldest`: when the first event that it lacks was written."""

    id: str
    name: str
    spec: dict[str, Any]
    wrapped: bytes | None
    position: int
    size: int
    blocking: bool
    failures: int
    oldest: dt.datetime | None


def lease(tx: Tx, *, limit: int) -> tuple[Due, ...]:
    """Sinks that are due, one worker each; a dispatch transaction."""
    return tuple(Due(str(row[0]), str(row[1])) for row in tx.execute(_LEASE, {"limit": limit, "seconds": LEASE_S}))


_LEASE = sa.text("""
    UPDATE sinks SET leased_until = now() + make_interval(secs => :seconds) WHERE (tenant_id, id) IN (
        SELECT s.tenant_id, s.id FROM sinks s JOIN audit_heads h ON h.tenant_id = s.tenant_id
        WHERE NOT s.paused AND s.position < h.size AND s.retry_at <= now() AND (s.leased_until IS NULL OR s.leased_until < now())
        ORDER BY s.retry_at LIMIT :limit FOR UPDATE OF s SKIP LOCKED
    ) RETURNING tenant_id, id
""")


def load(tx: Tx, tenant: str, identity: str) -> Sink | None:
    """One sink as the sender needs it; None: it was deleted."""
    query = sa.select(SINKS, sa.func.coalesce(HEADS.c.size, 0).label("size"), LEAVES.c.at.label("oldest"))
    lacking = sa.and_(LEAVES.c.tenant_id == SINKS.c.tenant_id, LEAVES.c.seq == SINKS.c.position)
    row = tx.execute(query.select_from(_OF.outerjoin(LEAVES, lacking)).where(*_one(tenant, identity))).one_or_none()
    if row is None:
        return None
    wrapped = None if row.wrapped is None else bytes(row.wrapped)
    return Sink(row.id, row.name, row.spec, wrapped, row.position, row.size, row.blocking, row.failures, row.oldest)


def sent(tx: Tx, tenant: str, identity: str, *, before: int, after: int, pause_s: float = 0.0) -> None:
    """The far end has all up to `after` and gets no more for so long; nothing moves when somebody set another position meanwhile."""
    moved = sa.update(SINKS).where(*_one(tenant, identity), SINKS.c.position == before)
    tx.execute(moved.values(position=after, failures=0, problem="", sent_at=sa.func.now(), retry_at=_in(pause_s)))


def failed(tx: Tx, tenant: str, identity: str, problem: str, *, pause_s: float) -> None:
    """It did not go; the next try waits."""
    worse = {"failures": SINKS.c.failures + 1, "problem": problem, "retry_at": _in(pause_s)}
    tx.execute(sa.update(SINKS).where(*_one(tenant, identity)).values(worse))


def _in(seconds: float) -> sa.ColumnElement[dt.datetime]:
    return sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def free(tx: Tx, tenant: str, identity: str) -> None:
    """Give the lease back."""
    tx.execute(sa.update(SINKS).where(*_one(tenant, identity)).values(leased_until=None))


def bury(tx: Tx, tenant: str, identity: str, seq: int, reason: str) -> None:
    """Note that the far end will not have an event."""
    row = {"tenant_id": tenant, "sink_id": identity, "seq": seq, "reason": reason}
    tx.execute(pg.insert(DEAD).values(row).on_conflict_do_nothing())


def buried(tx: Tx, tenant: str, identity: str, *, limit: int) -> tuple[tuple[int, str], ...]:
    """Places and reasons of what the far end would not have, in order."""
    query = sa.select(DEAD.c.seq, DEAD.c.reason).where(DEAD.c.tenant_id == tenant, DEAD.c.sink_id == identity)
    return tuple((row.seq, row.reason) for row in tx.execute(query.order_by(DEAD.c.seq).limit(limit)))


def rewind(tx: Tx, tenant: str, identity: str, position: int) -> None:
    """Send again from a place on; what was refused from there on is tried again."""
    again = {"position": position, "failures": 0, "problem": "", "retry_at": sa.func.now()}
    tx.execute(sa.update(SINKS).where(*_one(tenant, identity)).values(again))
    tx.execute(sa.delete(DEAD).where(DEAD.c.tenant_id == tenant, DEAD.c.sink_id == identity, DEAD.c.seq >= position))


def mandatory(tx: Tx) -> tuple[Due, ...]:
    """Every sink, for the look at who is behind; a dispatch transaction."""
    return tuple(Due(str(row[0]), str(row[1])) for row in tx.execute(sa.select(SINKS.c.tenant_id, SINKS.c.id)))


def block(tx: Tx, tenant: str, identity: str, *, blocking: bool) -> None:
    """Refuse changes from now on, or no more."""
    tx.execute(sa.update(SINKS).where(*_one(tenant, identity)).values(blocking=blocking))


def blocking(tx: Tx, tenant: str) -> str:
    """The name of a mandatory sink that is too far behind; empty: none."""
    query = sa.select(SINKS.c.name).where(SINKS.c.tenant_id == tenant, SINKS.c.blocking).order_by(SINKS.c.name).limit(1)
    return tx.execute(query).scalar() or ""


def size(tx: Tx, tenant: str) -> int:
    """How many events a log has sealed."""
    return int(tx.execute(sa.select(HEADS.c.size).where(HEADS.c.tenant_id == tenant)).scalar() or 0)


def forget(tx: Tx, tenant: str) -> None:
    """Remove a tenant's sinks with it."""
    tx.execute(sa.delete(SINKS).where(SINKS.c.tenant_id == tenant))


def _one(tenant: str, identity: str) -> tuple[sa.ColumnElement[bool], ...]:
    return SINKS.c.tenant_id == tenant, SINKS.c.id == identity
