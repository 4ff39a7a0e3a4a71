"""The tables of people: who they are, what they log in with, the roles they hold, and what waits for a second person."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.layout import columns

METADATA = columns.METADATA

principals = sa.Table(
    "principals",
    METADATA,
    columns.ident("tenant_id"),  # NIL: a person of the platform, or of several tenants
    columns.ident(),
    columns.text("name"),
    columns.text("kind", default="user"),
    columns.text("description", default=""),
    sa.Column("groups", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),  # of the identity provider
    columns.json("labels"),
    columns.number("version", 1),
    columns.time("disabled_at"),
    columns.time("created_at", null=False, now=True),
    columns.time("updated_at", null=False, now=True),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.UniqueConstraint("id"),
)

tokens = sa.Table(
    "tokens",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.ident("principal_id"),
    columns.text("name"),
    columns.text("prefix"),
    columns.blob("hash"),
    columns.time("created_at", null=False, now=True),
    columns.time("expires_at", null=False),
    columns.time("revoked_at"),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),  # empty: all that its owner holds
    sa.Column("networks", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),  # CIDR; empty: from anywhere
    columns.time("used_at"),  # to within a minute
    columns.text("provider", default=""),  # what it came of, where it came of a log-in
    columns.text("sid", default=""),  # and the provider's name of the session
    columns.number("idle_s"),  # of a browser's session, which ends when it was not used for so long; 0: a token
    columns.text("made_at", default=""),  # the address that a session was begun from, and with which browser
    columns.text("made_with", default=""),
    columns.text("on_behalf_of", default=""),  # as domain.access.Actor has it
    sa.Column("makers", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),  # so has it these
    columns.blob("renewal", null=True),  # what to ask the provider again with, under the master key
    columns.number("renew_s"),  # how often
    columns.time("asked_at"),  # when the provider last vouched for its owner; null: it is not asked again
    columns.time("tried_at"),  # when somebody last began to ask
    columns.tenant_key("id"),
    sa.Index("ix_tokens_asked_at", "asked_at", postgresql_where=sa.text("asked_at IS NOT NULL")),
    sa.UniqueConstraint("hash"),
    sa.ForeignKeyConstraint(["tenant_id", "principal_id"], ["principals.tenant_id", "principals.id"], ondelete="CASCADE"),
    sa.Index("ix_tokens_tenant_id_principal_id", "tenant_id", "principal_id"),
)

role_bindings = sa.Table(  # roles given by hand, one row each
    "role_bindings",
    METADATA,
    columns.ident("tenant_id"),  # NIL: the role holds everywhere
    columns.ident(),
    columns.ident("principal_id"),
    columns.text("role"),
    columns.ident("project_id", null=True),
    columns.time("created_at", null=False, now=True),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "principal_id", "role", "project_id", postgresql_nulls_not_distinct=True),
    sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
    sa.Index("ix_role_bindings_principal_id", "principal_id"),  # what somebody holds, wherever: asked with every request
)

bindings = sa.Table(  # documents of kind RoleBinding
    "bindings",
    METADATA,
    columns.ident("tenant_id"),  # NIL: the role holds everywhere
    columns.ident(),
    *columns.document(),  # spec: as written, with the subjects' names
    columns.text("role"),
    columns.ident("project_id", null=True),
    columns.ident("app_id", null=True),
    columns.json("cluster_labels"),
    columns.time("until"),
    sa.Column("networks", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    columns.number("fresh_s"),
    columns.flag("break_glass"),  # holds for whom `glass` says
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], ondelete="CASCADE"),
)

binding_subjects = sa.Table(
    "binding_subjects",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("binding_id"),
    columns.ident("principal_id"),
    columns.tenant_key("binding_id", "principal_id"),
    sa.ForeignKeyConstraint(["tenant_id", "binding_id"], ["bindings.tenant_id", "bindings.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], ondelete="CASCADE"),
    sa.Index("ix_binding_subjects_principal_id", "principal_id"),
)

binding_groups = sa.Table(
    "binding_groups",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("binding_id"),
    columns.text("name"),
    columns.flag("platform"),  # of the platform's people
    columns.tenant_key("binding_id", "name", "platform"),
    sa.ForeignKeyConstraint(["tenant_id", "binding_id"], ["bindings.tenant_id", "bindings.id"], ondelete="CASCADE"),
    sa.Index("ix_binding_groups_name", "name"),
)

roles = sa.Table(  # documents of kind Role
    "roles",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    *columns.document(),
    sa.Column("permissions", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
)

glass = sa.Table(  # break-glass roles that somebody took
    "glass",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.ident("binding_id"),
    columns.ident("principal_id"),
    columns.text("reason"),
    columns.time("taken_at", null=False, now=True),
    columns.time("until", null=False),
    columns.time("ended_at"),
    columns.tenant_key("id"),
    sa.ForeignKeyConstraint(["tenant_id", "binding_id"], ["bindings.tenant_id", "bindings.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], ondelete="CASCADE"),
    sa.Index("ix_glass_principal_id", "principal_id"),
)

approvals = sa.Table(  # what one person asked for, and a second one allows
    "approvals",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.ident("principal_id"),
    columns.text("permission"),
    columns.text("place"),  # project/name, as far as there is one
    columns.text("order"),  # method and path
    columns.blob("digest"),  # of method, path and body: what is allowed is what was asked
    columns.time("asked_at", null=False, now=True),
    columns.time("expires_at", null=False),
    columns.ident("approved_by", null=True),
    columns.time("approved_at"),
    columns.time("used_at"),
    sa.Column("makers", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),  # of the token that it was asked with
    columns.tenant_key("id"),
    sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], ondelete="CASCADE"),
    sa.Index("ix_approvals_tenant_id_principal_id", "tenant_id", "principal_id"),
)
