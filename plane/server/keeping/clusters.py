"""Clusters: the platform's, shared out to tenants by grants, or a tenant's own; joined by one-time tokens, revoked at once."""

import datetime as dt

import msgspec

from plane.domain import access, errors, fleet
from plane.domain.auditing import cluster_details
from plane.domain.permitting import certificates, quotas, sharing
from plane.server import abilities, authorise, context, record
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store import engine
from plane.store.attending import agents, clusters
from plane.store.delivering import facts, usage
from plane.store.showing import views
from plane.wire import documents, rest

JOIN_TTL = dt.timedelta(minutes=15)


def read(row: rows.Row, names: authorise.Names) -> documents.Cluster:
    """From a row; inside a tenant the grants of others on a cluster of the platform's are left out."""
    spec, shared = msgspec.convert(row.spec, fleet.ClusterSpec), bool(names.tenant) and row.tenant_id == access.PLATFORM_TENANT
    if shared:
        spec = fleet.ClusterSpec(labels=spec.labels, grants=(facts.grant(row, names.tenant),))
    seen = facts.stamp(row.last_seen_at)
    status = documents.ClusterStatus(
        **generic.common(row),
        last_seen=seen,
        agent=row.agent_id or "",
        agent_version=row.agent_version or "",
        kube_version=row.kube_version,
        granted=tuple(row.namespaces or ()),
        connection=_connection(row),
        trouble=row.quarantine or row.trouble or "",
        keys_since=facts.stamp(row.keyed_at),
        generation=row.generation or 0,
        nodes=row.nodes,
        capabilities=tuple(row.knows),
        lag_ms=row.lag_ms or 0,
        join_refused_at="" if shared else facts.stamp(row.join_refused_at),
        rotation_asked_at=facts.stamp(row.rotation_asked_at),
    )
    meta = generic.metadata(row, names, level=0 if shared else 1)
    return documents.Cluster(api_version=documents.API_VERSION, metadata=meta, spec=spec, status=status)


def _connection(row: rows.Row) -> documents.Connection:
    if row.agent_id is None:
        return "never-joined"
    if row.revoked_at:
        return "revoked"
    if row.quarantine:
        return "quarantined"
    return "connected" if row.fresh else "offline"


def _columns(change: generic.Change) -> generic.Columns:
    """Every tenant that is named must be there, and no grant by label may give two tenants one namespace."""
    grants, known = change.wish.spec.grants, _tenants(change)
    names = {one.name for one in known.values()}
    problems = {f"spec.{path}": rule for path, rule in sharing.problems(grants).items()}
    problems |= {
        f"spec.grants[{n}].tenant": f"there is no tenant {one.tenant!r}" for n, one in enumerate(grants) if {one.tenant} - names - {""}
    }
    mine = clusters.owners(change.place.tx, change.wish.metadata.name)
    problems |= {
        f"spec.grants[{n}].tenant": f"tenant {one.tenant} has a cluster of its own by that name; give this one another name"
        for n, one in enumerate(grants)
        if one.tenant in {known[owner].name for owner in mine}
    }
    found = sharing.clash(grants, known.values()) if not problems else None
    if problems or found:
        raise errors.Invalid(problems or {"spec.grants": str(found)})
    return _stored(change)


def _stored(change: generic.Change) -> generic.Columns:
    wanted = change.wish.spec.agent_certificate
    if rule := certificates.problem(wanted):
        raise errors.Invalid({"spec.agentCertificate": rule})
    return {**generic.spec_only(change), "agent_certificate": wanted}


def _tenants(change: generic.Change) -> dict[str, sharing.Tenant]:
    clusters.granting(change.place.tx)
    return clusters.tenants(change.place.tx)


def _settle(change: generic.Change) -> None:
    """Write the grants; each tenant's apps are tied or untied in a transaction of that tenant, begun when this one is through."""
    known = _reachable(change.place.tx, change.place.names.name, _tenants(change))
    given = {tenant: sharing.awarded(change.wish.spec.grants, one) for tenant, one in known.items()}
    clusters.grant(change.place.tx, change.id, {tenant: grant for tenant, grant in given.items() if grant})


def _reachable(tx: engine.Tx, name: str, known: dict[str, sharing.Tenant]) -> dict[str, sharing.Tenant]:
    """Without those who have a cluster of their own by that name, which is the one that they mean."""
    mine = clusters.owners(tx, name)
    return {tenant: one for tenant, one in known.items() if tenant not in mine}


