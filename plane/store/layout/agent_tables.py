"""The tables of agents: who they are, how they come in, and the requests that they made."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.layout import columns

METADATA = columns.METADATA

agents = sa.Table(
    "agents",
    METADATA,
    columns.ident(),
    columns.ident("cluster_id"),
    columns.blob("signing_key"),
    sa.Column("former_keys", pg.BYTEA, nullable=False, server_default=sa.text("''")),  # those before `signing_key`, 32 bytes each
    columns.blob("sealing_key"),
    columns.text("sealing_key_id"),
    columns.number("generation", 1),
    columns.text("agent_version", default=""),
    columns.text("installation", default=""),
    columns.time("enrolled_at", null=False, now=True),
    columns.time("last_seen_at"),
    columns.time("revoked_at"),
    columns.text("trouble", default=""),
    columns.time("rotation_asked_at"),
    columns.time("keyed_at", null=False, now=True),  # when its keys were made
    columns.text("term", default=""),  # the term of office that claims
    sa.Column("former_terms", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    columns.text("quarantine", default=""),  # why it is given nothing and heard no more
    columns.number("lag_ms"),  # how long the oldest of the last tasks waited for it
    sa.PrimaryKeyConstraint("id"),
    sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
    sa.Index("uq_agents_active", "cluster_id", unique=True, postgresql_where=sa.text("revoked_at IS NULL")),
)

join_tokens = sa.Table(
    "join_tokens",
    METADATA,
    columns.blob("hash"),
    columns.ident("cluster_id"),
    columns.text("created_by"),
    columns.time("expires_at", null=False),
    columns.time("used_at"),
    columns.time("refused_at"),  # when somebody last tried it after it was used
    sa.PrimaryKeyConstraint("hash"),
    sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
)

requests = sa.Table(  # request tokens that were used, until they are out of date; unlogged
    "agent_requests",
    METADATA,
    columns.ident("agent_id"),
    columns.text("jti"),
    columns.time("until", null=False),
    sa.PrimaryKeyConstraint("agent_id", "jti"),
    sa.Index("ix_agent_requests_until", "until"),
    prefixes=["UNLOGGED"],
)
