"""All that delivering needs to know of a tenant's apps, in a handful of statements however many apps."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from plane.domain import apps as domain
from plane.domain import fleet, tenancy
from plane.domain.deciding import decide
from plane.domain.judging import policy
from plane.domain.permitting import quotas
from plane.store.delivering import further_sources, project_rules, usage
from plane.store.engine import Row, Tx
from plane.store.layout import columns, tables

APPS, STATES, REPOS = tables.apps, tables.app_states, tables.repositories
PROJECTS, RELEASES, SEALED = tables.projects, tables.releases, tables.sealed_values
CLUSTERS, GRANTS, AGENTS = tables.clusters, tables.cluster_grants, tables.agents


class Repository(msgspec.Struct, frozen=True):
    """Where to fetch from. `problem`: what the last look said, if it failed."""

    id: str
    name: str
    url: str
    credential: str
    ca_pem: str
    problem: decide.Problem | None
    quota_bytes: int | None = None  # what the tenant may have of one mirror


class Cluster(msgspec.Struct, frozen=True):
    """Where to send to. `agent_key` is the X25519 public key to seal to; empty without an active agent."""

    id: str
    name: str
    labels: dict[str, str]
    kube_version: str
    capabilities: bytes
    grant: fleet.Grant
    joined: bool
    revoked: bool
    last_seen: str
    seen: float | None  # the same in Unix seconds
    agent_key: bytes
    agent_key_id: str
    agent_version: str = ""
    trouble: str = ""  # why the agent takes no tasks now
    room: int | None = None  # objects that the tenant may still have there; None: any number


class Current(msgspec.Struct, frozen=True):
    """The newest release: `sealed_for` are the agent keys its secret values are sealed to (empty: it has none)."""

    id: str
    key: str
    digest: str
    commit: str
    verdict: policy.Verdict
    objects: int
    volatile: bool
    sealed_for: tuple[str, ...]


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One app with everything around it."""

    id: str
    name: str
    labels: dict[str, str]
    tenant_id: str
    tenant: str
    project_id: str
    project: str
    rules: tenancy.ProjectSpec
    spec: domain.AppSpec
    version: int
    hard: bool
    deleting: bool
    failures: int
    roots: tuple[str, ...]  # of the first source
    fingerprint_key: bytes  # wrapped
    repositories: dict[int, Repository]  # by the number of the source, without those that are not registered
    cluster: Cluster | None
    current: Current | None
    problem: decide.Problem | None
    request: decide.Request | None
    reported: str = ""  # digest of the release that the agent keeps
    room: int | None = None  # objects that the tenant may still have, without this app's; None: any number
    room_there: int | None = None  # the same of its part of the cluster


class Names(msgspec.Struct, frozen=True):
    """The tenant and its projects by id."""

    tenant_id: str
    tenant: str
    projects: dict[str, tuple[str, bytes, tenancy.ProjectSpec]]  # name, wrapped fingerprint key, rules
    room: int | None = None  # objects that the tenant may still have
    quota: quotas.Quotas = quotas.Quotas()


def load(tx: Tx, tenant: str, ids: Sequence[str]) -> tuple[App, ...]:
    """The apps, without those deleted from the table meanwhile."""
    rows = tx.execute(_APPS, {"tenant": tenant, "ids": list(ids)}).all()
    names = _names(tx, tenant, {row.project_id for row in rows})
    places = _roomy(tx, tenant, clusters(tx, tenant, {row.cluster_id for row in rows if row.cluster_id}))
    tied = {row.id: {0: row.repository_id} if row.repository_id else {} for row in rows}
    several = [row.id for row in rows if len(row.spec.get("sources", ())) > 1]
    for app, further in (further_sources.repositories(tx, tenant, several) if several else {}).items():
        tied[app] |= further
    repositories = _repositories(tx, names, {found for each in tied.values() for found in each.values()})
    newest = _releases(tx, tenant, [row.release_id for row in rows if row.release_id])
    return tuple(_app(row, names, places, {n: repositories[at] for n, at in tied[row.id].items()}, newest) for row in rows)


