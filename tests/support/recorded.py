"""What the log holds, from its tables, as those who may read it see it: with what is personal in it."""

import sqlalchemy as sa

from plane.domain.auditing import audit

_EVENTS = sa.text(
    "SELECT e.body, p.body AS personal FROM audit_events e LEFT JOIN audit_personal p ON p.tenant_id = e.tenant_id AND p.event_id = e.id "
    "WHERE e.type LIKE :kind ORDER BY e.id"
)


def events(owner: sa.Engine, kind: str) -> list[audit.Event]:
    """Of a type, or of those like it, in order."""
    with owner.begin() as tx:
        return [audit.together(bytes(row.body), bytes(row.personal or b"")) for row in tx.execute(_EVENTS, {"kind": kind})]