def release(change: generic.Change) -> None:
    with engine.dispatch(change.plane.engine) as tx:
        left = clusters.apps_on(tx, change.id)
    if left:
        message = f"cluster {change.place.names.name!r} still runs {left} apps; delete them or give them another destination first"
        raise errors.Conflict(message)
    clusters.revoke(change.place.tx, change.id, change.plane.clock.now())


def _tie(change: generic.Change) -> None:
    """Tie or untie the apps of tenants whose grant changed, a transaction in each; what a crash leaves, a refresh ties."""
    before = read(change.before, authorise.Names()).spec if change.before else fleet.ClusterSpec()
    after = change.wish.spec if change.wish else fleet.ClusterSpec()
    with engine.begin(change.plane.engine, change.place.scope) as tx:
        known = _reachable(tx, change.place.names.name, clusters.tenants(tx))
    for tenant, one in known.items():
        was, is_ = sharing.awarded(before.grants, one), sharing.awarded(after.grants, one)
        if was != is_ or (is_ and before.labels != after.labels):  # what policies of all who may use it may ask for
            _link(change, tenant, (change.id, change.place.names.name), was=was, now=is_)


def _link(change: generic.Change, tenant: str, cluster: tuple[str, str], *, was: fleet.Grant | None, now: fleet.Grant | None) -> None:
    """In the tenant's own transaction, and told in its own log."""
    scope = msgspec.structs.replace(change.place.scope, tenant=tenant)
    with engine.begin(change.plane.engine, scope) as tx:
        clusters.link(tx, tenant, cluster, granted=now is not None, now=change.plane.clock.now())
        if was == now:
            return
        about = record.Facts(target=f"cluster/{cluster[1]}", cluster=cluster[1])
        if now is None:
            record.append(change.plane, tx, scope, "cluster.withdrawn", **about)
            return
        told = cluster_details.Granted(namespaces=now.namespaces, cluster_kinds=now.cluster_kinds, projects=now.projects)
        record.append(change.plane, tx, scope, "cluster.granted", details=told, **about)


def settle_tenant(change: generic.Change) -> None:
    """A tenant is new, or has other labels: what clusters grant by label."""
    clusters.granting(change.place.tx)
    known = clusters.tenants(change.place.tx)
    for cluster in clusters.by_label(change.place.tx):
        if found := sharing.clash(cluster.grants, known.values()):
            raise errors.Invalid({"metadata.labels": f"would let cluster {cluster.name} grant what it must not: it {found}"})
        if change.id in _reachable(change.place.tx, cluster.name, known):
            clusters.grant_one(change.place.tx, cluster.id, change.id, sharing.awarded(cluster.grants, known[change.id]))


def tie_tenant(change: generic.Change) -> None:
    """The tenant's apps after that; a new one has none."""
    if change.before is None or change.wish is None or change.before.labels == change.wish.metadata.labels:
        return
    name = change.wish.metadata.name
    was, is_ = (sharing.Tenant(name, labels) for labels in (change.before.labels, change.wish.metadata.labels))
    with engine.begin(change.plane.engine, change.place.scope) as tx:
        shared = [one for one in clusters.by_label(tx) if change.id not in clusters.owners(tx, one.name)]
    for one in shared:
        before, after = sharing.awarded(one.grants, was), sharing.awarded(one.grants, is_)
        if before != after:
            _link(change, change.id, (one.id, one.name), was=before, now=after)


KIND = generic.Kind(
    type=documents.Cluster,
    noun="cluster",
    plural="clusters",
    level=0,
    shelf=views.CLUSTERS,
    read=read,
    columns=_columns,
    settle=_settle,
    release=release,
    afterwards=_tie,
)


def owned(names: authorise.Names) -> generic.Kind:
    """The kind of a cluster that the names speak of: the tenant's own, or the platform's."""
    return OWN if names.tenant else KIND


def _own_columns(change: generic.Change) -> generic.Columns:
    """Nobody else may use it."""
    spec, place = change.wish.spec, change.place
    problems = {f"spec.{path}": rule for path, rule in sharing.problems(spec.grants).items()}
    if any(one.tenant != place.names.tenant for one in spec.grants):
        problems["spec.grants"] = f"a tenant's own cluster is for the tenant alone; name {place.names.tenant}, or leave the grants out"
    if problems:
        raise errors.Invalid(problems)
    if change.before is None:
        _room_for_one(place, change.wish.metadata.name)
    return _stored(change)


