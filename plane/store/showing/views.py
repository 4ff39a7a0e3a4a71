"""Documents whose status lies in other tables: apps with their state, clusters with their agent."""

import datetime as dt

import sqlalchemy as sa

from plane.domain.deciding import explanation
from plane.store import documents
from plane.store.layout import tables

_APPS, _STATES = tables.apps, tables.app_states
_STATE = sa.and_(_STATES.c.tenant_id == _APPS.c.tenant_id, _STATES.c.app_id == _APPS.c.id)
_APP = (
    *(
        _APPS.c[name]
        for name in ("id", "name", "spec", "labels", "version", "created_at", "updated_at", "deleted_at", "request", "generation")
    ),
    *(_APPS.c[name] for name in ("tenant_id", "project_id", "cluster_id", "repository_id", "approved")),
    *(
        _STATES.c[name]
        for name in ("sync", "health", "message", "commit", "digest", "decision", "problem", "attempt", "reported_at", "healthy_at")
    ),
    sa.func.coalesce(_STATES.c.since, _STATES.c.updated_at).label("since"),
    _APPS.c.hold,
    tables.projects.c.hold.label("project_hold"),
    sa.func.jsonb_extract_path_text(
        tables.projects.c.orphans,
        "found",
        _APPS.c.spec["destination"]["cluster"].astext + "/" + sa.func.coalesce(_APPS.c.spec["destination"]["namespace"].astext, ""),
    ).label("orphans"),
    tables.projects.c.orphans["at"].astext.label("orphans_at"),
    tables.projects.c.spec["orphanedResources"].label("watched"),
)
_PROJECT = sa.and_(tables.projects.c.tenant_id == _APPS.c.tenant_id, tables.projects.c.id == _APPS.c.project_id)
_JOINED = sa.select(*_APP).select_from(_APPS.join(tables.projects, _PROJECT).outerjoin(_STATES, _STATE))
APPS = documents.Shelf(_APPS, _JOINED, _JOINED)

_CLUSTERS, _AGENTS, _GRANTS, _JOINS = tables.clusters, tables.agents, tables.cluster_grants, tables.join_tokens
_LATEST = (
    sa.select(_AGENTS)
    .where(_AGENTS.c.cluster_id == _CLUSTERS.c.id)
    .order_by(_AGENTS.c.revoked_at.is_(None).desc(), _AGENTS.c.enrolled_at.desc())
    .limit(1)
    .lateral("agent")
)
_TRIED = sa.select(sa.func.max(_JOINS.c.refused_at)).where(_JOINS.c.cluster_id == _CLUSTERS.c.id).scalar_subquery()
_CLUSTER = (
    *(_CLUSTERS.c[name] for name in ("tenant_id", "id", "name", "spec", "labels", "version", "created_at", "updated_at")),
    *(_CLUSTERS.c[name] for name in ("kube_version", "nodes", "knows", "agent_certificate")),
    *(
        _LATEST.c[name]
        for name in (
            "agent_version",
            "last_seen_at",
            "revoked_at",
            "trouble",
            "rotation_asked_at",
            "keyed_at",
            "generation",
            "lag_ms",
            "quarantine",
        )
    ),
    _LATEST.c.id.label("agent_id"),
    _TRIED.label("join_refused_at"),
    (_LATEST.c.last_seen_at > sa.func.now() - dt.timedelta(seconds=explanation.AWAY_S)).label("fresh"),
)
_SEEN = _CLUSTERS.outerjoin(_LATEST, sa.true())
_FLEET = sa.select(*_CLUSTER, sa.literal(None).label("namespaces")).select_from(_SEEN)
CLUSTERS = documents.Shelf(_CLUSTERS, _FLEET, _FLEET)


def granted(tenant: str) -> documents.Shelf:
    """The clusters a tenant may use, its own and those it was granted a part of."""
    mine = sa.and_(_GRANTS.c.cluster_id == _CLUSTERS.c.id, _GRANTS.c.tenant_id == tenant)
    query = sa.select(*_CLUSTER, _GRANTS.c.namespaces, _GRANTS.c.cluster_kinds, _GRANTS.c.limits).select_from(_SEEN.join(_GRANTS, mine))
    return documents.Shelf(_CLUSTERS, query, query)
