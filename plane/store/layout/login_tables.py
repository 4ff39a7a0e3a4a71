"""The tables of log-ins at identity providers."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.layout import columns

METADATA = columns.METADATA

identities = sa.Table(
    "identities",
    METADATA,
    columns.ident("tenant_id"),
    columns.text("provider"),
    columns.text("subject"),
    columns.ident("principal_id"),
    columns.tenant_key("provider", "subject"),
    sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], ondelete="CASCADE"),
    sa.Index("ix_identities_principal_id", "principal_id"),
)

logins = sa.Table(  # under way; each row is used once
    "logins",
    METADATA,
    columns.ident("tenant_id"),  # NIL
    columns.ident(),
    columns.text("provider"),
    columns.text("nonce"),
    columns.text("verifier"),
    columns.text("return_to"),  # on the caller's own machine; empty: a browser's session
    columns.text("challenge"),  # S256 of what the one who began it must show to get its end
    columns.blob("hash"),  # of the state, then of the code, or of a device's handle
    columns.blob("wrapped", null=True),  # a device's code at the provider
    columns.ident("principal_tenant", null=True),
    columns.ident("principal_id", null=True),
    columns.text("sid", default=""),
    columns.text("address", default=""),  # where a device's was begun
    columns.number("version"),  # of the provider's document when it began
    columns.time("expires_at", null=False),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "hash"),
)

providers = sa.Table(  # documents of kind IdentityProvider
    "identity_providers",
    METADATA,
    columns.ident("tenant_id"),  # NIL: the platform's
    columns.ident(),
    *columns.document(),
    columns.blob("wrapped", null=True),  # the client's secret; absent: a public client
    columns.json("fingerprints"),  # by secret field, for the audit log
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
)

trusts = sa.Table(  # documents of kind WorkloadTrust
    "workload_trusts",
    METADATA,
    columns.ident("tenant_id"),  # NIL: the platform's
    columns.ident(),
    *columns.document(),
    sa.Column("makers", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),  # ids of all who wrote it
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
)

passwords = sa.Table(  # of local admins
    "passwords",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("principal_id"),
    columns.text("hash"),  # argon2id, with its parameters
    columns.time("changed_at", null=False),
    columns.tenant_key("principal_id"),
    sa.ForeignKeyConstraint(["tenant_id", "principal_id"], ["principals.tenant_id", "principals.id"], ondelete="CASCADE"),
)

attempts = sa.Table(  # at passwords, by account and by address, whether there is such an account or not
    "login_attempts",
    METADATA,
    columns.ident("tenant_id"),  # NIL
    columns.blob("key"),
    columns.number("failures"),
    columns.time("tried_at", null=False),
    columns.time("locked_until", null=False),
    columns.tenant_key("key"),
)

budgets = sa.Table(  # of requests, evened out between replicas
    "request_budgets",
    METADATA,
    columns.ident("tenant_id"),  # NIL
    columns.blob("key"),
    sa.Column("used", sa.Float, nullable=False),
    columns.number("rate"),
    columns.time("at", null=False),
    columns.tenant_key("key"),
    prefixes=["UNLOGGED"],
)