def _room_for_one(place: authorise.Place, name: str) -> None:
    if clusters.granted_name(place.tx, place.scope.tenant, name):
        message = f"cluster {name!r} is the platform's, which granted you a part of it; give your own another name"
        raise errors.Conflict(message)
    quota = usage.above(place.tx, place.scope.tenant).quotas.clusters
    if quota is not None and (why := quotas.exceeded("clusters", quota=quota, used=usage.clusters(place.tx, place.scope.tenant))):
        raise quotas.QuotaExceeded(why, quota="clusters")


def _own_settle(change: generic.Change) -> None:
    """Grant it to its owner, whole unless the owner says less, and tie the apps that name it."""
    tx, tenant, name = change.place.tx, change.place.scope.tenant, change.place.names.name
    given = next(iter(change.wish.spec.grants), fleet.Grant(change.place.names.tenant, ("*",), ("*",)))
    clusters.grant_one(tx, change.id, tenant, given, owner=tenant)
    clusters.link(tx, tenant, (change.id, name), granted=True, now=change.plane.clock.now())


OWN = generic.Kind(
    type=documents.Cluster,
    noun="cluster",
    plural="clusters",
    level=1,
    shelf=views.CLUSTERS,
    read=read,
    columns=_own_columns,
    settle=_own_settle,
    release=release,
)


def page_for(plane: context.Plane, caller: authorise.Caller, names: authorise.Names, query: rest.PageQuery) -> rest.Page[documents.Cluster]:
    """The clusters a tenant may use."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "tenant:get") as place:
        shelf = views.granted(place.scope.tenant)
        found = rows.page(place.tx, shelf, {}, generic.wanted(query))
    return rest.page([read(row, names) for row in found], query.limit, key=lambda each: each.metadata.name)


def get_for(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Cluster:
    """One of them."""
    with authorise.enter(plane, caller, authorise.Names(names.tenant), "tenant:get") as place:
        row = rows.find(place.tx, views.granted(place.scope.tenant), {}, names.name)
        if row is None:
            raise errors.NotFound("cluster", names.name)
        return read(row, names)


def join(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> rest.JoinToken:
    """A token for one enrolment within 15 minutes; its hash alone is kept."""
    token, expires = authorise.new_secret("join"), plane.clock.now() + JOIN_TTL
    with authorise.enter(plane, caller, owned(names).parent(names), "cluster:join") as place:
        row = generic.existing(owned(names), place)
        clusters.add_join_token(place.tx, hashed=authorise.hashed(token), cluster_id=row.id, created_by=caller.actor.id, expires_at=expires)
        record.append(plane, place.tx, place.scope, "cluster.join-token.issued", target=f"cluster/{names.name}", cluster=names.name)
    return rest.JoinToken(cluster=names.name, token=token, expires_at=facts.stamp(expires))


def revoke(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Cluster:
    """Shut the agent out: its next request is refused, its waiting one is woken to be."""
    with authorise.enter(plane, caller, owned(names).parent(names), "cluster:revoke") as place:
        row = generic.existing(owned(names), place)
        if not clusters.revoke(place.tx, row.id, plane.clock.now()):
            message = f"cluster {names.name!r} has no active agent; there is nothing to revoke"
            raise errors.Conflict(message)
        record.append(plane, place.tx, place.scope, "agent.revoked", target=f"cluster/{names.name}", cluster=names.name)
        return place.done(read(generic.existing(owned(names), place), names))


def rotate(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Cluster:
    """Ask the cluster's agent to take new keys; it hears of it at once, or when it is back."""
    with authorise.enter(plane, caller, owned(names).parent(names), "cluster:rotate") as place:
        row = generic.existing(owned(names), place)
        abilities.check(clusters.capabilities(place.tx, row.id), "rotate", cluster=names.name, version=row.agent_version or "")
        if not agents.ask_rotation(place.tx, row.id, plane.clock.now()):
            message = f"cluster {names.name!r} has no active agent; let one in with `plane cluster join {names.name}`"
            raise errors.Conflict(message)
        record.append(plane, place.tx, place.scope, "agent.rotation.asked", target=f"cluster/{names.name}", cluster=names.name)
        return place.done(read(generic.existing(owned(names), place), names))
