"""Clusters: the platform's, shared out to tenants by grants; joined by one-time tokens, revoked at once."""

import datetime as dt

import msgspec

from plane.domain import errors, fleet
from plane.server import abilities, authorise, context, record
from plane.server import documents as generic
from plane.store import documents as rows
from plane.store import engine
from plane.store.attending import agents, clusters
from plane.store.delivering import facts
from plane.store.showing import views
from plane.wire import documents, rest

JOIN_TTL = dt.timedelta(minutes=15)


def read(row: rows.Row, names: authorise.Names) -> documents.Cluster:
    """From a row; inside a tenant the grants of others are left out."""
    spec = msgspec.convert(row.spec, fleet.ClusterSpec)
    if names.tenant:
        spec = fleet.ClusterSpec(labels=spec.labels, grants=tuple(each for each in spec.grants if each.tenant == names.tenant))
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
        lag_ms=row.lag_ms or 0,
        join_refused_at="" if names.tenant else facts.stamp(row.join_refused_at),
        rotation_asked_at=facts.stamp(row.rotation_asked_at),
    )
    return documents.Cluster(api_version=documents.API_VERSION, metadata=generic.metadata(row, names, level=0), spec=spec, status=status)


def _connection(row: rows.Row) -> documents.Connection:
    if row.agent_id is None:
        return "never-joined"
    if row.revoked_at:
        return "revoked"
    if row.quarantine:
        return "quarantined"
    return "connected" if row.fresh else "offline"


def _columns(change: generic.Change) -> generic.Columns:
    """Every granted tenant must be there, once."""
    grants = change.wish.spec.grants
    known = clusters.tenants(change.place.tx, [grant.tenant for grant in grants])
    problems = {
        f"spec.grants[{n}].tenant": f"there is no tenant {grant.tenant!r}" for n, grant in enumerate(grants) if grant.tenant not in known
    }
    problems |= {
        f"spec.grants[{n}].namespaces": "name at least one glob of namespaces" for n, grant in enumerate(grants) if not grant.namespaces
    }
    if len({grant.tenant for grant in grants}) < len(grants):
        problems["spec.grants"] = "a tenant may be named once; put its namespaces into one grant"
    if problems:
        raise errors.Invalid(problems)
    return generic.spec_only(change)


def _settle(change: generic.Change) -> None:
    """Write the grants; each tenant's apps are tied or untied in a transaction of that tenant, begun when this one is through."""
    wanted = change.wish.spec.grants
    known = clusters.tenants(change.place.tx, [grant.tenant for grant in wanted])
    clusters.grant(change.place.tx, change.id, {known[grant.tenant]: grant for grant in wanted})


def _release(change: generic.Change) -> None:
    with engine.dispatch(change.plane.engine) as tx:
        left = clusters.apps_on(tx, change.id)
    if left:
        message = f"cluster {change.place.names.name!r} still runs {left} apps; delete them or give them another destination first"
        raise errors.Conflict(message)


def _tie(change: generic.Change) -> None:
    """Tie or untie the apps of tenants whose grant changed, a transaction in each; what a crash leaves, a refresh ties."""
    before = read(change.before, authorise.Names()).spec if change.before else fleet.ClusterSpec()
    after = change.wish.spec if change.wish else fleet.ClusterSpec()
    granted = {grant.tenant for grant in after.grants}
    for name in sorted(_concerned(before, after)):
        tenant, _ = authorise.locate(change.plane, change.place.scope.actor, authorise.Names(name))
        with engine.begin(change.plane.engine, msgspec.structs.replace(change.place.scope, tenant=tenant)) as tx:
            clusters.link(tx, tenant, (change.id, change.place.names.name), granted=name in granted, now=change.plane.clock.now())


def _concerned(before: fleet.ClusterSpec, after: fleet.ClusterSpec) -> set[str]:
    """Tenants whose apps the change can touch: labels are what policies of all of them may ask for, a grant is one tenant's."""
    if before.labels != after.labels:
        return {grant.tenant for grant in (*before.grants, *after.grants)}
    return {grant.tenant for grant in {*before.grants} ^ {*after.grants}}


KIND = generic.Kind(
    type=documents.Cluster,
    noun="cluster",
    plural="clusters",
    level=0,
    shelf=views.CLUSTERS,
    read=read,
    columns=_columns,
    settle=_settle,
    release=_release,
    afterwards=_tie,
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
    with authorise.enter(plane, caller, KIND.parent(names), "cluster:join") as place:
        row = generic.existing(KIND, place)
        clusters.add_join_token(place.tx, hashed=authorise.hashed(token), cluster_id=row.id, created_by=caller.actor.id, expires_at=expires)
        record.append(plane, place.tx, place.scope, "cluster.join-token.issued", target=f"cluster/{names.name}", cluster=names.name)
    return rest.JoinToken(cluster=names.name, token=token, expires_at=facts.stamp(expires))


def revoke(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Cluster:
    """Shut the agent out: its next request is refused, its waiting one is woken to be."""
    with authorise.enter(plane, caller, KIND.parent(names), "cluster:revoke") as place:
        row = generic.existing(KIND, place)
        if not clusters.revoke(place.tx, row.id, plane.clock.now()):
            message = f"cluster {names.name!r} has no active agent; there is nothing to revoke"
            raise errors.Conflict(message)
        record.append(plane, place.tx, place.scope, "agent.revoked", target=f"cluster/{names.name}", cluster=names.name)
        return place.done(read(generic.existing(KIND, place), names))


def rotate(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Cluster:
    """Ask the cluster's agent to take new keys; it hears of it at once, or when it is back."""
    with authorise.enter(plane, caller, KIND.parent(names), "cluster:rotate") as place:
        row = generic.existing(KIND, place)
        abilities.check(clusters.capabilities(place.tx, row.id), "rotate", cluster=names.name, version=row.agent_version or "")
        if not agents.ask_rotation(place.tx, row.id, plane.clock.now()):
            message = f"cluster {names.name!r} has no active agent; let one in with `plane cluster join {names.name}`"
            raise errors.Conflict(message)
        record.append(plane, place.tx, place.scope, "agent.rotation.asked", target=f"cluster/{names.name}", cluster=names.name)
        return place.done(read(generic.existing(KIND, place), names))
