"""The tables of health: what users say of how kinds are judged, and how the health of objects changed."""

import sqlalchemy as sa

from plane.store.layout import columns

METADATA = columns.METADATA

health_checks = sa.Table(
    "health_checks",
    METADATA,
    columns.ident("tenant_id"),  # NIL: holds for every tenant
    columns.ident("project_id", null=True),  # NULL: holds for all of the tenant's
    columns.ident(),
    *columns.document(),
    columns.text("cluster", default=""),  # by name; empty: every cluster
    columns.text("digest"),  # of the spec: what an agent holds is compared by it
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name", postgresql_nulls_not_distinct=True),
    sa.ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
)

health_changes = sa.Table(
    "health_changes",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("app_id"),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False),
    columns.time("at", null=False),
    columns.text("group", default=""),
    columns.text("kind", default=""),  # empty: the app itself
    columns.text("namespace", default=""),
    columns.text("name", default=""),
    columns.text("before", default=""),
    columns.text("after", default=""),
    columns.text("message", default=""),
    columns.tenant_key("app_id", "number"),
    columns.of_app(),
    sa.Index("ix_health_changes_tenant_id_at", "tenant_id", "at"),
)