_APPS = sa.select(
    APPS.c.id, APPS.c.name, APPS.c.labels, APPS.c.project_id, APPS.c.spec, APPS.c.version, APPS.c.hard, APPS.c.deleted_at, APPS.c.failures,
    APPS.c.roots, APPS.c.repository_id, APPS.c.cluster_id, APPS.c.request, STATES.c.release_id, STATES.c.problem,
    STATES.c.reported,
).select_from(
    APPS.outerjoin(STATES, sa.and_(STATES.c.tenant_id == APPS.c.tenant_id, STATES.c.app_id == APPS.c.id))
).where(APPS.c.tenant_id == sa.bindparam("tenant"), columns.among(APPS.c.id, "ids"))  # fmt: skip


def _app(row: Row, names: Names, places: dict[str, Cluster], sources: dict[int, Repository], newest: dict[str, Current]) -> App:
    project, key, rules = names.projects[row.project_id]
    current, place = newest.get(row.release_id or ""), places.get(row.cluster_id or "")
    own = current.objects if current else 0
    return App(
        id=row.id,
        name=row.name,
        labels=row.labels,
        tenant_id=names.tenant_id,
        tenant=names.tenant,
        project_id=row.project_id,
        project=project,
        rules=rules,
        spec=msgspec.convert(row.spec, domain.AppSpec),
        version=row.version,
        hard=row.hard,
        deleting=row.deleted_at is not None,
        failures=row.failures,
        roots=tuple(row.roots),
        fingerprint_key=key,
        repositories=sources,
        cluster=place,
        current=current,
        problem=row.problem and msgspec.convert(row.problem, decide.Problem),
        request=row.request and msgspec.convert(row.request, decide.Request),
        reported=row.reported or "",
        room=None if names.room is None else names.room + own,
        room_there=None if place is None or place.room is None else place.room + own,
    )


def _names(tx: Tx, tenant: str, projects: set[str]) -> Names:
    name = tx.execute(_TENANT, {"tenant": tenant}).scalar_one()
    rows = tx.execute(_PROJECTS, {"tenant": tenant, "ids": list(projects)})
    rules, quota = project_rules.of(tx, tenant, projects), usage.above(tx, tenant).quotas
    room = None if quota.objects is None else quota.objects - usage.objects(tx, tenant)
    return Names(tenant, name, {row.id: (row.name, bytes(row.fingerprint_key), rules[row.id]) for row in rows}, room, quota)


_TENANT = sa.select(tables.tenants.c.name).where(tables.tenants.c.id == sa.bindparam("tenant"))
_PROJECTS = sa.select(PROJECTS.c.id, PROJECTS.c.name, PROJECTS.c.fingerprint_key).where(
    PROJECTS.c.tenant_id == sa.bindparam("tenant"), columns.among(PROJECTS.c.id, "ids")
)


def clusters(tx: Tx, tenant: str, ids: set[str]) -> dict[str, Cluster]:
    """The tenant's clusters by id, with its grant and the active agent."""
    return {row.id: _cluster(row, tenant) for row in tx.execute(_CLUSTERS, {"tenant": tenant, "ids": list(ids)})}


def _roomy(tx: Tx, tenant: str, places: dict[str, Cluster]) -> dict[str, Cluster]:
    """With the room that is left where a grant bounds it."""
    bounds = {id_: most for id_, place in places.items() if (most := place.grant.capacity.objects) is not None}
    used = usage.objects_on(tx, tenant, bounds) if bounds else {}
    return places | {id_: msgspec.structs.replace(places[id_], room=most - used.get(id_, 0)) for id_, most in bounds.items()}


