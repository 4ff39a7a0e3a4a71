"""The tables as SQLAlchemy Core sees them. Constraints and policies live in migrations; `alembic check` holds both together.

Conventions: tenant first in every primary key, unique key and index; ids are UUIDv7; `version` rises with every update (ETag);
blobs stand apart from the slim rows that lists read.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
NIL = "00000000-0000-0000-0000-000000000000"  # the platform's place where a tenant id is asked for


def _id(name: str = "id", *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, pg.UUID(as_uuid=False), nullable=null)


def _time(name: str, *, null: bool = True, now: bool = False) -> sa.Column[Any]:
    return sa.Column(name, pg.TIMESTAMP(timezone=True), nullable=null, server_default=sa.func.now() if now else None)


def _text(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=null, server_default=None if default is None else sa.text(f"'{default}'"))


def _json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, pg.JSONB, nullable=null, server_default=None if null else sa.text("'{}'"))


def _number(name: str, default: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text(str(default)))


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _bytes(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, pg.BYTEA, nullable=null)


def _document() -> tuple[sa.Column[Any], ...]:
    """What every stored document has."""
    times = (_time("created_at", null=False, now=True), _time("updated_at", null=False, now=True))
    return _text("name"), _json("spec"), _json("labels"), _number("version", 1), *times


def _tenant_key(*columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("tenant_id", *columns)


def _in_project(table: str = "projects") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", "project_id"], [f"{table}.tenant_id", f"{table}.id"], ondelete="RESTRICT")


def _of_app() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", "app_id"], ["apps.tenant_id", "apps.id"], ondelete="CASCADE")


tenants = sa.Table("tenants", METADATA, _id(), *_document(), sa.PrimaryKeyConstraint("id"), sa.UniqueConstraint("name"))

projects = sa.Table(
    "projects",
    METADATA,
    _id("tenant_id"),
    _id(),
    *_document(),
    _bytes("fingerprint_key"),  # 32 bytes under the master key
    _tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="RESTRICT"),
)

clusters = sa.Table(
    "clusters",
    METADATA,
    _id(),
    *_document(),
    _text("kube_version", default=""),
    _bytes("capabilities", null=True),  # msgpack of wire.agent.Capabilities
    sa.PrimaryKeyConstraint("id"),
    sa.UniqueConstraint("name"),
)

cluster_grants = sa.Table(
    "cluster_grants",
    METADATA,
    _id("tenant_id"),
    _id("cluster_id"),
    sa.Column("namespaces", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("cluster_kinds", pg.ARRAY(sa.Text), nullable=False),
    _tenant_key("cluster_id"),
    sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
)

agents = sa.Table(
    "agents",
    METADATA,
    _id(),
    _id("cluster_id"),
    _bytes("signing_key"),
    _bytes("sealing_key"),
    _text("sealing_key_id"),
    _number("generation", 1),
    _text("agent_version", default=""),
    _text("installation", default=""),
    _time("enrolled_at", null=False, now=True),
    _time("last_seen_at"),
    _time("revoked_at"),
    sa.PrimaryKeyConstraint("id"),
    sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
    sa.Index("uq_agents_active", "cluster_id", unique=True, postgresql_where=sa.text("revoked_at IS NULL")),
)

join_tokens = sa.Table(
    "join_tokens",
    METADATA,
    _bytes("hash"),
    _id("cluster_id"),
    _text("created_by"),
    _time("expires_at", null=False),
    _time("used_at"),
    sa.PrimaryKeyConstraint("hash"),
    sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
)

principals = sa.Table(
    "principals",
    METADATA,
    _id("tenant_id"),  # NIL: a person of the platform, or of several tenants
    _id(),
    _text("name"),
    _text("kind", default="user"),
    _time("disabled_at"),
    _time("created_at", null=False, now=True),
    _tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.UniqueConstraint("id"),
)

tokens = sa.Table(
    "tokens",
    METADATA,
    _id("tenant_id"),
    _id(),
    _id("principal_id"),
    _text("name"),
    _text("prefix"),
    _bytes("hash"),
    _time("created_at", null=False, now=True),
    _time("expires_at", null=False),
    _time("revoked_at"),
    _tenant_key("id"),
    sa.UniqueConstraint("hash"),
    sa.ForeignKeyConstraint(["tenant_id", "principal_id"], ["principals.tenant_id", "principals.id"], ondelete="CASCADE"),
)

role_bindings = sa.Table(
    "role_bindings",
    METADATA,
    _id("tenant_id"),  # NIL: the role holds everywhere
    _id(),
    _id("principal_id"),
    _text("role"),
    _id("project_id", null=True),
    _time("created_at", null=False, now=True),
    _tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "principal_id", "role", "project_id", postgresql_nulls_not_distinct=True),
    sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"], ondelete="CASCADE"),
)

credentials = sa.Table(
    "credentials",
    METADATA,
    _id("tenant_id"),
    _id(),
    _id("project_id"),
    *_document(),  # spec: kind and everything that is not secret
    _bytes("wrapped"),
    _tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name"),
    _in_project(),
)

repositories = sa.Table(
    "repositories",
    METADATA,
    _id("tenant_id"),
    _id(),
    _id("project_id"),
    *_document(),
    _text("url"),  # as sources name it, for look-up
    _json("refs"),
    _time("refs_at"),
    _json("problem", null=True),
    _number("failures"),
    _time("poll_at"),
    _time("leased_until"),
    _tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name"),
    sa.UniqueConstraint("tenant_id", "project_id", "url"),
    _in_project(),
    sa.Index("ix_repositories_poll_at", "poll_at", postgresql_where=sa.text("poll_at IS NOT NULL")),
)

apps = sa.Table(
    "apps",
    METADATA,
    _id("tenant_id"),
    _id(),
    _id("project_id"),
    *_document(),
    _id("cluster_id", null=True),  # null: spec names a cluster that is not there
    _id("repository_id", null=True),  # null: spec names a repository that is not there
    sa.Column(
        "roots", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")
    ),  # a commit that touches none of these cannot change the app
    _number("generation"),
    _json("request", null=True),  # domain.decide.Request
    sa.Column("approved", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    _flag("refresh"),
    _flag("hard"),
    _number("lane"),  # 0 well, 1 failing
    _number("failures"),
    _time("due_at"),
    _time("leased_until"),
    _time("deleted_at"),
    _tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name"),
    _in_project(),
    sa.Index("ix_apps_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("ix_apps_tenant_id_repository_id", "tenant_id", "repository_id"),
    sa.Index("ix_apps_tenant_id_cluster_id", "tenant_id", "cluster_id"),
)

app_states = sa.Table(
    "app_states",
    METADATA,
    _id("tenant_id"),
    _id("app_id"),
    _id("project_id"),
    _id("release_id", null=True),  # the newest release, wanted
    _text("digest", default=""),
    _text("commit", default=""),
    _text("seen", default=""),  # the commit last looked at, whether or not it changed anything
    _json("problem", null=True),  # domain.decide.Problem
    _json("decision", null=True),  # domain.decide.Decision, tagged
    _json("attempt", null=True),  # domain.decide.Attempt
    _text("sync", default="Unknown"),
    _text("health", default="Unknown"),
    _text("message", default=""),
    _number("generation"),  # of the last report
    _bytes("objects", null=True),  # msgpack of list[wire.agent.ObjectState]
    _time("reported_at"),
    _time("healthy_at"),
    _time("updated_at", null=False, now=True),
    _tenant_key("app_id"),
    _of_app(),
    sa.Index("ix_app_states_tenant_id_project_id", "tenant_id", "project_id"),
)

blobs = sa.Table(
    "blobs",
    METADATA,
    _id("tenant_id"),
    _text("digest"),
    _bytes("body"),
    _time("created_at", null=False, now=True),
    _tenant_key("digest"),
)

releases = sa.Table(
    "releases",
    METADATA,
    _id("tenant_id"),
    _id(),
    _id("app_id"),
    _text("digest"),
    _text("key"),
    _text("commit"),
    _text("author", default=""),
    _text("subject", default=""),
    _json("verdict"),
    _number("objects"),
    _flag("volatile"),
    _time("created_at", null=False, now=True),
    _tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "app_id", "key", "digest"),
    _of_app(),
)

sealed_values = sa.Table(
    "sealed_values",
    METADATA,
    _id("tenant_id"),
    _id("app_id"),
    _text("digest"),
    _text("key_id"),
    _bytes("body"),  # msgpack of tuple[wire.agent.SealedValue]
    _tenant_key("app_id", "digest", "key_id"),
    _of_app(),
)

tasks = sa.Table(
    "tasks",
    METADATA,
    _id("tenant_id"),
    _id(),
    _id("app_id"),
    _id("project_id"),
    _id("cluster_id"),
    _text("kind"),
    _number("generation"),
    _text("digest", default=""),
    _text("commit", default=""),
    _bytes("payload"),  # msgpack of wire.agent.Task, unsigned
    _text("actor"),
    _text("trigger"),
    _text("state", default="queued"),  # queued, leased, done
    _id("leased_by", null=True),
    _time("leased_until"),
    _number("attempts"),
    _text("phase", default=""),
    _text("outcome", default=""),
    _text("message", default=""),
    _bytes("results", null=True),  # JSON lines of wire.agent.ObjectResult
    _bytes("live", null=True),
    _time("created_at", null=False, now=True),
    _time("started_at"),
    _time("finished_at"),
    _tenant_key("id"),
    _of_app(),
    sa.Index("ix_tasks_open", "cluster_id", "created_at", postgresql_where=sa.text("state <> 'done'")),
    sa.Index("ix_tasks_tenant_id_app_id_generation", "tenant_id", "app_id", "generation"),
)

history = sa.Table(
    "history",
    METADATA,
    _id("tenant_id"),
    _id("app_id"),
    _number("number"),
    _id("task_id"),
    _text("digest"),
    _text("commit"),
    _text("actor"),
    _text("trigger"),
    _time("started_at", null=False),
    _time("finished_at", null=False),
    _tenant_key("app_id", "number"),
    _of_app(),
)

policy_sets = sa.Table(
    "policy_sets",
    METADATA,
    _id("tenant_id"),  # NIL: holds for every tenant
    _id(),
    *_document(),
    _text("digest"),
    _json("files"),
    _tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
)

audit_events = sa.Table(
    "audit_events",
    METADATA,
    _id("tenant_id"),
    _id(),
    _time("at", null=False),
    _text("type"),
    _id("project_id", null=True),
    _text("target", default=""),
    _text("correlation", default=""),
    _bytes("body"),  # canonical JSON of domain.audit.Event: what the leaf is made of
    sa.Column("xid", sa.BigInteger, nullable=False, server_default=sa.text("(pg_current_xact_id()::text)::bigint")),
    _tenant_key("id"),
    sa.Index("ix_audit_events_tenant_id_xid_id", "tenant_id", "xid", "id"),
    sa.Index("ix_audit_events_tenant_id_at", "tenant_id", "at"),
)

audit_leaves = sa.Table(
    "audit_leaves",
    METADATA,
    _id("tenant_id"),
    _number("seq"),
    _id("event_id"),
    _bytes("leaf"),
    _tenant_key("seq"),
    sa.UniqueConstraint("tenant_id", "event_id"),
)

audit_heads = sa.Table(
    "audit_heads",
    METADATA,
    _id("tenant_id"),
    _number("size"),
    _bytes("peaks"),  # 32 bytes each, largest subtree first
    _number("last_xid"),
    _id("last_event"),
    sa.PrimaryKeyConstraint("tenant_id"),
)

audit_checkpoints = sa.Table(
    "audit_checkpoints",
    METADATA,
    _id("tenant_id"),
    _number("size"),
    _text("origin"),
    _text("root"),
    _text("time"),
    _text("signature"),
    _tenant_key("size"),
)

idempotency = sa.Table(
    "idempotency",
    METADATA,
    _id("tenant_id"),
    _id("principal_id"),
    _text("key"),
    _text("request"),  # digest of method, path and body
    _number("status"),
    _bytes("body"),
    _time("created_at", null=False, now=True),
    _tenant_key("principal_id", "key"),
)
