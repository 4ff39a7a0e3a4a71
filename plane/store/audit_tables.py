"""The tables of the audit log: append-only by grants and trigger (migrations)."""

import sqlalchemy as sa

from plane.store import columns

METADATA = columns.METADATA

events = sa.Table(
    "audit_events",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.time("at", null=False),
    columns.text("type"),
    columns.ident("project_id", null=True),
    columns.text("target", default=""),
    columns.text("correlation", default=""),
    columns.blob("body"),  # canonical JSON of domain.audit.Event: what the leaf is made of
    sa.Column("xid", sa.BigInteger, nullable=False, server_default=sa.text("(pg_current_xact_id()::text)::bigint")),
    columns.tenant_key("id"),
    sa.Index("ix_audit_events_tenant_id_xid_id", "tenant_id", "xid", "id"),
    sa.Index("ix_audit_events_tenant_id_at", "tenant_id", "at"),
)

leaves = sa.Table(
    "audit_leaves",
    METADATA,
    columns.ident("tenant_id"),
    columns.number("seq"),
    columns.ident("event_id"),
    columns.blob("leaf"),
    columns.tenant_key("seq"),
    sa.UniqueConstraint("tenant_id", "event_id"),
)

heads = sa.Table(
    "audit_heads",
    METADATA,
    columns.ident("tenant_id"),
    columns.number("size"),
    columns.blob("peaks"),  # 32 bytes each, largest subtree first
    columns.number("last_xid"),
    columns.ident("last_event"),
    sa.PrimaryKeyConstraint("tenant_id"),
)

checkpoints = sa.Table(
    "audit_checkpoints",
    METADATA,
    columns.ident("tenant_id"),
    columns.number("size"),
    columns.text("origin"),
    columns.text("root"),
    columns.text("time"),
    columns.text("signature"),
    columns.tenant_key("size"),
)
