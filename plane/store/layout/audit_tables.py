"""The tables of the audit log: append-only by grants and trigger (migrations)."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.layout import columns

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
    # what searches ask by, taken from the event when it is sealed: writing an event pays for none of their indexes
    columns.time("at", null=False),
    columns.text("type"),
    columns.ident("project_id", null=True),
    columns.text("actor", default=""),
    columns.text("target", default=""),
    columns.text("cluster", default=""),
    columns.text("commit", default=""),
    columns.text("outcome", default="success"),
    columns.text("correlation", default=""),
    columns.tenant_key("seq"),
    sa.UniqueConstraint("tenant_id", "event_id"),
    sa.Index("ix_audit_leaves_tenant_id_at", "tenant_id", "at"),
    *(sa.Index(f"ix_audit_leaves_tenant_id_{name}", "tenant_id", name, "seq") for name in ("type", "project_id")),
    *(  # somebody's events of a type that they never caused are looked for in the index alone
        sa.Index(f"ix_audit_leaves_tenant_id_{name}", "tenant_id", name, "seq", postgresql_include=["type", "at"])
        for name in ("actor", "target")
    ),
    *(
        sa.Index(f"ix_audit_leaves_tenant_id_{name}", "tenant_id", name, "seq", postgresql_where=sa.text(condition))
        for name, condition in (
            ("cluster", "cluster <> ''"),
            ("commit", "commit <> ''"),
            ("outcome", "outcome <> 'success'"),
            ("correlation", "correlation <> ''"),
        )
    ),
)

hours = sa.Table(
    "audit_hours",
    METADATA,
    columns.ident("tenant_id"),
    columns.time("hour", null=False),
    columns.number("first"),  # the lowest and the highest place of an event of that hour; a trigger on leaves keeps them
    columns.number("last"),
    columns.tenant_key("hour"),
)

nodes = sa.Table(
    "audit_nodes",
    METADATA,
    columns.ident("tenant_id"),
    sa.Column("height", sa.BigInteger, nullable=False),
    sa.Column("index", sa.BigInteger, nullable=False),
    columns.blob("hash"),
    columns.tenant_key("height", "index"),
)

personal = sa.Table(
    "audit_personal",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("event_id"),
    columns.text("actor"),
    columns.blob("salt"),
    columns.blob("body"),  # canonical JSON; the event holds SHA-256 of salt and this
    columns.tenant_key("event_id"),
    sa.Index("ix_audit_personal_tenant_id_actor", "tenant_id", "actor"),
)

terms = sa.Table(
    "audit_terms",
    METADATA,
    columns.ident("tenant_id"),
    columns.number("keep_days"),
    columns.text("hold", default=""),
    sa.PrimaryKeyConstraint("tenant_id"),
)

fingerprint_keys = sa.Table(
    "audit_fingerprint_keys",
    METADATA,
    columns.ident("tenant_id"),
    columns.blob("wrapped"),  # 32 bytes under the master key: what secret fields are fingerprinted with in this log
    sa.PrimaryKeyConstraint("tenant_id"),
)

witnessed = sa.Table(
    "audit_witnessed",
    METADATA,
    columns.ident("tenant_id"),
    columns.text("origin"),
    columns.number("size"),
    columns.text("root", default=""),
    columns.text("note", default=""),
    columns.time("at", null=False, now=True),
    columns.tenant_key("origin"),
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
    columns.text("key", default=""),
    sa.Column("counts", pg.BYTEA, nullable=False, server_default=sa.text("'{}'")),  # canonical JSON, whose hash is signed
    sa.Column("peaks", pg.BYTEA, nullable=False, server_default=sa.text("''")),  # as the head's; empty when they were not kept
    columns.tenant_key("size"),
)
