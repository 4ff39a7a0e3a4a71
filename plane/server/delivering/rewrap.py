"""After a change of master key: everything stored under an older one is wrapped again under the present one, and has a fingerprint."""

from plane.domain import access
from plane.domain.auditing import details
from plane.server import context, keys, record
from plane.server.keeping import fingerprints
from plane.store import engine
from plane.store.delivering import keyring
from plane.store.people import tenants


def rewrap(plane: context.Plane) -> details.Rewrapped:
    """Wrap anew what the present master key did not wrap; returns how many values. Each tenant is one transaction; may be repeated.

    Secrets that are older than fingerprints get theirs: here every one of them is at hand.

    Raises:
        SecretRefused: a value's key is not among those this process was given; tenants before it stay done.
    """
    with engine.dispatch(plane.engine) as tx:
        found = tenants.ids(tx)
    done = [_tenant(plane, access.Scope(tenant, access.SYSTEM)) for tenant in (access.PLATFORM_TENANT, *found)]
    return details.Rewrapped(secrets=sum(one.secrets for one in done), fingerprints=sum(one.fingerprints for one in done))


def _tenant(plane: context.Plane, scope: access.Scope) -> details.Rewrapped:
    with engine.begin(plane.engine, scope) as tx:
        old = [row for row in keyring.everything(tx, scope.tenant) if not plane.envelope.current(row[2])]
        for project, name, wrapped in old:
            bound = keys.wrapping_context(scope.tenant, project, name or keys.FINGERPRINT_KEY)
            value = plane.envelope.unwrap(wrapped, context=bound)
            keyring.replace(tx, scope.tenant, project, name, plane.envelope.wrap(value, context=bound))
        done = details.Rewrapped(secrets=len(old), fingerprints=fingerprints.complete(plane, tx, scope.tenant))
        if done != details.Rewrapped(secrets=0):
            message = f"{done.secrets} stored secrets were put under the present master key, {done.fingerprints} got a fingerprint"
            record.append(plane, tx, scope, "tenant.keys.rewrapped", message=message, details=done)
    return done
