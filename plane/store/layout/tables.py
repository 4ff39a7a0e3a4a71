"""The tables as SQLAlchemy Core sees them. Constraints and policies live in migrations; `alembic check` holds both together.

Conventions: tenant first in every primary key, unique key and index; ids are UUIDv7; `version` rises with every update (ETag);
blobs stand apart from the slim rows that lists read.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from plane.store.layout import (
    agent_tables,
    audit_tables,
    claim_tables,
    columns,
    decision_tables,
    health_tables,
    journal_tables,
    login_tables,
    people_tables,
    piece_tables,
    plan_tables,
    policy_tables,
    render_tables,
    rule_tables,
    sink_tables,
)

METADATA = audit_tables.METADATA  # one for all: the log's tables, those of health and of pieces stand in files of their own
PIECES, PLANS = piece_tables.PIECES, plan_tables.app_plans
HEALTH = (health_tables.health_checks, health_tables.health_changes)
POLICIES = (policy_tables.policy_bindings, policy_tables.waivers)
DECISIONS = (decision_tables.decisions, decision_tables.policy_grounds, decision_tables.findings)
CLAIMS = claim_tables.claims
PREVIEWS = (decision_tables.previews, decision_tables.preview_results)
RENDERS = render_tables.render_hours
SINKS, JOURNALS, RULES = sink_tables.sinks, journal_tables.journals, rule_tables.resource_rules
IDENTITIES, LOGINS, PROVIDERS = login_tables.identities, login_tables.logins, login_tables.providers
TRUSTS = login_tables.trusts
NIL = "00000000-0000-0000-0000-000000000000"  # the platform's place where a tenant id is asked for


tenants = sa.Table(
    "tenants",
    METADATA,
    columns.ident(),
    *columns.document(),
    columns.number("weight", 1),  # as in its spec, which those who lease for all tenants do not see
    sa.PrimaryKeyConstraint("id"),
    sa.UniqueConstraint("name"),
)

projects = sa.Table(
    "projects",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    *columns.document(),
    columns.blob("fingerprint_key"),  # 32 bytes under the master key
    columns.json("hold", null=True),  # domain.schedules.Hold
    columns.json("orphans", null=True),  # as store.orphans keeps them
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="RESTRICT"),
)

clusters = sa.Table(
    "clusters",
    METADATA,
    columns.ident("tenant_id", default=NIL),  # NIL: the platform's
    columns.ident(),
    *columns.document(),
    columns.text("kube_version", default=""),
    columns.blob("capabilities", null=True),  # msgpack of wire.agent.Capabilities
    columns.number("nodes"),
    sa.Column("knows", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),  # what its agent can be asked for
    columns.text("agent_certificate", default=""),  # as in its spec, for whoever asks who an agent is
    sa.PrimaryKeyConstraint("id"),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.UniqueConstraint("id", "tenant_id"),
)

cluster_grants = sa.Table(
    "cluster_grants",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("cluster_id"),
    sa.Column("namespaces", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("cluster_kinds", pg.ARRAY(sa.Text), nullable=False),
    columns.json("limits"),  # domain.fleet.Limits
    columns.ident("owner_id", default=NIL),  # whose cluster it is
    columns.tenant_key("cluster_id"),
    sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], ondelete="CASCADE"),
    sa.ForeignKeyConstraint(["cluster_id", "owner_id"], ["clusters.id", "clusters.tenant_id"], ondelete="CASCADE"),
)

agents, join_tokens = agent_tables.agents, agent_tables.join_tokens
principals, tokens, role_bindings = people_tables.principals, people_tables.tokens, people_tables.role_bindings
bindings, binding_subjects, binding_groups = people_tables.bindings, people_tables.binding_subjects, people_tables.binding_groups
roles, glass, approvals = people_tables.roles, people_tables.glass, people_tables.approvals

credentials = sa.Table(
    "credentials",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.ident("project_id"),
    *columns.document(),  # spec: kind and everything that is not secret
    columns.blob("wrapped"),
    columns.json("fingerprints"),  # by secret field, for the audit log
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name"),
    columns.in_project(),
)

repositories = sa.Table(
    "repositories",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.ident("project_id"),
    *columns.document(),
    columns.text("url"),  # as sources name it, for look-up
    columns.json("refs"),
    columns.time("refs_at"),
    columns.json("problem", null=True),
    columns.number("failures"),
    columns.number("mirror_bytes"),
    columns.time("poll_at"),
    columns.time("leased_until"),
    columns.ident("lease", null=True),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name"),
    sa.UniqueConstraint("tenant_id", "project_id", "url"),
    columns.in_project(),
    sa.Index("ix_repositories_poll_at", "poll_at", postgresql_where=sa.text("poll_at IS NOT NULL")),
)

apps = sa.Table(
    "apps",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.ident("project_id"),
    *columns.document(),
    columns.ident("cluster_id", null=True),  # null: spec names a cluster that is not there
    columns.ident("repository_id", null=True),  # null: spec names a repository that is not there
    sa.Column(
        "roots", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")
    ),  # a commit that touches none of these cannot change the app
    columns.number("generation"),
    columns.json("request", null=True),  # domain.decide.Request
    sa.Column("approved", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    columns.json("hold", null=True),  # domain.schedules.Hold
    columns.flag("refresh"),
    columns.flag("hard"),
    columns.number("lane"),  # 0 well, 1 failing
    columns.number("failures"),
    columns.time("due_at"),
    columns.time("leased_until"),  # by the database's clock
    columns.ident("lease", null=True),  # this taking's own id
    columns.time("deleted_at"),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "project_id", "name"),
    columns.in_project(),
    sa.Index("ix_apps_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("ix_apps_tenant_id_repository_id", "tenant_id", "repository_id"),
    sa.Index("ix_apps_tenant_id_cluster_id", "tenant_id", "cluster_id"),
)

app_sources = sa.Table(  # those after an app's first, which lies in its own row
    "app_sources",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("app_id"),
    columns.number("number"),  # from 1
    columns.ident("project_id"),
    columns.text("url"),  # as repositories.url
    columns.text("revision"),
    columns.ident("repository_id", null=True),  # null: no repository has the URL
    sa.Column("roots", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    columns.text("seen", default=""),
    columns.tenant_key("app_id", "number"),
    columns.of_app(),
    sa.Index("ix_app_sources_tenant_id_repository_id", "tenant_id", "repository_id"),
)

app_states = sa.Table(
    "app_states",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("app_id"),
    columns.ident("project_id"),
    columns.ident("release_id", null=True),  # the newest release, wanted
    columns.text("digest", default=""),
    columns.text("commit", default=""),
    columns.text("seen", default=""),  # the commit last looked at, whether or not it changed anything
    columns.json("problem", null=True),  # domain.decide.Problem
    columns.json("decision", null=True),  # domain.decide.Decision, tagged
    columns.time("since"),  # when a decision for this reason was first made
    columns.json("attempt", null=True),  # domain.decide.Attempt
    columns.text("sync", default="Unknown"),
    columns.text("health", default="Unknown"),
    columns.text("message", default=""),
    columns.number("generation"),  # of the last report, as the following
    columns.text("reported", default=""),  # digest of the release that the agent keeps
    columns.blob("objects", null=True),  # msgpack of list[wire.agent.ObjectState]
    columns.time("reported_at"),
    columns.time("healthy_at"),
    columns.time("degraded_at"),
    columns.json("rolled_back", null=True),  # domain.rollbacks.Mark
    columns.time("updated_at", null=False, now=True),
    columns.tenant_key("app_id"),
    columns.of_app(),
    sa.Index("ix_app_states_tenant_id_project_id", "tenant_id", "project_id"),
)

blobs = sa.Table(
    "blobs",
    METADATA,
    columns.ident("tenant_id"),
    columns.text("digest"),
    columns.blob("body"),
    columns.time("created_at", null=False, now=True),
    columns.tenant_key("digest"),
)

releases = sa.Table(
    "releases",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.ident("app_id"),
    columns.text("digest"),
    columns.text("key"),
    columns.text("commit"),
    *(columns.text(name, default="") for name in ("author", "subject", "committer", "committed_at")),
    *(columns.text(name, default="") for name in ("signature", "verification", "signed_by")),
    columns.json("verdict"),
    columns.json("rendered", null=True),  # domain.judging.surroundings.Rendered; NULL: made before it was kept
    columns.number("objects"),
    columns.flag("volatile"),
    columns.time("created_at", null=False, now=True),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "app_id", "key", "digest"),
    columns.of_app(),
)

release_approvals = sa.Table(  # who said yes, beside `apps.approved`
    "release_approvals",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("app_id"),
    columns.text("release"),  # the digest, or decide.REMOVAL
    columns.text("to"),  # domain.deciding.approvals.To
    columns.text("by"),
    columns.ident("by_id"),
    columns.text("at"),
    columns.ident("event"),
    columns.tenant_key("app_id", "release", "to"),
    columns.of_app(),
)

sealed_values = sa.Table(
    "sealed_values",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("app_id"),
    columns.text("digest"),
    columns.text("key_id"),
    columns.blob("body"),  # msgpack of tuple[wire.agent.SealedValue]
    columns.tenant_key("app_id", "digest", "key_id"),
    columns.of_app(),
)

tasks = sa.Table(
    "tasks",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident(),
    columns.ident("app_id"),
    columns.ident("project_id"),
    columns.ident("cluster_id"),
    columns.text("kind"),
    columns.number("generation"),
    columns.text("digest", default=""),
    columns.text("commit", default=""),
    columns.blob("payload"),  # msgpack of wire.agent.Task, unsigned
    columns.text("actor"),
    columns.text("trigger"),
    columns.text("state", default="queued"),  # queued, leased, done
    columns.ident("leased_by", null=True),
    columns.time("leased_until"),
    columns.number("attempts"),
    columns.text("phase", default=""),
    columns.text("outcome", default=""),
    columns.text("message", default=""),
    columns.blob("results", null=True),  # JSON lines of wire.agent.ObjectResult
    columns.blob("live", null=True),
    columns.time("created_at", null=False, now=True),
    columns.time("started_at"),
    columns.time("finished_at"),
    columns.tenant_key("id"),
    columns.of_app(),
    sa.Index("ix_tasks_open", "cluster_id", "created_at", postgresql_where=sa.text("state <> 'done'")),
    sa.Index("ix_tasks_tenant_id_app_id_generation", "tenant_id", "app_id", "generation"),
)

history = sa.Table(
    "history",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("app_id"),
    columns.number("number"),
    columns.ident("task_id"),
    columns.text("digest"),
    columns.text("commit"),
    columns.text("actor"),
    columns.text("trigger"),
    columns.time("started_at", null=False),
    columns.time("finished_at", null=False),
    columns.time("healthy_at"),  # when it was first seen Synced and Healthy
    columns.tenant_key("app_id", "number"),
    columns.of_app(),
)

policy_sets = sa.Table(
    "policy_sets",
    METADATA,
    columns.ident("tenant_id"),  # NIL: holds for every tenant
    columns.ident(),
    *columns.document(),
    columns.text("digest"),
    columns.json("files"),  # tests too
    columns.json("origin", null=True),  # domain.judging.origins.Origin
    columns.ident("project_id", null=True),  # spec.source.project
    columns.text("source_url", default=""),  # spec.source.repoURL, as repositories are looked up
    columns.text("seen", default=""),  # the source's last commit that was looked at, in force or refused
    columns.json("problem", null=True),
    columns.tenant_key("id"),
    sa.UniqueConstraint("tenant_id", "name"),
    columns.in_project(),
)

idempotency = sa.Table(
    "idempotency",
    METADATA,
    columns.ident("tenant_id"),
    columns.ident("principal_id"),
    columns.text("key"),
    columns.text("request"),  # digest of method, path and body
    columns.number("status"),
    columns.blob("body"),
    columns.time("created_at", null=False, now=True),
    columns.tenant_key("principal_id", "key"),
)
