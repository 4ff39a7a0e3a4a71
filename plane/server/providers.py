"""Identity providers as log-ins find them: those of the operator's file, the platform's documents, and tenants' own."""

import re

import msgspec

from plane.domain import access, errors, tenancy
from plane.domain.granting import login
from plane.domain.granting import providers as domain
from plane.domain.rendering import secrets
from plane.server import context, keys
from plane.store import engine
from plane.store.people import people
from plane.store.people import providers as store
from plane.wire import login as shapes

NOBODY = "ffffffff-ffff-ffff-ffff-ffffffffffff"  # no tenant: one that is not there is asked for as one that is
CALLED = re.compile(rf"({tenancy.DNS_LABEL.pattern}\.)?{tenancy.DNS_LABEL.pattern}")


def find(plane: context.Plane, called: str) -> login.Provider:
    """The one that log-ins go by that name at; NotFound, also for one that is turned off."""
    if own := next((one for one in plane.logins.providers if one.name == called), None):
        return own
    tenant, _, name = called.rpartition(".")
    found = _declared(plane, tenant, name) if plane.logins.url and CALLED.fullmatch(called) else None
    if found is None:
        raise errors.NotFound("provider", called)
    return found


def ways(plane: context.Plane, tenant: str) -> shapes.Ways:
    """What there is to log in with, everywhere and in the tenant, if one is named; one that is not there has none."""
    listed = {one.name: one.title for one in plane.logins.providers}
    for name in dict.fromkeys(("", tenant)) if plane.logins.url else ():
        place = place_of(plane, name)
        with engine.begin(plane.engine, access.Scope(place, access.SYSTEM)) as tx:
            rows = store.every(tx, place)
        specs = {domain.called(name, row.name): msgspec.convert(row.spec, domain.ProviderSpec) for row in rows}
        listed = {called: spec.title for called, spec in specs.items() if spec.enabled} | listed
    items = tuple(shapes.Way(name=called, title=title or called) for called, title in sorted(listed.items()))
    return shapes.Ways(items=items, local=plane.logins.local)


def same(tx: engine.Tx, place: str, provider: login.Provider) -> bool:
    """Whether a provider is still as it was read; if so, until the transaction ends."""
    known = domain.version(provider)
    return not known or store.version(tx, place, provider.name.rpartition(".")[2]) == known


def opened(plane: context.Plane, row: engine.Row, tenant: str) -> domain.Declared:
    """The provider of a row, with its secret."""
    spec = msgspec.convert(row.spec, domain.ProviderSpec)
    data = plane.envelope.unwrap(bytes(row.wrapped), context=wrapping_context(row.tenant_id, row.name)) if row.wrapped else None
    secret = secrets.Secret(msgspec.json.decode(data.reveal(), type=dict[str, str])[domain.FIELD].encode()) if data else None
    return domain.declare(spec, name=row.name, tenant=tenant, version=row.version, secret=secret)


def wrapping_context(place: str, name: str) -> bytes:
    """What a client's secret is bound to."""
    return keys.wrapping_context(place, "", f"identityprovider/{name}")


def _declared(plane: context.Plane, tenant: str, name: str) -> domain.Declared | None:
    place = place_of(plane, tenant)
    with engine.begin(plane.engine, access.Scope(place, access.SYSTEM)) as tx:
        row = store.load(tx, place, name)
    enabled = row is not None and msgspec.convert(row.spec, domain.ProviderSpec).enabled
    return opened(plane, row, tenant) if row is not None and enabled else None


def place_of(plane: context.Plane, tenant: str) -> str:
    """The id of a tenant by its name, `NOBODY` for one that is not there; empty: the platform."""
    if not tenant:
        return access.PLATFORM_TENANT
    with engine.dispatch(plane.engine) as tx:
        found = people.place(tx, tenant, "")
    return found[0] if found else NOBODY
