"""What stands in the audit log for secret fields of documents: it shows that one was changed, and never its value."""

import secrets as random
from collections.abc import Mapping

import msgspec

from plane.domain import objects
from plane.domain.rendering import secrets
from plane.server import context, keys
from plane.server import documents as generic
from plane.store.auditing import fingerprint_keys
from plane.store.engine import Tx

KEY_BYTES = 32
GROUP = "gitops-plane.io"


def of(change: generic.Change, fields: Mapping[str, str]) -> dict[str, str]:
    """Fingerprints by secret field, under the log's own key; equal values of two documents, or of two fields, have different ones."""
    place, kind, name = change.place, type(change.wish).__name__, change.wish.metadata.name
    return _made(_key(change.plane, place.tx, place.scope.tenant), objects.ObjectKey(GROUP, kind, place.project, name), fields)


def complete(plane: context.Plane, tx: Tx, tenant: str) -> int:
    """Give fingerprints to secrets that were written before there were any; returns to how many. Nothing of a document changes."""
    found = fingerprint_keys.without(tx, tenant)
    for one in found:
        bound = keys.wrapping_context(tenant, one.project_id, one.name if one.kind == "Credential" else f"{one.kind.lower()}/{one.name}")
        fields = msgspec.json.decode(plane.envelope.unwrap(one.wrapped, context=bound).reveal(), type=dict[str, str])
        document = objects.ObjectKey(GROUP, one.kind, one.project_id, one.name)
        fingerprint_keys.put(tx, tenant, one, _made(_key(plane, tx, tenant), document, fields))
    return len(found)


def _made(key: bytes, document: objects.ObjectKey, fields: Mapping[str, str]) -> dict[str, str]:
    return {
        name: secrets.fingerprint(key, secrets.Place(document, f"/data/{name}"), secrets.Secret(value.encode()))
        for name, value in sorted(fields.items())
    }


def _key(plane: context.Plane, tx: Tx, tenant: str) -> bytes:
    envelope = plane.envelope
    bound = keys.wrapping_context(tenant, "", keys.FINGERPRINT_KEY)
    wrapped = fingerprint_keys.find(tx, tenant)
    if wrapped is None:
        made = envelope.wrap(secrets.Secret(random.token_bytes(KEY_BYTES)), context=bound)
        wrapped = fingerprint_keys.keep(tx, tenant, made)
    return envelope.unwrap(wrapped, context=bound).reveal()