_ACTIVE = sa.and_(AGENTS.c.cluster_id == CLUSTERS.c.id, AGENTS.c.revoked_at.is_(None))
_BEFORE = AGENTS.alias()
_EVER = sa.exists().where(_BEFORE.c.cluster_id == CLUSTERS.c.id)
_CLUSTERS = (
    sa.select(
        CLUSTERS,
        GRANTS.c.namespaces,
        GRANTS.c.cluster_kinds,
        GRANTS.c.limits,
        AGENTS.c.sealing_key,
        AGENTS.c.sealing_key_id,
        AGENTS.c.last_seen_at,
        AGENTS.c.agent_version,
        AGENTS.c.trouble,
        _EVER.label("ever"),
    )
    .select_from(CLUSTERS.join(GRANTS, GRANTS.c.cluster_id == CLUSTERS.c.id).outerjoin(AGENTS, _ACTIVE))
    .where(GRANTS.c.tenant_id == sa.bindparam("tenant"), columns.among(CLUSTERS.c.id, "ids"))
)


def _cluster(row: Row, tenant: str) -> Cluster:
    spec = msgspec.convert(row.spec, fleet.ClusterSpec)
    return Cluster(
        id=row.id,
        name=row.name,
        labels=spec.labels,
        kube_version=row.kube_version,
        capabilities=bytes(row.capabilities or b""),
        grant=grant(row, tenant),
        joined=row.ever,
        revoked=row.ever and row.sealing_key is None,
        last_seen=stamp(row.last_seen_at),
        seen=row.last_seen_at.timestamp() if row.last_seen_at else None,
        agent_key=bytes(row.sealing_key or b""),
        agent_key_id=row.sealing_key_id or "",
        agent_version=row.agent_version or "",
        trouble=row.trouble or "",
    )


def grant(row: Row, tenant: str) -> fleet.Grant:
    """A tenant's, from a row with its namespaces, kinds and limits."""
    limits = msgspec.convert(row.limits, fleet.Limits)
    return fleet.Grant(tenant, tuple(row.namespaces), tuple(row.cluster_kinds), limits.projects, limits.capacity)


def _repositories(tx: Tx, names: Names, ids: set[str]) -> dict[str, Repository]:
    rows = tx.execute(_REPOSITORIES, {"tenant": names.tenant_id, "ids": list(ids)})
    return {row.id: repository(row, names.quota) for row in rows}


_REPOSITORIES = sa.select(REPOS.c.id, REPOS.c.name, REPOS.c.url, REPOS.c.spec, REPOS.c.problem).where(
    REPOS.c.tenant_id == sa.bindparam("tenant"), columns.among(REPOS.c.id, "ids")
)


def repository(row: Row, quota: quotas.Quotas) -> Repository:
    """From a row with id, name, url, spec and problem."""
    problem = row.problem and msgspec.convert(row.problem, decide.Problem)
    url, credential, ca_pem = row.spec.get("url", row.url), row.spec.get("credential", ""), row.spec.get("caPem", "")
    return Repository(row.id, row.name, url, credential, ca_pem, problem, quota.repository_bytes())


def _releases(tx: Tx, tenant: str, ids: list[str]) -> dict[str, Current]:
    rows = tx.execute(_RELEASES, {"tenant": tenant, "ids": ids})
    return {
        row.id: Current(
            id=row.id,
            key=row.key,
            digest=row.digest,
            commit=row.commit,
            verdict=msgspec.convert(row.verdict, policy.Verdict),
            objects=row.objects,
            volatile=row.volatile,
            sealed_for=tuple(row.keys or ()),
        )
        for row in rows
    }


_RELEASES = sa.select(
    RELEASES,
    sa.select(sa.func.array_agg(SEALED.c.key_id))
    .where(SEALED.c.tenant_id == RELEASES.c.tenant_id, SEALED.c.app_id == RELEASES.c.app_id, SEALED.c.digest == RELEASES.c.digest)
    .scalar_subquery()
    .label("keys"),
).where(RELEASES.c.tenant_id == sa.bindparam("tenant"), columns.among(RELEASES.c.id, "ids"))


def stamp(at: dt.datetime | None) -> str:
    """RFC 3339 to the second, or empty."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""
