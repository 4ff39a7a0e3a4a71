"""What stands in the audit log for secret fields of documents: it shows that one was changed, and never its value."""

import secrets as random
from collections.abc import Mapping

from plane.domain import objects
from plane.domain.rendering import secrets
from plane.server import documents as generic
from plane.server import keys
from plane.store.auditing import fingerprint_keys

KEY_BYTES = 32
GROUP = "gitops-plane.io"


def of(change: generic.Change, fields: Mapping[str, str]) -> dict[str, str]:
    """Fingerprints by secret field, under the log's own key; equal values of two documents, or of two fields, have different ones."""
    place, meta = change.place, change.wish.metadata
    document = objects.ObjectKey(GROUP, type(change.wish).__name__, place.project, meta.name)
    key = _key(change)
    return {
        name: secrets.fingerprint(key, secrets.Place(document, f"/data/{name}"), secrets.Secret(value.encode()))
        for name, value in sorted(fields.items())
    }


def _key(change: generic.Change) -> bytes:
    tx, tenant, envelope = change.place.tx, change.place.scope.tenant, change.plane.envelope
    bound = keys.wrapping_context(tenant, "", keys.FINGERPRINT_KEY)
    wrapped = fingerprint_keys.find(tx, tenant)
    if wrapped is None:
        made = envelope.wrap(secrets.Secret(random.token_bytes(KEY_BYTES)), context=bound)
        wrapped = fingerprint_keys.keep(tx, tenant, made)
    return envelope.unwrap(wrapped, context=bound).reveal()
