"""Tenants: made by the platform, seen by their own people."""

import msgspec

from plane.domain import access, errors, tenancy
from plane.domain.permitting import quotas
from plane.server import authorise, context
from plane.server import documents as generic
from plane.server.keeping import clusters
from plane.store import documents as rows
from plane.store import engine
from plane.store.attending import clusters as own
from plane.store.attending import health_checks
from plane.store.auditing import sinks
from plane.store.delivering import duties, usage
from plane.store.layout import tables
from plane.store.people import people, providers, trusts
from plane.wire import documents, rest


def read(row: rows.Row, names: authorise.Names) -> documents.Tenant:
    """From a row."""
    return documents.Tenant(
        api_version=documents.API_VERSION,
        metadata=generic.metadata(row, names, level=0),
        spec=msgspec.convert(row.spec, tenancy.TenantSpec),
        status=documents.TenantStatus(**generic.common(row)),
    )


def _columns(change: generic.Change) -> generic.Columns:
    if problems := tenancy.check_tenant(change.wish.spec):
        raise errors.Invalid(problems)
    return {**generic.spec_only(change), "weight": change.wish.spec.weight}


def _release(change: generic.Change) -> None:
    """The platform sees no tenant's rows, but the dispatch role sees how many there are."""
    with engine.dispatch(change.plane.engine) as tx:
        left = rows.count(tx, tables.projects, {"tenant_id": change.id})
    if left:
        message = f"tenant {change.place.names.name!r} still has projects ({left}); delete them first"
        raise errors.Conflict(message)
    people.forget_tenant(change.place.tx, change.id)
    health_checks.forget(change.place.tx, change.id)
    sinks.forget(change.place.tx, change.id)
    providers.forget(change.place.tx, change.id)
    trusts.forget(change.place.tx, change.id)
    own.forget(change.place.tx, change.id)


def _look_again(change: generic.Change) -> None:
    """Windows and freezes hold for every app; the platform sees none of them, so the tenant's own scope is entered."""
    clusters.tie_tenant(change)
    if change.before:
        with engine.begin(change.plane.engine, access.Scope(change.id, access.SYSTEM)) as tx:
            duties.all_of_tenant(tx, change.id, change.plane.clock.now())


KIND = generic.Kind(
    type=documents.Tenant,
    noun="tenant",
    plural="tenants",
    level=0,
    shelf=rows.TENANTS,
    read=read,
    columns=_columns,
    settle=clusters.settle_tenant,
    release=_release,
    afterwards=_look_again,
)


def page(plane: context.Plane, caller: authorise.Caller, query: rest.PageQuery) -> rest.Page[documents.Tenant]:
    """All tenants for the platform's people; for others those in which they have a role."""
    if access.allows(caller.actor, "tenant:get", access.Target()):
        return generic.page(plane, caller, KIND, authorise.Names(), query)
    with engine.dispatch(plane.engine) as tx:
        mine, _ = people.named(tx, caller.actor.grants)
    left = sorted(name for name in mine.values() if name > rest.after(query))[: query.limit + 1]
    return rest.page([get(plane, caller, authorise.Names(tenant=name)) for name in left], query.limit, key=lambda each: each.metadata.name)


def get(plane: context.Plane, caller: authorise.Caller, names: authorise.Names) -> documents.Tenant:
    """A tenant, read inside itself."""
    with authorise.enter(plane, caller, authorise.Names(tenant=names.tenant), "tenant:get") as place:
        row = rows.find(place.tx, KIND.shelf, {"id": place.scope.tenant}, names.tenant)
        if row is None:
            raise errors.NotFound("tenant", names.tenant)
        found = read(row, names)
        used = quotas.used(found.spec.quotas, usage.everything(place.tx, place.scope.tenant, now=plane.clock.now()))
        status = documents.TenantStatus(**generic.common(row), quotas=used)
        return msgspec.structs.replace(found, status=status)
