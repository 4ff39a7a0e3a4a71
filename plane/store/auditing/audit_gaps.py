"""Intents without an outcome, and outcomes that came after somebody had missed them."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from plane.store.engine import Tx


class Open(msgspec.Struct, frozen=True):
    """An intent of which the log knows no end. `state` and `outcome` are the task's; empty: it is not there any more."""

    seq: int
    task: str
    project_id: str
    target: str
    cluster: str
    state: str
    outcome: str
    message: str


def alone(tx: Tx, tenant: str) -> bool:
    """Whether no other worker looks at this log now."""
    return bool(tx.execute(_ALONE, {"tenant": tenant}).scalar_one())


_ALONE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('gaps ' || :tenant, 0))")
# Not sealed yet: an outcome or a finding of a moment ago. There are few, so their correlation needs no index.
_FRESH = """
    WITH fresh AS (
        SELECT e.correlation, e.type FROM audit_events e LEFT JOIN audit_heads h ON h.tenant_id = e.tenant_id
        WHERE e.tenant_id = :tenant AND e.correlation <> '' AND (h.size IS NULL OR (e.xid, e.id) > (h.last_xid, h.last_event))
    )
"""


def unended(tx: Tx, tenant: str, *, since: dt.datetime, before: dt.datetime, limit: int) -> tuple[Open, ...]:
    """Intents of that time that have neither an outcome nor a finding."""
    rows = tx.execute(_UNENDED, {"tenant": tenant, "since": since, "before": before, "limit": limit})
    return tuple(Open(row.seq, row.correlation, str(row.project_id or ""), *row[3:]) for row in rows)


def late(tx: Tx, tenant: str, *, since: dt.datetime, limit: int) -> tuple[Open, ...]:
    """Findings whose outcome came after all, and that nobody has called resolved."""
    rows = tx.execute(_LATE, {"tenant": tenant, "since": since, "limit": limit})
    return tuple(Open(row.seq, row.correlation, str(row.project_id or ""), row.target, row.cluster, "done", "", "") for row in rows)


_UNENDED = sa.text(
    _FRESH  # noqa: S608 - our own text
    + """
    SELECT i.seq, i.correlation, i.project_id, i.target, i.cluster,
    coalesce(t.state, '') AS state, coalesce(t.outcome, '') AS outcome, coalesce(t.message, '') AS message
    FROM audit_leaves i LEFT JOIN tasks t ON t.tenant_id = i.tenant_id AND t.id = CAST(i.correlation AS uuid)
    WHERE i.tenant_id = :tenant AND i.at >= :since AND i.at < :before AND i.correlation <> ''
    AND i.type IN ('app.sync.started', 'app.removal.started')
    AND t.state IS DISTINCT FROM 'queued' AND NOT EXISTS (
        SELECT 1 FROM audit_leaves o WHERE o.tenant_id = i.tenant_id AND o.correlation = i.correlation AND o.correlation <> ''
        AND o.seq > i.seq AND o.type IN (
            'app.sync.completed', 'app.removal.completed', 'app.task.recovered',
            'app.sync.abandoned', 'app.sync.terminated', 'app.sync.halted', 'audit.gap'
        )
    ) AND NOT EXISTS (SELECT 1 FROM fresh WHERE fresh.correlation = i.correlation) ORDER BY i.seq LIMIT :limit
"""
)
_LATE = sa.text(
    _FRESH  # noqa: S608 - our own text
    + """
    SELECT g.seq, g.correlation, g.project_id, g.target, g.cluster FROM audit_leaves g
    WHERE g.tenant_id = :tenant AND g.at >= :since AND g.type = 'audit.gap' AND g.correlation <> '' AND EXISTS (
        SELECT 1 FROM audit_leaves o WHERE o.tenant_id = g.tenant_id AND o.correlation = g.correlation AND o.correlation <> ''
        AND o.seq > g.seq AND o.type IN ('app.sync.completed', 'app.removal.completed', 'app.task.recovered')
    ) AND NOT EXISTS (
        SELECT 1 FROM audit_leaves r WHERE r.tenant_id = g.tenant_id AND r.correlation = g.correlation AND r.correlation <> ''
        AND r.seq > g.seq AND r.type = 'audit.gap.resolved'
    ) AND NOT EXISTS (SELECT 1 FROM fresh WHERE fresh.correlation = g.correlation) ORDER BY g.seq LIMIT :limit
"""
)
